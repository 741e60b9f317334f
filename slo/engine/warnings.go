package engine

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// warn logs oddities of the configuration, at start.
func (e *Extension) warn() {
	for _, w := range e.config.Warnings() {
		e.settings.Logger.Warn(w)
	}
	if e.advice != "" {
		e.settings.Logger.Info("alerts reach nobody yet: " + e.advice)
	}
}

// Warnings returns oddities of a valid configuration. Start logs the same.
func (c *Config) Warnings() (warnings []string) {
	objectives, err := c.load()
	if err != nil {
		return nil // it is not valid
	}
	for _, o := range objectives {
		for _, w := range o.Warnings() {
			warnings = append(warnings, fmt.Sprintf("objective %s has an odd tier: %s", o.Name, w))
		}
	}
	problems, _ := unnotified(component.ID{}, objectives, c.routes())
	for _, problem := range problems {
		warnings = append(warnings, "alerts reach nobody: "+problem)
	}
	if len(c.Receivers) > 0 && c.ExternalURL == "" {
		warnings = append(warnings, "links in notifications lead to this machine's loopback address, "+c.externalURL()+
			": set external_url to where people reach the dashboard")
	}
	return warnings
}

// unnotified returns a sentence for each objective whose alerts reach nobody. Without any receiver that is no problem but an
// unfinished setup, and the advice says what to add. Objectives that never alert are left out, and so are those with a page
// tier whose tickets alone reach nobody: the dashboard shows tickets in time, but not pages.
func unnotified(id component.ID, objectives []slo.Objective, routes []alert.Route) (problems []string, advice string) {
	for _, o := range objectives {
		severity, alerts := urgent(o)
		switch {
		case !alerts:
		case len(routes) == 0:
			return nil, fmt.Sprintf("no receiver is configured: nobody is told when an objective burns; add one under extensions::%s::receivers", id)
		case !slices.ContainsFunc(routes, func(r alert.Route) bool { return r.Matches(severity, o.Receivers) }):
			problems = append(problems, fmt.Sprintf("nobody is told of a %s of objective %s: no receiver that it names takes severity %s",
				severity, o.Name, severity))
		}
	}
	return problems, ""
}

// urgent returns the most urgent severity of the objective's reachable tiers, and false if it has none.
func urgent(o slo.Objective) (slo.Severity, bool) {
	for _, s := range []slo.Severity{slo.Page, slo.Ticket} {
		if slices.ContainsFunc(o.Tiers, func(t slo.Tier) bool { return t.Severity == s && o.Reachable(t) }) {
			return s, true
		}
	}
	return "", false
}
