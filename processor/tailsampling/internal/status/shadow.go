package status

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// ShadowStatus counts what the shadow would have kept, of the traces that began under the current version of the
// policies.
type ShadowStatus struct {
	PolicyVersion int
	Since         time.Time
	Sampled       Amount
	NotSampled    Amount
	Dropped       Amount
	Policies      []ShadowPolicyStatus
	// OnlyShadow is the amount that only the shadow would keep, OnlyReal the amount that only the real
	// policies keep.
	OnlyShadow Amount
	OnlyReal   Amount
	// Differences are the latest traces of both, the latest first.
	Differences []Difference
}

// ShadowPolicyStatus counts the traces that a policy of the shadow would have sampled or dropped; a trace counts for the policy with
// the lowest threshold.
type ShadowPolicyStatus struct {
	Name    string
	Type    string
	Sampled Amount
	Dropped Amount
}

// Difference is a trace about which the policies and their shadow differ.
type Difference struct {
	TraceID   string
	DecidedAt time.Time
	Shadow    string
	Real      string
}

// Shadow returns the shadow's decisions. It returns false without a shadow.
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
