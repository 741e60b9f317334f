package metrics

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// sending is a sender whose points the tests read.
func sending(t *testing.T, sloth bool) (*sender, *taker) {
	t.Helper()
	into := &taker{}
	next, err := consumer.NewMetrics(into.consume)
	require.NoError(t, err)
	return newSender(next, "i-1", sloth), into
}

// sentOf sends once and returns the lines of what was taken.
func sentOf(t *testing.T, s *sender, into *taker, now time.Time, objectives ...engine.Status) (out []string) {
	t.Helper()
	into.taken = nil
	_, err := s.send(t.Context(), objectives, now)
	require.NoError(t, err)
	for _, md := range into.taken {
		out = append(out, lines(md, noon)...)
	}
	return out
}

func TestPointsOfAnObjective(t *testing.T) {
	s, into := sending(t, false)
	assert.Equal(t, []string{
		"slowburn.slo.burn_rate{objective=a,service=checkout,window=1h} 2 @0",
		"slowburn.slo.burn_rate{objective=a,service=checkout,window=30d} 0.75 @0",
		"slowburn.slo.error_budget.exhaustion_timestamp{objective=a,service=checkout} 1.76986e+09 @0",
		"slowburn.slo.error_budget.remaining{objective=a,service=checkout} 0.25 @0",
		"slowburn.slo.error{objective=a,service=checkout,window=1h} 0.002 @0",
		"slowburn.slo.error{objective=a,service=checkout,window=30d} 0.00075 @0",
		"slowburn.slo.info{indicator=availability,objective=a,policy=cautious,service=checkout,team=shop,window=30d} 1 @0",
		"slowburn.slo.last_measured_timestamp{objective=a,service=checkout} 1.76986e+09 @0",
		"slowburn.slo.objective{objective=a,service=checkout} 0.999 @0",
		"slowburn.slo.state{objective=a,service=checkout,state=ok} 1 @0",
	}, sentOf(t, s, into, noon.Add(20*time.Second), burning("a", noon)))
	require.Len(t, into.taken, 1)
	resource := into.taken[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, map[string]any{"service.name": "slowburn", "service.instance.id": "i-1"}, resource)
	exhaustion := into.taken[0].ResourceMetrics().At(0).ScopeMetrics().At(0)
	for _, m := range exhaustion.Metrics().All() {
		if m.Name() == budgetExhaustion.name {
			assert.InDelta(t, float64(noon.Add(time.Hour).Unix()), m.Gauge().DataPoints().At(0).DoubleValue(), 0, "the soonest of the tiers")
		}
	}
}

// Each evaluation is sent once, with its own time.
func TestEachEvaluationOnce(t *testing.T) {
	s, into := sending(t, true)
	a, b := burning("a", noon), burning("b", noon)
	assert.NotEmpty(t, sentOf(t, s, into, noon, a, b))
	assert.Empty(t, sentOf(t, s, into, noon.Add(time.Hour), a, b), "nothing was evaluated since")
	later := noon.Add(time.Minute)
	a.EvaluatedUntil = &later
	for _, line := range sentOf(t, s, into, noon.Add(time.Hour), a, b) {
		assert.NotContains(t, line, "objective=b")
		assert.Contains(t, line, "@60")
	}
	earlier := noon.Add(-time.Hour)
	a.EvaluatedUntil = &earlier
	assert.Empty(t, sentOf(t, s, into, noon.Add(time.Hour), a), "an older evaluation than the last")
	a.EvaluatedUntil = nil
	assert.Empty(t, sentOf(t, s, into, noon, a), "an objective that was never evaluated")
}

