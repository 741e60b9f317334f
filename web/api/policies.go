package api

import (
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// PolicyInfo names a policy.
type PolicyInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Policies answers GET /api/sampling/v1/policies, and POST /policies/reload and /shadow/promote.
type Policies struct {
	Version      int          `json:"version"`
	Since        time.Time    `json:"since"`
	Policies     []PolicyInfo `json:"policies"`
	Shadow       []PolicyInfo `json:"shadow,omitempty"`
	Promoted     bool         `json:"promoted"`
	Note         string       `json:"note,omitempty"` // how to make a promotion permanent
	NeedsRestart []string     `json:"needs_restart,omitempty"`
	LastError    *ReloadError `json:"last_error,omitempty"`
}

// ReloadError is a reload that failed.
type ReloadError struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
}

// Shadow answers GET /api/sampling/v1/shadow.
type Shadow struct {
	PolicyVersion int            `json:"policy_version"`
	Since         time.Time      `json:"since"`
	Sampled       Amount         `json:"sampled"`
	NotSampled    Amount         `json:"not_sampled"`
	Dropped       Amount         `json:"dropped"`
	Policies      []ShadowPolicy `json:"policies"`
	OnlyShadow    Amount         `json:"only_shadow"`
	OnlyReal      Amount         `json:"only_real"`
	Differences   []Difference   `json:"differences"`
}

// ShadowPolicy counts the traces that a policy of the shadow would have sampled or dropped.
type ShadowPolicy struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Sampled Amount `json:"sampled"`
	Dropped Amount `json:"dropped"`
}

// Difference is a trace that either the shadow or the real policies would keep, but not both.
type Difference struct {
	TraceID   string    `json:"trace_id"`
	DecidedAt time.Time `json:"decided_at"`
	Shadow    string    `json:"shadow"`
	Real      string    `json:"real"`
}

// PoliciesOf describes the current policies.
func PoliciesOf(p tailsampling.Policies) Policies {
	return Policies{
		Version: p.Version, Since: p.Since, Policies: infosOf(p.Policies), Shadow: infosOf(p.Shadow),
		Promoted: p.Promoted, NeedsRestart: p.NeedsRestart, LastError: (*ReloadError)(p.LastError),
	}
}

func infosOf(list []tailsampling.PolicyInfo) []PolicyInfo {
	return listOf(list, func(p tailsampling.PolicyInfo) PolicyInfo { return PolicyInfo(p) })
}

// ShadowOf describes the decisions of the shadow's policies.
func ShadowOf(s tailsampling.ShadowStatus) Shadow {
	return Shadow{
		PolicyVersion: s.PolicyVersion, Since: s.Since,
		Sampled: Amount(s.Sampled), NotSampled: Amount(s.NotSampled), Dropped: Amount(s.Dropped),
		Policies: listOf(s.Policies, func(p tailsampling.ShadowPolicyStatus) ShadowPolicy {
			return ShadowPolicy{p.Name, p.Type, Amount(p.Sampled), Amount(p.Dropped)}
		}),
		OnlyShadow: Amount(s.OnlyShadow), OnlyReal: Amount(s.OnlyReal),
		Differences: listOf(s.Differences, func(d tailsampling.Difference) Difference { return Difference(d) }),
	}
}
