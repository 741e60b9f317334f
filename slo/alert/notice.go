package alert

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/slo"
)

// Route is what a receiver wants to be told.
type Route struct {
	Receiver   string
	Severities []slo.Severity
	// SendResolved says that it wants to be told when an alert is over.
	SendResolved bool
}

// Wants reports whether the receiver is told of alerts of the severity, where the objective names receivers: none are all.
func (r Route) Wants(s slo.Severity, names []string) bool {
	return slices.Contains(r.Severities, s) && (len(names) == 0 || slices.Contains(names, r.Receiver))
}

// Notice is something that a receiver must be told.
type Notice struct {
	Receiver string
	// Kind is Fired, Escalated or Ended.
	Kind Transition
	// Severity is the alert's, or the one that is over: what the receiver was told last.
	Severity slo.Severity
}

// Notices says who must be told now, and takes it as told. It compares the alert with what each receiver was told last,
// so it also finds receivers that were configured while the alert was firing. The names are the receivers that the
// objective wants; none are all of them. A receiver without a route is forgotten: it cannot be told the end, and if it
// comes back it knows nothing.
func (a *Alert) Notices(routes []Route, names []string) []Notice {
	maps.DeleteFunc(a.Told, func(receiver string, _ slo.Severity) bool {
		return !slices.ContainsFunc(routes, func(r Route) bool { return r.Receiver == receiver })
	})
	var notices []Notice
	for _, r := range routes {
		var want slo.Severity
		if a.State == Firing && r.Wants(a.Severity, names) {
			want = a.Severity
		}
		told := a.Told[r.Receiver]
		switch {
		case want == told:
			continue
		case want == "":
			delete(a.Told, r.Receiver)
			if r.SendResolved {
				notices = append(notices, Notice{r.Receiver, Ended, told})
			}
			continue
		case told == "":
			notices = append(notices, Notice{r.Receiver, Fired, want})
		case want == slo.Page:
			notices = append(notices, Notice{r.Receiver, Escalated, want})
		}
		if a.Told == nil {
			a.Told = map[string]slo.Severity{}
		}
		a.Told[r.Receiver] = want
	}
	if len(notices) > 0 {
		a.Seq++
	}
	return notices
}
