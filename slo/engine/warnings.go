package engine

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// warn tells at start what is odd about the configuration.
func (e *Extension) warn() {
	for _, o := range e.evaluator.objectives {
		for _, w := range o.Warnings() {
			e.settings.Logger.Warn("An objective has an odd tier", zap.String("objective", o.Name), zap.String("warning", w))
		}
	}
	for _, problem := range e.untold {
		e.settings.Logger.Warn("Alerts reach nobody: " + problem)
	}
	if e.advice != "" {
		e.settings.Logger.Info("Alerts reach nobody yet: " + e.advice)
	}
	if len(e.config.Receivers) > 0 && e.config.ExternalURL == "" {
		e.settings.Logger.Warn("Links in notifications lead to this machine's loopback address: set extensions::"+e.settings.ID.String()+
			"::external_url to where people reach the dashboard", zap.String("external_url", e.config.externalURL()))
	}
}

// untold says of which objectives nobody is told when they burn, a sentence each. Where there are no receivers at all, that is
// no problem but a setup that is not finished: the advice says what to add. An objective that never alerts is none of them, nor is one whose tickets alone reach nobody: those can be seen in
// the dashboard in time, a page cannot.
func untold(id component.ID, objectives []slo.Objective, routes []alert.Route) (problems []string, advice string) {
	for _, o := range objectives {
		severity, alerts := urgent(o)
		switch {
		case !alerts:
		case len(routes) == 0:
			return nil, fmt.Sprintf("no receiver is configured: nobody is told when an objective burns; add one under extensions::%s::receivers", id)
		case !slices.ContainsFunc(routes, func(r alert.Route) bool { return r.Wants(severity, o.Receivers) }):
			problems = append(problems, fmt.Sprintf("nobody is told of a %s of objective %s: no receiver that it names takes severity %s",
				severity, o.Name, severity))
		}
	}
	return problems, ""
}

// urgent is the most urgent severity of the objective's tiers, and false where it has none.
func urgent(o slo.Objective) (slo.Severity, bool) {
	for _, s := range []slo.Severity{slo.Page, slo.Ticket} {
		if slices.ContainsFunc(o.Tiers, func(t slo.Tier) bool { return t.Severity == s && o.Reachable(t) }) {
			return s, true
		}
	}
	return "", false
}
