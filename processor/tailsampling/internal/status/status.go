package status

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Status is what is buffered and what was decided. Counts are since the start.
type Status struct {
	TracesPending          int64
	OldestUndecidedSeconds float64
	Held
	Room
	Decided      Decided
	LateSpans    LateSpans
	RefusedSpans int64
	// FailedSpans are of traces that a destination refused for good.
	FailedSpans    int64
	EarlyDecisions int64
	// RevivedTraces were not sampled, and then sampled because of what came late; Decided counts them twice.
	RevivedTraces int64
	// LinkedTraces are kept for a link alone; see linked_traces.
	LinkedTraces int64
	// Storage is memory or disk.
	Storage string
	// RecoveredSpans were read back at the start. LostSpans were acknowledged and are gone: 0 unless the disk is damaged,
	// or a shutdown with storage memory could not deliver. TrimmedSpans were left out of giant traces.
	RecoveredSpans int64
	LostSpans      int64
	TrimmedSpans   int64
	Policies       []PolicyStatus
}

// Held is what is in the buffer now.
type Held struct {
	SpansBuffered int64
	BytesBuffered int64
	// TracesRevivable were not sampled, and their spans are there still; see revive_window.
	TracesRevivable   int64
	BytesRevivable    int64
	TracesUndelivered int64
}

// Room is how much there may be in the buffer, and what it takes of the disk.
type Room struct {
	MemoryBudgetBytes int64
	DiskBytes         int64
	DiskBudgetBytes   int64
	Segments          int64
}

// Decided is how many traces were decided, by verdict.
type Decided struct {
	Sampled    int64
	NotSampled int64
	Dropped    int64
}

// LateSpans is how many spans came after the decision, by what it was.
type LateSpans struct {
	Kept    int64
	Dropped int64
	// ErrorsDropped are, of Dropped, those with an error of traces that were not sampled: what a longer wait might have kept.
	ErrorsDropped int64
}

// PolicyStatus is what a policy decided. A trace that several policies would sample counts for the one with the least threshold.
type PolicyStatus struct {
	Name          string
	Type          string
	SampledTraces int64
	SampledSpans  int64
	DroppedTraces int64
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
