package status

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Status is what GET /api/sampling/v1/status shows. What is counted is since the start.
type Status struct {
	TracesPending          int64   `json:"traces_pending"`
	OldestUndecidedSeconds float64 `json:"oldest_undecided_seconds"`
	Held
	Room
	Decided      Decided   `json:"decided"`
	LateSpans    LateSpans `json:"late_spans"`
	RefusedSpans int64     `json:"refused_spans"`
	// FailedSpans are of traces that a destination refused for good.
	FailedSpans    int64 `json:"failed_spans"`
	EarlyDecisions int64 `json:"early_decisions"`
	// RevivedTraces were not sampled, and then sampled because of what came late; Decided counts them twice.
	RevivedTraces int64 `json:"revived_traces"`
	// LinkedTraces are kept for a link alone; see linked_traces.
	LinkedTraces int64 `json:"linked_traces"`
	// Storage is memory or disk.
	Storage string `json:"storage"`
	// RecoveredSpans were read back at the start. LostSpans were acknowledged and are gone: 0 unless the disk is damaged,
	// or a shutdown with storage memory could not deliver. TrimmedSpans were left out of giant traces.
	RecoveredSpans int64          `json:"recovered_spans"`
	LostSpans      int64          `json:"lost_spans"`
	TrimmedSpans   int64          `json:"trimmed_spans"`
	Policies       []PolicyStatus `json:"policies"`
}

// Held is what is in the buffer now.
type Held struct {
	SpansBuffered int64 `json:"spans_buffered"`
	BytesBuffered int64 `json:"bytes_buffered"`
	// TracesRevivable were not sampled, and their spans are there still; see revive_window.
	TracesRevivable   int64 `json:"traces_revivable"`
	BytesRevivable    int64 `json:"bytes_revivable"`
	TracesUndelivered int64 `json:"traces_undelivered"`
}

// Room is how much there may be in the buffer, and what it takes of the disk.
type Room struct {
	MemoryBudgetBytes int64 `json:"memory_budget_bytes"`
	DiskBytes         int64 `json:"disk_bytes"`
	DiskBudgetBytes   int64 `json:"disk_budget_bytes"`
	Segments          int64 `json:"segments"`
}

// Decided is how many traces were decided, by verdict.
type Decided struct {
	Sampled    int64 `json:"sampled"`
	NotSampled int64 `json:"not_sampled"`
	Dropped    int64 `json:"dropped"`
}

// LateSpans is how many spans came after the decision, by what it was.
type LateSpans struct {
	Kept    int64 `json:"kept"`
	Dropped int64 `json:"dropped"`
	// ErrorsDropped are, of Dropped, those with an error of traces that were not sampled: what a longer wait might have kept.
	ErrorsDropped int64 `json:"errors_dropped"`
}

// PolicyStatus is what a policy decided. A trace that several policies would sample counts for the one with the least threshold.
type PolicyStatus struct {
	Name          string `json:"name"`
	Type          string `json:"type"`
	SampledTraces int64  `json:"sampled_traces"`
	SampledSpans  int64  `json:"sampled_spans"`
	DroppedTraces int64  `json:"dropped_traces"`
}

// Status returns what is buffered and what was decided.
func (w *View) Status() Status {
	st, pool := w.Buffer.Sum(), w.Buffer.Pool
	out := Status{
		TracesPending:          st.Pending,
		OldestUndecidedSeconds: w.Buffer.OldestAge().Seconds(),
		Held: Held{
			SpansBuffered: st.Spans, BytesBuffered: pool.Used(), TracesRevivable: st.Revivable,
			BytesRevivable: st.RevivableBytes, TracesUndelivered: st.Undelivered,
		},
		Room: Room{
			MemoryBudgetBytes: pool.Limit(), DiskBytes: pool.Disk(), DiskBudgetBytes: pool.DiskLimit(),
			Segments: int64(w.Buffer.Usage().Segments),
		},
		Decided: Decided{
			Sampled:    st.Verdict(policy.Sampled),
			NotSampled: st.Verdict(policy.NotSampled),
			Dropped:    st.Verdict(policy.Dropped),
		},
		LateSpans:      LateSpans{Kept: st.LateKept, Dropped: st.LateDropped, ErrorsDropped: st.LateErrors},
		RefusedSpans:   w.Refusals.All(),
		FailedSpans:    w.Output.RefusedSpans(),
		EarlyDecisions: st.Early(),
		RevivedTraces:  st.Triggers[decision.ByRevival],
		Storage:        w.storage(),
		LostSpans:      w.lostSpans(),
		TrimmedSpans:   st.Trimmed,
	}
	if w.Store != nil {
		out.RecoveredSpans = w.Store.Spans.Load()
	}
	counts, set := w.countsByPolicy(&st), w.Versions.Current().Set
	if counts := counts[linked.PolicyName]; counts != nil && w.Buffer.Limits.Ties > 0 {
		out.LinkedTraces = counts.Decided[policy.Sampled].Traces
	}
	out.Policies = make([]PolicyStatus, set.Len())
	for i := range out.Policies {
		status := PolicyStatus{Name: set.Name(i), Type: string(set.Type(i))}
		if counted := counts[status.Name]; counted != nil {
			sampled := counted.Decided[policy.Sampled]
			status.SampledTraces, status.SampledSpans = sampled.Traces, sampled.Spans
			status.DroppedTraces = counted.Decided[policy.Dropped].Traces
		}
		out.Policies[i] = status
	}
	return out
}

func (w *View) storage() string {
	if w.Store == nil {
		return "memory"
	}
	return "disk"
}

// countsByPolicy adds up what was counted by the names of policies, those of composite ones with their sub-policies.
func (w *View) countsByPolicy(st *tally.Stats) map[string]*tally.ByPolicy {
	counts := map[string]*tally.ByPolicy{}
	for number := range st.Policies {
		name := w.Versions.Names.Of(int32(number)).Policy
		if counts[name] == nil {
			counts[name] = new(tally.ByPolicy)
		}
		counts[name].Add(&st.Policies[number])
	}
	return counts
}

// lostSpans is how many spans were acknowledged and are gone.
func (w *View) lostSpans() int64 {
	n := w.Output.Lost.Load()
	if w.Store != nil {
		n += w.Store.Lost.Load()
	}
	return n
}
