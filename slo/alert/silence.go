package alert

import (
	"fmt"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// Silence says that the traffic of an objective has stopped. It makes the alert fire at once, whatever the burn rates are.
type Silence struct {
	// Since is the end of the last minute with traffic.
	Since    time.Time
	Severity slo.Severity
	// Usual is the mean interval between minutes with traffic at this hour of the week, and Phi how suspicious the silence is by
	// that, as −log10 of its probability; 0 if too little is known.
	Usual time.Duration
	Phi   float64
}

// silent returns a tier that stands for the silence if it is of the severity, or nil. An objective without tiers never alerts.
func (a *Assessment) silent(s slo.Severity) *TierState {
	if a.Silence == nil || a.Silence.Severity != s || len(a.Tiers) == 0 {
		return nil
	}
	return &TierState{Tier: slo.Tier{Severity: s}, Reachable: true, Active: true}
}

// sentence describes the silence for people.
func (s *Silence) sentence(as *Assessment) string {
	text := fmt.Sprintf("%s: no traffic since %s, for %s", as.Objective.Name, s.Since.UTC().Format(time.RFC3339), about(as.At.Sub(s.Since)))
	if s.Usual > 0 {
		text += "; at this hour of the week it usually comes every " + about(s.Usual)
		if s.Phi > 0 {
			text += fmt.Sprintf(" (φ %s)", number(s.Phi))
		}
	} else {
		text += "; before that it came every few minutes"
	}
	return text + ": " + left(as) + "."
}
