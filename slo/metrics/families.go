package metrics

import (
	"time"

	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
)

// family is a metric, a gauge.
type family struct {
	// name and unit are OTLP's, prometheus is the name of the series.
	name, unit, prometheus string
	description            string
	// labels are those that its series have beside objective and service.
	labels []string
	// sloth says that the labels of the objective are Sloth's.
	sloth bool
}

// The families of an objective.
var (
	objectiveRatio = gauge("slowburn.slo.objective", "1", "slowburn_slo_objective_ratio",
		"Promised share of good events.")
	budgetRemaining = gauge("slowburn.slo.error_budget.remaining", "1", "slowburn_slo_error_budget_remaining_ratio",
		"Share of the error budget that is left: 1 untouched, 0 spent, below 0 overspent.")
	budgetExhaustion = gauge("slowburn.slo.error_budget.exhaustion_timestamp", "s", "slowburn_slo_error_budget_exhaustion_timestamp_seconds",
		"Unix time at which the error budget is spent, at the highest burn rate of the tiers' long windows. No series while nothing burns.")
	errorRatio = gauge("slowburn.slo.error", "1", "slowburn_slo_error_ratio",
		"Share of bad events in the window that ends now. No series for a window without events.", "window")
	burnRate = gauge("slowburn.slo.burn_rate", "1", "slowburn_slo_burn_rate_ratio",
		"Error ratio of the window divided by the error budget: 1 spends exactly the budget.", "window")
	lastMeasured = gauge("slowburn.slo.last_measured_timestamp", "s", "slowburn_slo_last_measured_timestamp_seconds",
		"Unix time of the last minute that was measured.")
	state = gauge("slowburn.slo.state", "", "slowburn_slo_state",
		"1, with the present state of the objective as a label: ok, no_data, error.", "state")
	alerts = gauge("slowburn.slo.alerts", "", "slowburn_slo_alerts",
		"1 for an alert that is pending or firing, with its severity. No series otherwise.", "alertstate", "severity")
	info = gauge("slowburn.slo.info", "", "slowburn_slo_info",
		"1, with the objective's window, indicator, policy level and own labels.", "window", "indicator", "policy")
)

func gauge(name, unit, prometheus, description string, labels ...string) *family {
	return &family{name: name, unit: unit, prometheus: prometheus, description: description, labels: labels}
}

// families are all that are sent.
var families = []*family{
	objectiveRatio, budgetRemaining, budgetExhaustion, errorRatio, burnRate, lastMeasured, state, alerts, info,
}

// series is what tells two points of an objective apart. Values are those of the family's labels, in order.
type series struct {
	family *family
	values [3]string
}

// point is a value of a series.
type point struct {
	series
	value float64
}

func pointOf(f *family, value float64, values ...string) point {
	p := point{series{family: f}, value}
	copy(p.values[:], values)
	return p
}

// pointsOf appends the points of an objective that was evaluated until at. An objective that is not measured has a state, and no figures:
// those that are shown to people are of an earlier time.
func pointsOf(to []point, s *engine.Status, at time.Time) []point {
	to = append(to,
		pointOf(objectiveRatio, s.Target),
		pointOf(state, 1, string(s.State)),
		pointOf(info, 1, s.Window, string(s.Indicator.Type), string(s.Budget.Policy)))
	if s.LastMeasuredAt != nil {
		to = append(to, pointOf(lastMeasured, unix(*s.LastMeasuredAt)))
	}
	if s.Alert.State == alert.Pending || s.Alert.State == alert.Firing {
		to = append(to, pointOf(alerts, 1, string(s.Alert.State), string(s.Alert.Severity)))
	}
	if s.State != engine.StateOK {
		return to
	}
	to = append(to, pointOf(budgetRemaining, s.Budget.RemainingRatio))
	if left, ok := soonest(s.Tiers); ok {
		to = append(to, pointOf(budgetExhaustion, unix(at)+left))
	}
	for i := range s.BurnRates {
		b := &s.BurnRates[i]
		if b.ErrorRatio != nil && b.BurnRate != nil {
			to = append(to, pointOf(errorRatio, *b.ErrorRatio, b.Window), pointOf(burnRate, *b.BurnRate, b.Window))
		}
	}
	return to
}

// soonest returns the shortest time in seconds to the exhaustion of the budget, and false if nothing burns.
func soonest(tiers []engine.Tier) (left float64, ok bool) {
	for _, t := range tiers {
		if t.ExhaustionSeconds != nil && (!ok || *t.ExhaustionSeconds < left) {
			left, ok = *t.ExhaustionSeconds, true
		}
	}
	return left, ok
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Family describes a metric, for checks of dashboards and documentation.
type Family struct {
	// Name is that of the series in Prometheus.
	Name, Description string
	Labels            []string
}

// Families returns the metrics of objectives, by their names in Prometheus.
func Families() []Family {
	list := make([]Family, len(families))
	for i, f := range families {
		list[i] = Family{f.prometheus, f.description, append([]string{"objective", "service"}, f.labels...)}
	}
	return list
}
