package policy

import "github.com/slowburn/slowburn/processor/policy/internal/rule"

type (
	// SpanView is a span where its bytes are.
	SpanView = rule.SpanView
	// ResourceMemo remembers what was asked of resources, for SpanView.Memo.
	ResourceMemo = rule.ResourceMemo
	// Trace is what a decision is made from.
	Trace = rule.Trace
)

// Verdict is what becomes of a trace.
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

// String returns the verdict as it stands in metrics and records.
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

// None is the policy of a decision that no policy made.
const None = rule.None

// Decision says what becomes of a trace, and why.
type Decision struct {
	Verdict Verdict
	// Policy is the policy that dropped the trace, or that sampled it with the least threshold, of several the first;
	// None if it was not sampled. Policies without a weight come after the others.
	Policy int
	// Sub is the sub-policy that sampled the trace if Policy is a composite one, else None. See Set.Subs.
	Sub int
	// Threshold is the 56-bit rejection threshold that a sampled trace passed, 0 if it was sure to be sampled.
	Threshold uint64
	// Weightless says that something other than its randomness sampled the trace, so that Threshold must not be written
	// to spans.
	Weightless bool
}

// Vote is what one policy says of a trace.
type Vote struct {
	// Matched says that the trace is one that the policy is for.
	Matched bool
	// Threshold is the threshold that the trace's randomness must pass for the policy to sample it. Of a drop policy it
	// is the threshold of what it leaves: a trace that does not pass it is dropped.
	Threshold uint64
}

// Sampled reports whether the policy that voted so samples (or, of a drop policy, spares) a trace of this randomness.
func (v Vote) Sampled(randomness uint64) bool { return v.Matched && v.Threshold <= randomness }

// OtherKey is what all traces share whose key has no room in a policy's table any more.
const OtherKey = "__other__"