// A figure that ends is ended: by what the objective becomes, with and without Sloth's names.
func TestEndOfSeries(t *testing.T) {
	later := noon.Add(time.Minute)
	for name, c := range map[string]struct {
		from, to  func(*engine.Status)
		want, not []string
	}{
		"not measured": {
			to: func(s *engine.Status) { s.State = engine.StateNoData },
			want: []string{
				"slowburn.slo.burn_rate{objective=a,service=checkout,window=1h} ends @60",
				"slowburn.slo.error{objective=a,service=checkout,window=30d} ends @60",
				"slowburn.slo.error_budget.remaining{objective=a,service=checkout} ends @60",
				"slowburn.slo.error_budget.exhaustion_timestamp{objective=a,service=checkout} ends @60",
				"slowburn.slo.state{objective=a,service=checkout,state=ok} ends @60",
				"slowburn.slo.state{objective=a,service=checkout,state=no_data} 1 @60",
				"slowburn.slo.objective{objective=a,service=checkout} 0.999 @60",
				"slo:period_error_budget_remaining:ratio{sloth_id=checkout-a,sloth_service=checkout,sloth_slo=a,team=shop} ends @60",
			},
		},
		"not evaluated": {
			to: func(s *engine.Status) { s.State, s.EvaluatedUntil = engine.StateError, &noon },
			want: []string{
				"slowburn.slo.error_budget.remaining{objective=a,service=checkout} ends @120",
				"slowburn.slo.state{objective=a,service=checkout,state=error} 1 @120",
			},
		},
		"no events in a window": {
			to: func(s *engine.Status) { s.BurnRates[1].ErrorRatio, s.BurnRates[1].BurnRate = nil, nil },
			want: []string{
				"slowburn.slo.burn_rate{objective=a,service=checkout,window=1h} ends @60",
				"slo:sli_error:ratio_rate1h{sloth_id=checkout-a,sloth_service=checkout,sloth_slo=a,sloth_window=1h,team=shop} ends @60",
			},
			not: []string{"window=30d} ends"},
		},
		"burns no more": {
			to:   func(s *engine.Status) { s.Tiers = nil },
			want: []string{"slowburn.slo.error_budget.exhaustion_timestamp{objective=a,service=checkout} ends @60"},
		},
		"escalates": {
			from: func(s *engine.Status) { s.Alert = engine.AlertState{State: alert.Firing, Severity: slo.Ticket} },
			to:   func(s *engine.Status) { s.Alert = engine.AlertState{State: alert.Firing, Severity: slo.Page} },
			want: []string{
				"slowburn.slo.alerts{alertstate=firing,objective=a,service=checkout,severity=ticket} ends @60",
				"slowburn.slo.alerts{alertstate=firing,objective=a,service=checkout,severity=page} 1 @60",
				"ALERTS{alertname=ErrorBudgetBurn,alertstate=firing,sloth_id=checkout-a,sloth_service=checkout,sloth_severity=page,sloth_slo=a,team=shop} 1 @60",
			},
		},
		"resolves": {
			from: func(s *engine.Status) { s.Alert = engine.AlertState{State: alert.Firing, Severity: slo.Page} },
			to:   func(s *engine.Status) { s.Alert = engine.AlertState{State: alert.Resolved, Severity: slo.Page} },
			want: []string{"slowburn.slo.alerts{alertstate=firing,objective=a,service=checkout,severity=page} ends @60"},
			not:  []string{"resolved"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, into := sending(t, true)
			before := burning("a", noon)
			if c.from != nil {
				c.from(&before)
			}
			sentOf(t, s, into, noon, before)
			after := burning("a", later)
			c.to(&after)
			got := sentOf(t, s, into, noon.Add(2*time.Minute), after)
			for _, want := range c.want {
				assert.Contains(t, got, want)
			}
			for _, line := range got {
				for _, not := range c.not {
					assert.NotContains(t, line, not)
				}
			}
			after.EvaluatedUntil = ptr(noon.Add(3 * time.Minute))
			for _, line := range sentOf(t, s, into, noon.Add(3*time.Minute), after) {
				assert.NotContains(t, line, "ends", "a series ends once")
			}
		})
	}
}

// An objective that cannot be evaluated has a state each minute, and nothing twice in one.
func TestStateGoesOn(t *testing.T) {
	s, into := sending(t, false)
	o := burning("a", noon)
	o.State = engine.StateError
	assert.Len(t, sentOf(t, s, into, noon.Add(90*time.Second), o), 4)
	assert.Empty(t, sentOf(t, s, into, noon.Add(119*time.Second), o))
	assert.Len(t, sentOf(t, s, into, noon.Add(120*time.Second), o), 4)
}

// A refused batch is sent again; one that is refused for good is not, and holds no other back.
func TestRefusedBatch(t *testing.T) {
	var many []engine.Status
	for i := range 2*objectivesPerBatch + 1 {
		many = append(many, burning(fmt.Sprint("o", i), noon))
	}
	s, into := sending(t, false)
	into.err = errors.New("full disk")
	_, err := s.send(t.Context(), many, noon)
	require.ErrorContains(t, err, "full disk")
	into.err = nil
	n, err := s.send(t.Context(), many, noon)
	require.NoError(t, err)
	assert.Equal(t, len(many)*10, n)
	assert.Len(t, into.taken, 3)

	s, into = sending(t, false)
	into.err = consumererror.NewPermanent(errors.New("no such tenant"))
	n, err = s.send(t.Context(), many, noon)
	require.ErrorContains(t, err, "no such tenant")
	assert.Equal(t, len(many)*10, n, "all were handed over")
	into.err = nil
	assert.Empty(t, sentOf(t, s, into, noon, many...))
}

// An objective without a service has no label service, and one that Sloth's dashboards can pick.
func TestEveryService(t *testing.T) {
	s, into := sending(t, true)
	o := burning("a", noon)
	o.Service = ""
	got := sentOf(t, s, into, noon, o)
	assert.Contains(t, got, "slowburn.slo.objective{objective=a} 0.999 @0")
	assert.Contains(t, got, "slo:objective:ratio{sloth_id=all-a,sloth_service=all,sloth_slo=a,team=shop} 0.999 @0")
}

// Windows are written as Prometheus does.
func TestSlothWindows(t *testing.T) {
	s, into := sending(t, true)
	o := burning("a", noon)
	for i, w := range []time.Duration{300 * time.Second, 7 * 24 * time.Hour, 28 * 24 * time.Hour} {
		o.BurnRates[i] = engine.BurnRate{Window: slo.FormatDuration(w), WindowSeconds: int64(w.Seconds()), ErrorRatio: ptr(0.1), BurnRate: ptr(9.0)}
	}
	o.WindowSeconds = int64((28 * 24 * time.Hour).Seconds())
	got := sentOf(t, s, into, noon, o)
	labels := "sloth_id=checkout-a,sloth_service=checkout,sloth_slo=a,"
	assert.Contains(t, got, "slo:sli_error:ratio_rate5m{"+labels+"sloth_window=5m,team=shop} 0.1 @0")
	assert.Contains(t, got, "slo:sli_error:ratio_rate1w{"+labels+"sloth_window=1w,team=shop} 0.1 @0")
	assert.Contains(t, got, "slo:sli_error:ratio_rate4w{"+labels+"sloth_window=4w,team=shop} 0.1 @0")
	assert.Contains(t, got, "slo:time_period:days{"+labels+"team=shop} 28 @0")
	assert.Contains(t, got, "slo:period_burn_rate:ratio{"+labels+"team=shop} 9 @0")
	assert.Contains(t, got, "slo:current_burn_rate:ratio{"+labels+"team=shop} 9 @0")
}
