package decision

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

func TestRandomnessIsExplicitOrFromTheID(t *testing.T) {
	d := Decided{ID: wire.TraceID{8: 0xff, 9: 1, 15: 2}, Random: tracestate.None}
	require.Equal(t, uint64(0x01_0000_0000_0002), d.Randomness())
	d.Random = 7
	require.Equal(t, uint64(7), d.Randomness())
}

// ByPolicies is not sampled for a trace that is kept for a link.
func TestVerdictOfThePolicies(t *testing.T) {
	for _, v := range []policy.Verdict{policy.NotSampled, policy.Sampled, policy.Dropped} {
		require.Equal(t, v, (&Decided{Verdict: v}).ByPolicies())
		require.Equal(t, policy.NotSampled, (&Decided{Verdict: v, Linked: true}).ByPolicies())
		require.Equal(t, policy.NotSampled, (&Decided{Verdict: v, Marked: true}).ByPolicies())
	}
}

// The triggers' numbers are in existing journals, their names in dashboards.
func TestTriggersKeepTheirNumbersAndNames(t *testing.T) {
	var names []string
	for trigger := range Triggers {
		names = append(names, trigger.String())
	}
	require.Equal(t, []string{
		"decision_wait", "root_received", "size", "num_traces", "memory", "shutdown", "revived", "linked", "ingest", "objective",
	}, names)
}
