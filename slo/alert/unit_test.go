package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/slo"
)

// A summary counts in the unit of its indicator.
func TestTally(t *testing.T) {
	e := slo.Events{Total: 60, Bad: 9}
	for want, in := range map[string]slo.Indicator{
		"9 of 60 requests failed":                                {Type: slo.Availability},
		"9 of 60 requests took longer than 300ms":                {Type: slo.Latency, Threshold: 300 * time.Millisecond},
		"9 of 60 events were bad":                                {Type: slo.PromQL, BadQuery: "a", TotalQuery: "b"},
		"9 of 60 minutes had fewer than 3000 events":             {Type: slo.Throughput, Minimum: 3000},
		"9 of 60 minutes had fewer than 1.5 events":              {Type: slo.Throughput, Minimum: 1.5},
		"9 of 60 slices of 5m had less than 99.95 % good events": {Type: slo.Availability, Slices: &slo.Slices{Length: 5 * time.Minute, Target: 0.9995}},
		"9 of 60 minutes passed without the usual traffic":       {Type: slo.Freshness},
		"9 of 60 events, each times its weight, were bad":        {Type: slo.Composite, Components: []slo.Component{{Objective: "a", Weight: 2, Scale: 1}}},
	} {
		assert.Equal(t, want, tally(in, e))
	}
	parts := slo.Events{Total: 60 * slo.MinuteParts, Bad: 900_000}
	for _, in := range []slo.Indicator{
		{Type: slo.PromQL, RatioQuery: "a"},
		{Type: slo.Composite, Components: []slo.Component{{Objective: "a", Weight: 1, Time: true, Scale: 1}}},
	} {
		assert.Equal(t, "0.9 of 60.0 minutes were bad, 1.5 % on average", tally(in, parts))
	}
}
