package api

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// TestBreakdown computes ratios, rates and shares from the events.
func TestBreakdown(t *testing.T) {
	b := engine.Breakdown{By: []parts.Dimension{parts.Version}, Basis: engine.BasisAlert, Breakdown: parts.Breakdown{
		From: 29_000_000, To: 29_000_010, Events: slo.Events{Total: 1000, Bad: 50},
		Rows: []parts.Row{
			{Part: parts.Part{Version: "1.9.1"}, Events: slo.Events{Total: 200, Bad: 40}},
			{Part: parts.Part{Version: "1.9.0"}, Events: slo.Events{Total: 700}},
			{},
		},
		Other: slo.Events{Total: 3, Bad: 2}, Uncovered: slo.Events{Total: 100, Bad: 10},
		Omitted: parts.Omitted{Rows: 7, Events: slo.Events{Total: 9, Bad: 8}},
	}}
	p := func(v float64) *float64 { return &v }
	assert.Equal(t, Breakdown{
		Start: b.From.Start(), End: b.To.Start(), Basis: "alert", By: b.By, Events: Events{1000, 50}, ErrorRatio: p(0.05),
		Rows: []BreakdownRow{
			{map[parts.Dimension]string{"version": "1.9.1"}, Events{200, 40}, p(0.2), 20, 4, p(0.8), p(0.2)},
			{map[parts.Dimension]string{"version": "1.9.0"}, Events{700, 0}, p(0), 70, 0, p(0), p(0.7)},
			{map[parts.Dimension]string{"version": ""}, Events{}, nil, 0, 0, p(0), p(0)},
		},
		OmittedRows: 7, Omitted: Events{9, 8}, Other: Events{3, 2}, Uncovered: Events{100, 10},
	}, BreakdownOf(b))
}
