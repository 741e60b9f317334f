package status

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// ShadowStatus is what the shadow would have kept of the traces that began under the current version of the policies.
type ShadowStatus struct {
	PolicyVersion int                  `json:"policy_version"`
	Since         time.Time            `json:"since"`
	Sampled       Amount               `json:"sampled"`
	NotSampled    Amount               `json:"not_sampled"`
	Dropped       Amount               `json:"dropped"`
	Policies      []ShadowPolicyStatus `json:"policies"`
	// OnlyShadow is what only the shadow would keep, OnlyReal what only the real policies keep.
	OnlyShadow Amount `json:"only_shadow"`
	OnlyReal   Amount `json:"only_real"`
	// Differences are the latest of both, the latest first.
	Differences []Difference `json:"differences"`
}

// ShadowPolicyStatus is what a policy of the shadow would have sampled or dropped; a trace counts for the one with the least threshold.
type ShadowPolicyStatus struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Sampled Amount `json:"sampled"`
	Dropped Amount `json:"dropped"`
}

// Difference is a trace that only one of the two would keep.
type Difference struct {
	TraceID   string    `json:"trace_id"`
	DecidedAt time.Time `json:"decided_at"`
	Shadow    string    `json:"shadow"`
	Real      string    `json:"real"`
}

// Shadow returns what the shadow would have decided, and false if there is none.
func (w *View) Shadow() (ShadowStatus, bool) {
	v := w.Versions.Current()
	if v.Shadow == nil {
		return ShadowStatus{}, false
	}
	var all tally.Shadow
	for m := range w.Buffer.Locked() {
		if s := &m.Tally().Shadow; s.Version == v {
			all.Add(s)
		}
	}
	out := ShadowStatus{
		PolicyVersion: v.Number, Since: v.Since,
		Sampled: all.Decided[policy.Sampled], NotSampled: all.Decided[policy.NotSampled], Dropped: all.Decided[policy.Dropped],
		Policies:   make([]ShadowPolicyStatus, v.Shadow.Len()),
		OnlyShadow: all.OnlyShadow, OnlyReal: all.OnlyReal,
		Differences: []Difference{},
	}
	for i := range out.Policies {
		status := ShadowPolicyStatus{Name: v.Shadow.Name(i), Type: string(v.Shadow.Type(i))}
		if i < len(all.Policies) {
			status.Sampled, status.Dropped = all.Policies[i].Sampled, all.Policies[i].Dropped
		}
		out.Policies[i] = status
	}
	for _, d := range all.Differences() {
		out.Differences = append(out.Differences, Difference{d.ID.String(), *w.believed(d.At), d.Shadow.String(), d.Real.String()})
	}
	return out, true
}
