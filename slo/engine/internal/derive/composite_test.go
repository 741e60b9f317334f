package derive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Events that are added to earlier minutes of components are added to the composite once, late ones as late.
func TestCatchUp(t *testing.T) {
	within(t, func(l *ledger.Ledger) {
		const first = ledger.Minute(60 * 1000)
		components := map[string]*ledger.Account{}
		for _, name := range []string{"a", "b"} {
			a, _, err := l.Open(name, first, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, first, []ledger.Delta{{Total: 10, Bad: 1}, {Total: 20}, {Total: 30}}))
			components[name] = a
		}
		o := slo.Objective{Name: "all", Indicator: slo.Indicator{Type: slo.Composite, Components: []slo.Component{
			{Objective: "a", Weight: 3, Scale: 1}, {Objective: "b", Weight: 1, Scale: 1}}}}
		all, err := Begin(l, o, first+3, "key")
		require.NoError(t, err)
		assert.Equal(t, slo.Events{Total: 240, Bad: 4}, all.Events())

		require.NoError(t, l.AddEarlier(components["a"], []ledger.Earlier{
			{Minute: first + 1, Delta: ledger.Delta{Total: 2, Bad: 1}}, {Minute: first, Late: true, Delta: ledger.Delta{Total: 5, Bad: 5}}}))
		for range 3 {
			require.NoError(t, CatchUp(l, o.Indicator, all, "key"))
			minutes, err := l.ByMinute(all, first, first+3)
			require.NoError(t, err)
			assert.Equal(t, []slo.Events{{Total: 55, Bad: 19}, {Total: 86, Bad: 3}, {Total: 120}}, minutes)
			late, err := l.Late(all, first, first+3)
			require.NoError(t, err)
			assert.Equal(t, slo.Events{Total: 15, Bad: 15}, late)
		}
		before := all.Events()
		require.NoError(t, l.AddEarlier(components["b"], []ledger.Earlier{{Minute: first, Delta: ledger.Delta{Total: 1}}}))
		require.NoError(t, CatchUp(l, o.Indicator, all, "other weights"))
		assert.Equal(t, before, all.Events(), "sums of other weights stay")
	})
}
