package api

import "github.com/slowburn/slowburn/processor/tailsampling"

// SamplingStatus answers GET /api/sampling/v1/status. Counts are since the start.
type SamplingStatus struct {
	TracesPending          int64   `json:"traces_pending"`
	OldestUndecidedSeconds float64 `json:"oldest_undecided_seconds"`
	Held
	Room
	Decided        Decided   `json:"decided"`
	LateSpans      LateSpans `json:"late_spans"`
	RefusedSpans   int64     `json:"refused_spans"`
	FailedSpans    int64     `json:"failed_spans"`
	EarlyDecisions int64     `json:"early_decisions"`
	RevivedTraces  int64     `json:"revived_traces"`
	Exceptions
	Storage        string            `json:"storage"`
	RecoveredSpans int64             `json:"recovered_spans"`
	LostSpans      int64             `json:"lost_spans"`
	TrimmedSpans   int64             `json:"trimmed_spans"`
	Policies       []PolicyDecisions `json:"policies"`
}

// Exceptions counts kept traces that no policy sampled.
type Exceptions struct {
	LinkedTraces    int64 `json:"linked_traces"`
	ObjectiveTraces int64 `json:"objective_traces"`
}

// Held describes the current contents of the buffer.
type Held struct {
	SpansBuffered     int64 `json:"spans_buffered"`
	BytesBuffered     int64 `json:"bytes_buffered"`
	TracesRevivable   int64 `json:"traces_revivable"`
	BytesRevivable    int64 `json:"bytes_revivable"`
	TracesUndelivered int64 `json:"traces_undelivered"`
}

// Room describes the limits of the buffer, and its use of the disk.
type Room struct {
	MemoryBudgetBytes int64 `json:"memory_budget_bytes"`
	DiskBytes         int64 `json:"disk_bytes"`
	DiskBudgetBytes   int64 `json:"disk_budget_bytes"`
	Segments          int64 `json:"segments"`
}

// Decided counts decided traces by verdict.
type Decided struct {
	Sampled    int64 `json:"sampled"`
	NotSampled int64 `json:"not_sampled"`
	Dropped    int64 `json:"dropped"`
}

// LateSpans counts spans that arrived after the decision, by verdict.
type LateSpans struct {
	Kept          int64 `json:"kept"`
	Dropped       int64 `json:"dropped"`
	ErrorsDropped int64 `json:"errors_dropped"`
}

// PolicyDecisions counts a policy's decisions.
type PolicyDecisions struct {
	Name          string `json:"name"`
	Type          string `json:"type"`
	SampledTraces int64  `json:"sampled_traces"`
	SampledSpans  int64  `json:"sampled_spans"`
	DroppedTraces int64  `json:"dropped_traces"`
}

// Amount is an amount of traffic. Bytes is the size of the span bodies.
type Amount struct {
	Traces int64 `json:"traces"`
	Spans  int64 `json:"spans"`
	Bytes  int64 `json:"bytes"`
}

// SamplingCost answers GET /api/sampling/v1/cost.
type SamplingCost struct {
	Policies []PolicyCost  `json:"policies"`
	Services []ServiceCost `json:"services"`
}

// PolicyCost is the traffic that a policy matches, samples and drops. Percentage is nil for a policy that does not sample by chance.
type PolicyCost struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Percentage *float64 `json:"percentage,omitempty"`
	Sampled    Amount   `json:"sampled"`
	Dropped    Amount   `json:"dropped"`
	Matched    Amount   `json:"matched"`
	Alone      Amount   `json:"alone"`
}

// ServiceCost counts a service's received and kept traffic.
type ServiceCost struct {
	Service   string `json:"service"`
	SpansIn   int64  `json:"spans_in"`
	BytesIn   int64  `json:"bytes_in"`
	SpansKept int64  `json:"spans_kept"`
	BytesKept int64  `json:"bytes_kept"`
}

// SamplingStatusOf describes the buffer and the decisions.
func SamplingStatusOf(s tailsampling.Status) SamplingStatus {
	return SamplingStatus{
		TracesPending: s.TracesPending, OldestUndecidedSeconds: s.OldestUndecidedSeconds, Held: Held(s.Held), Room: Room(s.Room),
		Decided: Decided(s.Decided), LateSpans: LateSpans(s.LateSpans), RefusedSpans: s.RefusedSpans, FailedSpans: s.FailedSpans,
		EarlyDecisions: s.EarlyDecisions, RevivedTraces: s.RevivedTraces, Exceptions: Exceptions(s.Exceptions), Storage: s.Storage,
		RecoveredSpans: s.RecoveredSpans, LostSpans: s.LostSpans, TrimmedSpans: s.TrimmedSpans,
		Policies: PolicyDecisionsOf(s.Policies),
	}
}

// PolicyDecisionsOf describes the decisions of policies.
func PolicyDecisionsOf(list []tailsampling.PolicyStatus) []PolicyDecisions {
	return listOf(list, func(p tailsampling.PolicyStatus) PolicyDecisions { return PolicyDecisions(p) })
}

// SamplingCostOf describes the traffic of policies and services.
func SamplingCostOf(c tailsampling.Cost) SamplingCost {
	return SamplingCost{
		Policies: listOf(c.Policies, func(p tailsampling.PolicyCost) PolicyCost {
			return PolicyCost{p.Name, p.Type, p.Percentage, Amount(p.Sampled), Amount(p.Dropped), Amount(p.Matched), Amount(p.Alone)}
		}),
		Services: listOf(c.Services, func(s tailsampling.ServiceCost) ServiceCost { return ServiceCost(s) }),
	}
}
