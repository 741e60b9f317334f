package status

import (
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Status counts the spans and traces in the buffer, and the decisions since the start.
type Status struct {
	TracesPending          int64
	OldestUndecidedSeconds float64
	Held
	Room
	Decided      Decided
	LateSpans    LateSpans
	RefusedSpans int64
	// FailedSpans are the spans of traces that a destination refused for good.
	FailedSpans    int64
	EarlyDecisions int64
	// RevivedTraces were not sampled at first, and then sampled because of late spans; Decided counts them
	// twice.
	RevivedTraces int64
	Exceptions
	// Storage is memory or disk.
	Storage string
	// RecoveredSpans were read back at the start. LostSpans were acknowledged and lost: 0 unless the disk is damaged, or
	// a shutdown with storage memory could not deliver. TrimmedSpans were left out of giant traces.
	RecoveredSpans int64
	LostSpans      int64
	TrimmedSpans   int64
	Policies       []PolicyStatus
}

// Exceptions counts kept traces that no policy sampled.
type Exceptions struct {
	// LinkedTraces are kept only for a link; see linked_traces.
	LinkedTraces int64
	// ObjectiveTraces are kept only for a bad event of an objective; see objective_exemplars.
	ObjectiveTraces int64
}

// Held counts the contents of the buffer.
type Held struct {
	SpansBuffered int64
	BytesBuffered int64
	// TracesRevivable were not sampled, and their spans still exist; see revive_window.
	TracesRevivable   int64
	BytesRevivable    int64
	TracesUndelivered int64
}

// Room is the limits of the buffer, and the disk that it uses.
type Room struct {
	MemoryBudgetBytes int64
	DiskBytes         int64
	DiskBudgetBytes   int64
	Segments          int64
}

// Decided counts the decided traces by verdict.
type Decided struct {
	Sampled    int64
	NotSampled int64
	Dropped    int64
}

// LateSpans counts the spans that came after their trace's decision, by verdict.
type LateSpans struct {
	Kept    int64
	Dropped int64
	// ErrorsDropped are the spans of Dropped that have an error and whose trace was not sampled: a longer wait might have
	// kept them.
	ErrorsDropped int64
}

// PolicyStatus counts the decisions of a policy. A trace that several policies would sample counts for the one with the lowest
// threshold.
type PolicyStatus struct {
	Name          string
	Type          string
	SampledTraces int64
	SampledSpans  int64
	DroppedTraces int64
}

// Status returns the counts of buffered and decided traces.
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
	named := false // a policy may have the name with objective_exemplars: 0
	for i := range set.Len() {
		named = named || set.Name(i) == exemplars.PolicyName
	}
	if counts := counts[exemplars.PolicyName]; counts != nil && !named {
		out.ObjectiveTraces = counts.Decided[policy.Sampled].Traces
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

// countsByPolicy adds up the counts by policy name, a composite policy with its sub-policies.
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

// lostSpans is the number of acknowledged spans that are lost.
func (w *View) lostSpans() int64 {
	n := w.Output.Lost.Load()
	if w.Store != nil {
		n += w.Store.Lost.Load()
	}
	return n
}
