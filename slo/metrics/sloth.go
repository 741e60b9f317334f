package metrics

import (
	"cmp"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
)

// The families that Sloth's recording rules give, and the alerts of its alerting rules. The error ratio has a family for each window.
var (
	slothObjective = slothFamily("slo:objective:ratio", "Promised share of good events.")
	slothBudget    = slothFamily("slo:error_budget:ratio", "Allowed share of bad events.")
	slothDays      = slothFamily("slo:time_period:days", "Window of the objective.")
	slothCurrent   = slothFamily("slo:current_burn_rate:ratio", "Burn rate over the shortest window.")
	slothPeriod    = slothFamily("slo:period_burn_rate:ratio", "Burn rate over the objective's window.")
	slothRemaining = slothFamily("slo:period_error_budget_remaining:ratio", "Share of the error budget that is left.")
	slothInfo      = slothFamily("sloth_slo_info", "1, with where the objective is from.",
		"sloth_mode", "sloth_objective", "sloth_spec")
	slothAlerts = slothFamily("ALERTS", "1 for an alert that is pending or firing.",
		"alertname", "alertstate", "sloth_severity")
)

func slothFamily(name, description string, labels ...string) *family {
	return &family{name: name, prometheus: name, description: description, labels: labels, sloth: true}
}

// slothErrors are the families of the error ratio, by window.
type slothErrors map[string]*family

// of returns the family of the error ratio over a window, which is written as Prometheus does: 28d is 4w.
func (e slothErrors) of(window string) *family {
	f, ok := e[window]
	if !ok {
		f = slothFamily("slo:sli_error:ratio_rate"+window, "Share of bad events.", "sloth_window")
		e[window] = f
	}
	return f
}

// points appends the points of an objective under Sloth's names. Sloth has no state: without figures nothing but the definition is left.
func (e slothErrors) points(to []point, s *engine.Status) []point {
	to = append(to,
		pointOf(slothObjective, s.Target),
		pointOf(slothBudget, 1-s.Target),
		pointOf(slothDays, float64(s.WindowSeconds)/86400),
		pointOf(slothInfo, 1, "slowburn", strconv.FormatFloat(100*s.Target, 'g', 12, 64), "slowburn"))
	if s.Alert.State == alert.Pending || s.Alert.State == alert.Firing {
		to = append(to, pointOf(slothAlerts, 1, alert.Name, string(s.Alert.State), string(s.Alert.Severity)))
	}
	if s.State != engine.StateOK {
		return to
	}
	to = append(to, pointOf(slothRemaining, s.Budget.RemainingRatio))
	var shortest int64
	var current float64
	for i := range s.BurnRates {
		b := &s.BurnRates[i]
		if b.ErrorRatio == nil || b.BurnRate == nil {
			continue
		}
		window := model.Duration(time.Duration(b.WindowSeconds) * time.Second).String()
		to = append(to, pointOf(e.of(window), *b.ErrorRatio, window))
		if b.WindowSeconds == s.WindowSeconds {
			to = append(to, pointOf(slothPeriod, *b.BurnRate))
		}
		if shortest == 0 || b.WindowSeconds < shortest {
			shortest, current = b.WindowSeconds, *b.BurnRate
		}
	}
	if shortest > 0 && shortest == shortestOf(s.BurnRates) { // an older burn rate is none of now
		to = append(to, pointOf(slothCurrent, current))
	}
	return to
}

func shortestOf(rates []engine.BurnRate) (shortest int64) {
	for i := range rates {
		if shortest == 0 || rates[i].WindowSeconds < shortest {
			shortest = rates[i].WindowSeconds
		}
	}
	return shortest
}

// everyService is the service of an objective about all of them: Sloth's dashboards need one.
const everyService = "all"

// slothIdentity sets the labels that tell Sloth's objectives apart.
func slothIdentity(to pcommon.Map, s *engine.Status) {
	service := cmp.Or(s.Service, everyService)
	to.PutStr("sloth_id", service+"-"+s.Name)
	to.PutStr("sloth_service", service)
	to.PutStr("sloth_slo", s.Name)
}
