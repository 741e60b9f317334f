// Package decision defines a decision about a trace, and remembers decisions for late spans.
//
// Its types are Decided (one decision, made by a shard and passed to all that follow it up), Trigger (what made it due)
// and Memory (the latest decisions; it keeps them far longer than the spans). A Memory is guarded by its shard's mutex.
package decision

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Decided is one decision about a trace.
type Decided struct {
	ID      wire.TraceID
	Hash    uint32
	Part    Part
	Verdict policy.Verdict
	Policy  int32 // the number of the deciding policy, in version.Names
	// Threshold is the 56-bit rejection threshold, tracestate.None where the trace has no weight.
	Threshold uint64
	// Random is the lowest explicit randomness of the trace's spans, tracestate.None if none has one.
	Random  uint64
	Trigger Trigger
	// Linked reports whether the trace is kept for a link although the policies did not sample it.
	Linked bool
	// Marked reports whether the trace is kept as an exemplar of an objective although the policies did not sample it.
	Marked  bool
	Version *version.Version
	// Votes are the votes by policy; nil if the policies were not asked. They are valid until the next decision.
	Votes  []policy.Vote
	Shadow Shadow
	At     clock.Monotonic
	Seen   Seen
}

// Part is the spans of a trace at log positions from From up to To: all spans at the decision, or late spans that
// gathered.
type Part struct {
	From, To spanlog.Position
	Late     bool // it came after the trace was sampled
}

// Shadow is the verdict of the shadow policies.
type Shadow struct {
	Compared bool // whether the other fields are set
	policy.Decision
}

// Seen describes the part of a trace that had arrived when it was decided.
type Seen struct {
	Spans       uint32
	Root, Error bool
	Bytes       uint64          // of span bodies
	Duration    time.Duration   // from the earliest start to the latest end
	First       clock.Monotonic // when the first span came
	Trimmed     uint32          // spans that were left out
}

// Randomness is compared with the policies' thresholds. It is explicit, or from the trace ID.
func (d *Decided) Randomness() uint64 { return tracestate.Resolve(d.ID, d.Random) }

// ByPolicies returns the verdict of the policies, without links and marks.
func (d *Decided) ByPolicies() policy.Verdict {
	if d.Linked || d.Marked {
		return policy.NotSampled
	}
	return d.Verdict
}
