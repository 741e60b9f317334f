package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli"
)

// database receives the counts: the samples of each series.
type database struct {
	w      *World
	series map[string]*series
	broken bool
	since  time.Duration // when it failed
}

// series is a cumulative counter. Its name includes its instance.
type series struct {
	metric, service, objective, age string
	samples                         []sample
}

type sample struct {
	at    time.Time
	start time.Time
	value float64
}

func (s *series) last() float64 {
	if len(s.samples) == 0 {
		return 0
	}
	return s.samples[len(s.samples)-1].value
}

// Capabilities implements consumer.Metrics.
func (*database) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeMetrics implements consumer.Metrics.
func (d *database) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	w := d.w
	w.at("emit")
	if w.ended() || d.broken {
		return fmt.Errorf("the database is away")
	}
	events, ignored := false, false
	for _, rm := range md.ResourceMetrics().All() {
		instance, _ := rm.Resource().Attributes().Get("service.instance.id")
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() == pmetric.MetricTypeSum {
					for _, p := range m.Sum().DataPoints().All() {
						taken := d.take(m.Name(), instance.AsString(), p)
						ignored = ignored || !taken && p.StartTimestamp() != p.Timestamp()
						events = events || text(p.Attributes(), "objective") != ""
					}
				}
			}
		}
	}
	if events && !ignored {
		w.counted()
	}
	w.at("emitted")
	return nil
}

// sentAgain is how long after a flush that failed, or whose process died, its samples come with its time.
const sentAgain = 6 * time.Minute

// take adds a sample to a series, and reports whether it is new. Counters continue across processes.
func (d *database) take(metric, instance string, p pmetric.NumberDataPoint) bool {
	key := metric + "{" + instance
	for name, value := range p.Attributes().All() { // always in the same order
		key += "," + name + "=" + value.AsString()
	}
	s := d.series[key]
	if s == nil {
		s = &series{metric: metric, service: text(p.Attributes(), "service.name"), objective: text(p.Attributes(), "objective"), age: text(p.Attributes(), "age")}
		d.series[key] = s
	}
	value := p.DoubleValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(p.IntValue())
	}
	at := p.Timestamp().AsTime()
	if w := d.w; w.trueTime() && (w.now().Sub(at) > sentAgain || at.Sub(w.now()) > time.Minute) && p.StartTimestamp() != p.Timestamp() {
		w.problem("a count of now has the time %v, which is off by %v", at, w.now().Sub(at))
	}
	if n := len(s.samples); n > 0 && s.samples[n-1].at.Sub(at) > clock.JumpAllowed && p.StartTimestamp() != p.Timestamp() {
		// The clock was ahead and is set back: a database moves samples in the future aside.
		s.samples = slices.DeleteFunc(s.samples, func(s sample) bool { return !s.at.Before(at) })
	}
	if n := len(s.samples); n > 0 && !at.After(s.samples[n-1].at) {
		return false // a repeated sample, or the zero of a series that was emitted before a kill: a database ignores it
	}
	if value < s.last() {
		d.w.problem("the counter %s goes back from %v to %v", key, s.last(), value)
	}
	s.samples = append(s.samples, sample{at, p.StartTimestamp().AsTime(), value})
	return true
}

func text(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// sum returns the sum of a metric's series.
func (d *database) sum(metric string, of func(*series) bool) (n float64) {
	for _, s := range d.series {
		if strings.HasPrefix(s.metric, metric) && of(s) {
			n += s.last()
		}
	}
	return n
}

// objectives are objectives of the first service.
var objectives = []slo.Objective{{
	Name: "checkout-availability", Service: services[0], Target: 0.99, Window: 30 * 24 * time.Hour,
	Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: services[0]}},
}}

// startCounts starts the connector sli.
func (w *World) startCounts() error {
	cfg := sli.NewFactory().CreateDefaultConfig().(*sli.Config)
	cfg.Repeats.Window, cfg.Repeats.Memory = 20_000*time.Hour, 4<<20
	cfg.Expiry, cfg.Limits.Series = 0, 5000
	set := connectortest.NewNopSettings(component.MustNewType("sli"))
	var err error
	about := objectives
	if w.alerts.engine != nil {
		about = w.alerts.engine.Objectives()
	}
	w.front, err = sli.NewStepped(set, cfg, w.gateway, w.database, sli.StepSettings{
		Objectives: about, Open: func() (sli.Place, error) { return w.place, nil },
		Name: func() string {
			w.names++
			return fmt.Sprintf("instance-%d", w.names)
		},
	})
	return err
}

// emit flushes the counts.
func (w *World) emit() {
	if w.front != nil {
		w.front.SwitchLog()
		w.front.Emit(context.Background())
		w.tally.byArrival = w.tally.byArrival || len(w.front.ClocksOff()) > 0
	}
}

// mustCount holds the bounds of each service's spans, and of the objective's.
type mustCount struct{ least, most int }

// checkCounts checks that every acknowledged span is counted, and no other except those whose sender got no answer.
func (w *World) checkCounts() {
	if w.front == nil {
		return
	}
	want := map[string]*mustCount{}
	for _, name := range append(slices.Clone(services), "total", "bad") {
		want[name] = &mustCount{}
	}
	for _, r := range w.sent {
		for _, s := range r.spans {
			about := []string{s.service}
			if s.service == services[0] {
				about = append(about, "total")
				if s.failed {
					about = append(about, "bad")
				}
			}
			for _, name := range about {
				if r.acked {
					want[name].least++
				}
				switch {
				case w.tally.countsLost: // the accepted requests were forgotten along with the counts
					want[name].most += r.times
				case r.times > 0:
					want[name].most++
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		var got float64
		switch name {
		case "total":
			got = w.database.sum("slowburn.sli.events", func(s *series) bool { return s.objective == objectives[0].Name })
		case "bad":
			got = w.database.sum("slowburn.sli.bad_events", func(s *series) bool { return s.objective == objectives[0].Name })
		default:
			got = w.database.sum("traces.span.metrics.calls", func(s *series) bool { return s.service == name })
		}
		m := want[name]
		if got > float64(m.most) || got < float64(m.least) && !w.tally.countsLost {
			w.problem("%v spans of %s were counted; between %d and %d were acknowledged", got, name, m.least, m.most)
		}
	}
}
