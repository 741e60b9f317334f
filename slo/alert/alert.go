package alert

import (
	"fmt"
	"hash/fnv"
	"maps"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// State is where an alert stands.
type State string

// The states, in the order of an alert's life.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// resolvedFor is how long an alert that resolved is shown as such.
const resolvedFor = time.Hour

// Alert is the alert of one objective. The zero value is the inactive alert of an objective that was never assessed.
type Alert struct {
	// ID names an episode: from pending or firing to resolved.
	ID        string       `json:"id"`
	Objective string       `json:"objective"`
	Service   string       `json:"service"`
	State     State        `json:"state"`
	Severity  slo.Severity `json:"severity"`
	// Since is when the alert came to its state.
	Since time.Time `json:"since"`
	// StartsAt is when it began to fire, EndsAt when it resolved. Zero where it has not.
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Summary   string    `json:"summary"`
	// Labels and Annotations are the ones that receivers get.
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	// LastActive is when tiers of each severity were active last, for keep_firing_for.
	// It is empty but for a firing alert.
	LastActive map[slo.Severity]time.Time `json:"last_active,omitempty"`
	// Told is the severity that each receiver was told last. Who is not in it was told nothing, or of the resolution.
	Told map[string]slo.Severity `json:"told,omitempty"`
	// Seq counts the times that somebody had to be told, over all episodes: it is part of the idempotency keys.
	Seq uint64 `json:"seq"`
}

// Transition is what a step did to an alert.
type Transition string

// The transitions. Only these are worth a log line; None is the rule.
const (
	None      Transition = ""
	Fired     Transition = "firing"
	Escalated Transition = "escalated"
	Eased     Transition = "eased"
	Ended     Transition = "resolved"
)

// Fingerprint identifies the alert of an objective for good: 16 hex digits.
func Fingerprint(objective string) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "alertname\xff%s\xffobjective\xff%s\xff", Name, objective)
	return fmt.Sprintf("%016x", h.Sum64())
}

// Step takes the alert to the time of the assessment. The link leads to the objective's page and becomes an annotation.
func (a *Alert) Step(as Assessment, link string) Transition {
	o := as.Objective
	a.Objective, a.Service, a.UpdatedAt = o.Name, o.Service, as.At
	if a.State == "" {
		a.enter(Inactive, as.At)
	}
	transition := None
	tier := a.held(&as)
	switch {
	case tier != nil && a.State != Firing:
		if a.State != Pending {
			a.begin(as.At)
		}
		a.enter(Firing, as.At)
		a.StartsAt, a.EndsAt, a.Severity = as.At, time.Time{}, tier.Severity
		transition = Fired
	case tier != nil && tier.Severity != a.Severity:
		transition = Eased
		if tier.Severity == slo.Page {
			transition = Escalated
		}
		a.Severity = tier.Severity
	case tier == nil && a.State == Firing:
		a.enter(Resolved, as.At)
		a.EndsAt, a.LastActive = as.At, nil
		transition = Ended
	case tier == nil:
		tier = a.idle(&as)
	}
	a.describe(&as, tier, link)
	return transition
}

// idle steps an alert that neither fires nor fired a moment ago, and returns the tier that keeps it pending.
func (a *Alert) idle(as *Assessment) *TierState {
	tier := as.pending()
	switch {
	case tier != nil && a.State != Pending:
		a.begin(as.At)
		a.enter(Pending, as.At)
		a.Severity = tier.Severity
	case tier != nil:
		a.Severity = tier.Severity
	case a.State == Pending, a.State == Resolved && as.At.Sub(a.Since) >= resolvedFor:
		a.enter(Inactive, as.At)
		a.Severity = ""
	}
	return tier
}

// held is the most urgent tier that is active, or that counts as such because it was until a moment ago, or because it was when
// measuring stopped: that no bad events are measured then does not say that there are none.
func (a *Alert) held(as *Assessment) *TierState {
	for _, s := range severities {
		if as.active(s) != nil {
			if a.LastActive == nil {
				a.LastActive = map[slo.Severity]time.Time{}
			}
			a.LastActive[s] = as.At
		}
	}
	for _, s := range severities {
		t := as.active(s)
		if t == nil && !as.UnmeasuredSince.IsZero() && a.State == Firing && (a.Severity == s || a.Severity == slo.Page) {
			t = as.burningLong(s)
		}
		if last, ok := a.LastActive[s]; t == nil && ok && as.At.Sub(last) < as.Objective.KeepFiringFor {
			t = as.first(func(t *TierState) bool { return t.Severity == s })
		}
		if t != nil {
			return t
		}
	}
	return nil
}

// begin starts an episode.
func (a *Alert) begin(at time.Time) {
	a.ID = fmt.Sprintf("%s-%d", Fingerprint(a.Objective), at.Unix())
	a.StartsAt, a.EndsAt = time.Time{}, time.Time{}
}

func (a *Alert) enter(s State, at time.Time) { a.State, a.Since = s, at }

// Close resolves the alert of an objective that is no longer configured, and reports whether it was firing.
func (a *Alert) Close(at time.Time) bool {
	if a.State != Firing {
		return false
	}
	a.enter(Resolved, at)
	a.EndsAt, a.UpdatedAt, a.LastActive = at, at, nil
	a.Summary = a.Objective + " is no longer configured, so its alert was resolved."
	if a.Annotations == nil {
		a.Annotations = map[string]string{}
	}
	a.Annotations[annotationSummary] = a.Summary
	return true
}

// Rewind brings times after the given one back to it, where the clock was set back, so that nothing is held until the
// clock has caught up. It reports whether it changed any.
func (a *Alert) Rewind(now time.Time) (changed bool) {
	if a.Since.After(now) {
		a.Since, changed = now, true
	}
	for s, at := range a.LastActive {
		if at.After(now) {
			a.LastActive[s], changed = now, true
		}
	}
	return changed
}

// Clone is a copy that shares nothing with the alert.
func (a Alert) Clone() Alert {
	a.Labels, a.Annotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
	a.LastActive, a.Told = maps.Clone(a.LastActive), maps.Clone(a.Told)
	return a
}
