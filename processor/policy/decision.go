package policy

import "github.com/slowburn/slowburn/processor/policy/internal/rule"

type (
	// SpanView is a span in its encoded form.
	SpanView = rule.SpanView
	// ResourceMemo caches attributes of resources, for SpanView.Memo.
	ResourceMemo = rule.ResourceMemo
	// Trace is the evidence for a decision.
	Trace = rule.Trace
)

// Verdict is the outcome of a decision.
type Verdict uint8

// The verdicts.
const (
	// NotSampled: no policy wants the trace.
	NotSampled Verdict = iota
	// Sampled: at least one policy does, and none drops it.
	Sampled
	// Dropped: a drop policy names it.
	Dropped
)

// String returns the verdict's name in metrics and records.
func (v Verdict) String() string {
	switch v {
	case Sampled:
		return "sampled"
	case Dropped:
		return "dropped"
	default:
		return "not_sampled"
	}
}

// None stands for no policy.
const None = rule.None

// Decision is a verdict on a trace, with its reason.
type Decision struct {
	Verdict Verdict
	// Policy is the policy that dropped the trace, or that sampled it with the lowest threshold, the first of
	// several; None if it was not sampled. Policies without a weight come after the others.
	Policy int
	// Sub is the sub-policy that sampled the trace if Policy is a composite one, else None. See Set.Subs.
	Sub int
	// Threshold is the 56-bit rejection threshold that a sampled trace passed, 0 if it was sure to be sampled.
	Threshold uint64
	// Weightless reports whether something other than its randomness sampled the trace, so that Threshold must not be
	// written to spans.
	Weightless bool
}

// Vote is the vote of one policy on a trace.
type Vote struct {
	// Matched reports whether the policy is for the trace.
	Matched bool
	// Threshold is the lowest randomness with which the policy samples the trace. A drop policy drops the traces below
	// it.
	Threshold uint64
}

// Sampled reports whether a policy with this vote samples (or, of type drop, spares) a trace of this randomness.
func (v Vote) Sampled(randomness uint64) bool { return v.Matched && v.Threshold <= randomness }

// OtherKey stands for all keys that have no room in a policy's table.
const OtherKey = "__other__"
