package api

import (
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// Breakdown answers GET /api/slo/v1/objectives/{name}/breakdown. A ratio or share of no events is nil.
type Breakdown struct {
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end"`
	Basis       engine.Basis      `json:"basis"`
	By          []parts.Dimension `json:"by"`
	Events      Events            `json:"events"`
	ErrorRatio  *float64          `json:"error_ratio"`
	Rows        []BreakdownRow    `json:"rows"`
	OmittedRows int               `json:"omitted_rows"`
	Omitted     Events            `json:"omitted"`
	Other       Events            `json:"other"`
	Uncovered   Events            `json:"uncovered"`
}

// BreakdownRow is one part of an objective's events.
type BreakdownRow struct {
	Values         map[parts.Dimension]string `json:"values"`
	Events         Events                     `json:"events"`
	ErrorRatio     *float64                   `json:"error_ratio"`
	TotalPerMinute float64                    `json:"total_per_minute"`
	BadPerMinute   float64                    `json:"bad_per_minute"`
	BadShare       *float64                   `json:"bad_share"`
	TotalShare     *float64                   `json:"total_share"`
}

// BreakdownOf describes which parts an objective's events came from.
func BreakdownOf(b engine.Breakdown) Breakdown {
	minutes := float64(max(b.To-b.From, 1))
	return Breakdown{
		Start: b.From.Start(), End: b.To.Start(), Basis: b.Basis, By: whole(b.By),
		Events: Events(b.Events), ErrorRatio: ratio(b.Events.Bad, b.Events.Total),
		OmittedRows: b.Omitted.Rows, Omitted: Events(b.Omitted.Events), Other: Events(b.Other), Uncovered: Events(b.Uncovered),
		Rows: listOf(b.Rows, func(r parts.Row) BreakdownRow {
			return BreakdownRow{
				Values: valuesOf(r.Part, b.By), Events: Events(r.Events), ErrorRatio: ratio(r.Events.Bad, r.Events.Total),
				TotalPerMinute: float64(r.Events.Total) / minutes, BadPerMinute: float64(r.Events.Bad) / minutes,
				BadShare: ratio(r.Events.Bad, b.Events.Bad), TotalShare: ratio(r.Events.Total, b.Events.Total),
			}
		}),
	}
}

func valuesOf(p parts.Part, by []parts.Dimension) map[parts.Dimension]string {
	values := make(map[parts.Dimension]string, len(by))
	for _, d := range by {
		values[d] = d.Of(p)
	}
	return values
}

func ratio(n, total uint64) *float64 {
	r, ok := slo.Events{Total: total, Bad: n}.ErrorRatio()
	if !ok {
		return nil
	}
	return &r
}
