// Package decision has what a decision about a trace is, and remembers decisions for late spans.
//
// Its types are Decided (one decision, made by a shard and handed to all that follow it up), Trigger (what made it
// due) and Memory (the latest decisions, far longer than the spans are kept). A Memory is guarded by its shard's mutex.
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
	Policy  int32 // the number of what decided, in version.Names
	// Threshold is the 56-bit rejection threshold, tracestate.None where the trace has no weight.
	Threshold uint64
	// Random is the least explicit randomness of the trace's spans, tracestate.None where none has one.
	Random  uint64
	Trigger Trigger
	// Linked is set where the policies did not sample the trace, and it is kept for a trace that it is linked with.
	Linked  bool
	Version *version.Version
	// Votes are what the policies said, by policy; nil where they were not asked. They are valid until the next decision.
	Votes  []policy.Vote
	Shadow Shadow
	At     clock.Monotonic
	Seen   Seen
}

// Part is the spans of a trace whose positions in the log are from From up to To: all that there are when a trace is
// decided, or those that came later and gathered.
type Part struct {
	From, To spanlog.Position
	Late     bool // it came after the trace was sampled
}

// Shadow is what the shadow of the policies would have decided.
type Shadow struct {
	Compared bool // the other fields have a meaning
	policy.Decision
}

// Seen is what was there of a trace when it was decided.
type Seen struct {
	Spans       uint32
	Root, Error bool
	Bytes       uint64          // of span bodies
	Duration    time.Duration   // from the earliest start to the latest end
	First       clock.Monotonic // when the first span came
	Trimmed     uint32          // spans that were left out
}

// Randomness is what the thresholds of the policies are compared with: explicit, or from the trace ID.
func (d *Decided) Randomness() uint64 { return tracestate.Resolve(d.ID, d.Random) }

// ByPolicies is the verdict of the policies, links aside.
func (d *Decided) ByPolicies() policy.Verdict {
	if d.Linked {
		return policy.NotSampled
	}
	return d.Verdict
}
