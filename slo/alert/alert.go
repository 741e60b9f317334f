package alert

import (
	"fmt"
	"hash/fnv"
	"maps"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// State is the state of an alert.
type State string

// The states, in the order of an alert's life.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// resolvedFor is how long a resolved alert is shown before it becomes inactive.
const resolvedFor = time.Hour

// Alert is the alert of one objective. The zero value is the inactive alert of an objective that was never assessed.
type Alert struct {
	// ID names an episode: from pending or firing to resolved.
	ID        string       `json:"id"`
	Objective string       `json:"objective"`
	Service   string       `json:"service"`
	State     State        `json:"state"`
	Severity  slo.Severity `json:"severity"`
	// Since is when the alert entered its state.
	Since time.Time `json:"since"`
	// StartsAt is when the alert began to fire, EndsAt when it resolved; zero before that.
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Summary   string    `json:"summary"`
	// Labels and Annotations are sent to receivers.
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	// LastActive is when a tier of each severity was last active, for keep_firing_for. Only a firing alert has entries.
	LastActive map[slo.Severity]time.Time `json:"last_active,omitempty"`
	// Notified holds the severity that each receiver was last notified of. A receiver that was never notified, or was notified of
	// the resolution, has no entry.
	Notified map[string]slo.Severity `json:"told,omitempty"`
	// Seq counts the calls of Notices that returned any, over all episodes. It is part of the idempotency keys.
	Seq uint64 `json:"seq"`
}

// Transition is the change that a step made to an alert.
type Transition string

// The transitions. Each but None is logged.
const (
	None      Transition = ""
	Fired     Transition = "firing"
	Escalated Transition = "escalated"
	Eased     Transition = "eased"
	Ended     Transition = "resolved"
)

// Fingerprint returns the permanent identity of an objective's alert: 16 hex digits.
func Fingerprint(objective string) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "alertname\xff%s\xffobjective\xff%s\xff", Name, objective)
	return fmt.Sprintf("%016x", h.Sum64())
}

// Step advances the alert to the time of the assessment, and returns what changed. The link to the objective's page becomes an
// annotation.
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

// idle steps an alert that no tier makes fire and that did not resolve in this step. It returns the tier that makes it pending,
// or nil.
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

// held returns the most urgent tier that keeps the alert firing, or nil: one that is active, that was active less than
// keep_firing_for ago, or, when measuring stopped, whose long window still burns. Missing measurements do not prove recovery. Nor does
// a window of which little is covered: it begins no alert, and ends none; nor a short window of which nothing was.
func (a *Alert) held(as *Assessment) *TierState {
	for _, s := range severities {
		if as.active(s) != nil || as.silent(s) != nil {
			if a.LastActive == nil {
				a.LastActive = map[slo.Severity]time.Time{}
			}
			a.LastActive[s] = as.At
		}
	}
	for _, s := range severities {
		t := as.active(s)
		if t == nil {
			t = as.silent(s)
		}
		if t == nil && !as.UnmeasuredSince.IsZero() && a.State == Firing && (a.Severity == s || a.Severity == slo.Page) {
			t = as.burningLong(s)
		}
		if t == nil && a.State == Firing && (a.Severity == s || a.Severity == slo.Page) {
			t = as.thin(s)
			if t == nil {
				t = as.unseen(s)
			}
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

// Rewind moves times after now back to now, for a clock that was set back: otherwise the alert would be held until the clock
// caught up. It reports whether it changed any.
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

// Clone returns a deep copy.
func (a Alert) Clone() Alert {
	a.Labels, a.Annotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
	a.LastActive, a.Notified = maps.Clone(a.LastActive), maps.Clone(a.Notified)
	return a
}
