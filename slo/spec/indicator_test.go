package spec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/spec"
)

// TestIndicators checks the defaults, and what components count: defined later, in a composite of a composite, and of any unit.
func TestIndicators(t *testing.T) {
	got, err := spec.Load(nil, []string{"testdata/indicators.yaml"})
	require.NoError(t, err)
	in := map[string]slo.Indicator{}
	for _, o := range got {
		in[o.Name] = o.Indicator
	}
	assert.Equal(t, slo.Indicator{Type: slo.Composite, Components: []slo.Component{
		{Objective: "journeys", Weight: 2, Time: true, Scale: 1}, {Objective: "rate", Weight: 1, Time: true, Scale: slo.MinuteParts},
	}}, in["home-page"])
	assert.Equal(t, slo.Indicator{Type: slo.Composite, Components: []slo.Component{
		{Objective: "probe", Weight: 3, Time: true, Scale: 1}, {Objective: "checkout", Weight: 1, Time: true, Scale: 5 * slo.MinuteParts},
	}}, in["journeys"])
	assert.Equal(t, slo.Indicator{Type: slo.PromQL, RatioQuery: "1 - avg(probe_success)", Resolution: 5 * time.Minute}, in["probe"])
	assert.Equal(t, &slo.Slices{Length: 5 * time.Minute, Target: 0.995, Empty: slo.EmptySkip}, in["checkout"].Slices)
	assert.Equal(t, slo.Indicator{Type: slo.Throughput, Spans: slo.SpanSelector{Service: "orders", Kind: "consumer"}, Minimum: 1.5}, in["rate"])
	assert.Equal(t, slo.Indicator{Type: slo.Freshness, Spans: slo.SpanSelector{Service: "orders"}, Phi: 8}, in["fresh"])
	assert.Equal(t, []slo.Component{{Objective: "a", Weight: 2, Scale: 1}, {Objective: "b", Weight: 1, Scale: 1}}, in["all"].Components)
	for name, want := range map[string]slo.Unit{
		"home-page": slo.UnitMinutes, "journeys": slo.UnitMinutes, "probe": slo.UnitMinutes, "checkout": slo.UnitSlices, "rate": slo.UnitMinutes,
		"all": slo.UnitEvents, "a": slo.UnitEvents,
	} {
		unit, _ := in[name].Unit()
		assert.Equal(t, want, unit, name)
	}
	assert.Equal(t, "rate", got[4].Name)
	assert.Equal(t, "orders", got[4].Service, "the default is the indicator's")
}

func TestSlicesDefaults(t *testing.T) {
	got, err := spec.Load([]spec.Objective{decode(t, `{name: a, target: 99, latency: {threshold: 1s}, slices: {target: 100}}`)}, nil)
	require.NoError(t, err)
	assert.Equal(t, &slo.Slices{Length: time.Minute, Target: 1, Empty: slo.EmptyGood}, got[0].Indicator.Slices)
}

// Components that are wrong themselves are reported once, as such.
func TestComponentWithErrors(t *testing.T) {
	_, err := spec.Load([]spec.Objective{
		decode(t, `{name: a, target: 99, latency: {}}`), decode(t, `{name: all, target: 99, composite: [{objective: a}]}`),
	}, nil)
	require.ErrorContains(t, err, "(a): latency::threshold: is not above 0")
	assert.NotContains(t, err.Error(), "(all)")
	assert.Equal(t, 1, strings.Count(err.Error(), "\n")+1)
}
