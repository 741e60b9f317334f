package api

import (
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// Decision answers GET /api/sampling/v1/decisions/{trace_id}.
type Decision struct {
	TraceID         string        `json:"trace_id"`
	State           string        `json:"state"`
	Verdict         string        `json:"verdict"`
	Policy          string        `json:"policy,omitempty"`
	CompositePolicy string        `json:"composite_policy,omitempty"`
	LinkedTraceID   string        `json:"linked_trace_id,omitempty"`
	PolicyVersion   int           `json:"policy_version"`
	FirstSpanAt     *time.Time    `json:"first_span_at"`
	DecidedAt       *time.Time    `json:"decided_at"`
	Trigger         string        `json:"trigger"`
	Reason          string        `json:"reason"`
	Early           bool          `json:"early"`
	Completeness    *Completeness `json:"completeness"`
	Weight
	Votes  []PolicyVote   `json:"votes"`
	Shadow *ShadowVerdict `json:"shadow,omitempty"`
}

// Weight describes the threshold and randomness of a trace, and how many traces it stands for.
type Weight struct {
	Threshold     string  `json:"threshold,omitempty"`
	Randomness    string  `json:"randomness"`
	AdjustedCount float64 `json:"adjusted_count,omitempty"`
}

// Completeness describes how much of a trace had arrived when it was decided.
type Completeness struct {
	RootSeen        bool    `json:"root_seen"`
	Errors          bool    `json:"errors"`
	Spans           int64   `json:"spans"`
	Bytes           int64   `json:"bytes"`
	LateSpans       int64   `json:"late_spans"`
	DurationSeconds float64 `json:"duration_seconds"`
}

// PolicyVote is the vote of one policy.
type PolicyVote struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Matched bool   `json:"matched"`
	Acted   bool   `json:"acted"`
}

// ShadowVerdict is the verdict of the shadow's policies.
type ShadowVerdict struct {
	Verdict string `json:"verdict"`
	Policy  string `json:"policy,omitempty"`
}

// DecisionOf describes the decision of a trace in tailsampling.StateDecided.
func DecisionOf(e tailsampling.Explanation) Decision {
	return Decision{
		TraceID: e.TraceID, State: e.State, Verdict: e.Verdict, Policy: e.Policy, CompositePolicy: e.CompositePolicy,
		LinkedTraceID: e.LinkedTraceID, PolicyVersion: e.PolicyVersion, FirstSpanAt: e.FirstSpanAt, DecidedAt: e.DecidedAt,
		Trigger: e.Trigger, Reason: e.Reason, Early: e.Early, Completeness: (*Completeness)(e.Complete), Weight: Weight(e.Weight),
		Votes:  listOf(e.Votes, func(v tailsampling.PolicyVote) PolicyVote { return PolicyVote(v) }),
		Shadow: (*ShadowVerdict)(e.Shadow),
	}
}

// DecisionsOf describes decisions.
func DecisionsOf(list []tailsampling.Explanation) []Decision { return listOf(list, DecisionOf) }
