package alert

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/slo"
)

// Route selects the alerts that a receiver is notified of.
type Route struct {
	Receiver   string
	Severities []slo.Severity
	// SendResolved also notifies the receiver when an alert is over.
	SendResolved bool
}

// Matches reports whether the receiver is notified of alerts of the severity. names are the receivers that the objective names;
// empty means all.
func (r Route) Matches(s slo.Severity, names []string) bool {
	return slices.Contains(r.Severities, s) && (len(names) == 0 || slices.Contains(names, r.Receiver))
}

// Notice is one notification that is due to a receiver.
type Notice struct {
	Receiver string
	// Kind is Fired, Escalated or Ended.
	Kind Transition
	// Severity is the alert's. For Ended it is the severity that the receiver was last notified of.
	Severity slo.Severity
}

// Notices returns the notices that are due now, and records them as sent. It compares the alert with what each receiver was
// last notified of, so a receiver that was configured while the alert fires gets one too. names are the receivers that the
// objective names; empty means all. The state of a receiver without a route is dropped: it cannot be notified of the end, and
// starts afresh when it comes back.
func (a *Alert) Notices(routes []Route, names []string) []Notice {
	maps.DeleteFunc(a.Notified, func(receiver string, _ slo.Severity) bool {
		return !slices.ContainsFunc(routes, func(r Route) bool { return r.Receiver == receiver })
	})
	var notices []Notice
	for _, r := range routes {
		var want slo.Severity
		if a.State == Firing && r.Matches(a.Severity, names) {
			want = a.Severity
		}
		told := a.Notified[r.Receiver]
		switch {
		case want == told:
			continue
		case want == "":
			delete(a.Notified, r.Receiver)
			if r.SendResolved {
				notices = append(notices, Notice{r.Receiver, Ended, told})
			}
			continue
		case told == "":
			notices = append(notices, Notice{r.Receiver, Fired, want})
		case want == slo.Page:
			notices = append(notices, Notice{r.Receiver, Escalated, want})
		}
		if a.Notified == nil {
			a.Notified = map[string]slo.Severity{}
		}
		a.Notified[r.Receiver] = want
	}
	if len(notices) > 0 {
		a.Seq++
	}
	return notices
}
