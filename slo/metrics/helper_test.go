package metrics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
)

func ptr[T any](v T) *T { return &v }

// burning is an objective of three nines that burns at twice its budget over an hour, and had no event for five minutes.
func burning(name string, until time.Time) engine.Status {
	return engine.Status{
		Definition: engine.Definition{
			Name: name, Service: "checkout", Labels: map[string]string{"team": "shop"}, Target: 0.999, Window: "30d", WindowSeconds: 30 * 86400,
			Indicator: engine.Indicator{Type: slo.Availability},
		},
		EvaluatedUntil: &until, LastMeasuredAt: &until, State: engine.StateOK, Events: engine.Events{Total: 1000, Bad: 1},
		Budget: engine.Budget{RemainingRatio: 0.25, Policy: slo.Cautious},
		BurnRates: []engine.BurnRate{
			{Window: "5m", WindowSeconds: 300},
			{Window: "1h", WindowSeconds: 3600, ErrorRatio: ptr(0.002), BurnRate: ptr(2.0)},
			{Window: "30d", WindowSeconds: 30 * 86400, ErrorRatio: ptr(0.00075), BurnRate: ptr(0.75)},
		},
		Tiers: []engine.Tier{{ExhaustionSeconds: ptr(7200.0)}, {}, {ExhaustionSeconds: ptr(3600.0)}},
		Alert: engine.AlertState{State: alert.Inactive},
	}
}

// lines writes points one a line, sorted: series, value and seconds since start. A point that ends its series has the value "ends".
func lines(md pmetric.Metrics, start time.Time) (out []string) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range m.Gauge().DataPoints().All() {
					attributes := p.Attributes().AsRaw()
					var labels []string
					for _, k := range slices.Sorted(maps.Keys(attributes)) {
						labels = append(labels, fmt.Sprintf("%s=%v", k, attributes[k]))
					}
					value := fmt.Sprintf("%.6g", p.DoubleValue())
					if p.Flags().NoRecordedValue() {
						value = "ends"
					}
					out = append(out, fmt.Sprintf("%s{%s} %s @%.0f", m.Name(), strings.Join(labels, ","), value, p.Timestamp().AsTime().Sub(start).Seconds()))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// fakeSource is an extension that the tests advance.
type fakeSource struct {
	component.StartFunc
	component.ShutdownFunc
	statuses engine.Statuses
	changed  chan struct{}
}

func (f *fakeSource) Statuses() engine.Statuses { return f.statuses }
func (f *fakeSource) Changed() <-chan struct{}  { return f.changed }
func (*fakeSource) Instance() string            { return "i-1" }

type hostOf map[component.ID]component.Component

func (h hostOf) GetExtensions() map[component.ID]component.Component { return h }

// taker is a pipeline that takes metrics, or refuses them with err.
type taker struct {
	err   error
	taken []pmetric.Metrics
}

func (t *taker) consume(_ context.Context, md pmetric.Metrics) error {
	if t.err == nil {
		t.taken = append(t.taken, md)
	}
	return t.err
}
