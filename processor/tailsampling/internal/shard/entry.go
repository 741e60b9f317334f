package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// entry is what a shard knows of a trace, or of a late part of one. It holds no pointer.
type entry struct {
	index.Node
	part       decision.Part // its spans, of those of the trace; the end is set when it is decided
	chain      spanlog.Chain
	span       span
	random     uint64             // the least explicit randomness, or tracestate.None
	threshold  uint64             // once decided; tracestate.None where the trace has no weight that could be told
	bytes      uint64             // of span bodies
	arrived    clock.Monotonic    // when the first span came, or of a late part its first
	quiet      clock.Monotonic    // when it last went to the end of the quiet list
	notSampled clock.Monotonic    // when it was not sampled
	spans      uint32             // in the log
	held       uint32             // of these, that came since it was not sampled
	policy     int32              // once decided: the number of what did it, in version.Names
	state      state              //
	generation version.Generation // until it is decided for good
	delivery   delivery
}

// span is the time that the spans of a trace cover: the earliest start and the latest end of those that have both, in
// nanoseconds since 1970; 0 where none has.
type span struct{ start, end uint64 }

// delivery is how far the delivery of an entry is.
type delivery struct {
	tries     uint8 // that failed to read it back
	attempted bool  // the journal knows that the next component was about to get it
}

type (
	slot    = index.Slot
	entries = index.Index[entry, *entry]
	list    = index.List[entry, *entry]
)

// state is where an entry is on its way; see the package comment for how it changes.
type state uint8

const (
	statePending   state = iota // waits for a decision
	stateRooted                 // so too, and has its root span
	stateRevivable              // was not sampled, and stays in case that what comes late changes that
	stateGathering              // late spans of a sampled trace gather
	stateReady                  // sampled, waits for delivery or is with an emitter
	stateGone                   // not in use
)

// undecided reports whether an entry waits for its decision.
func (e *entry) undecided() bool { return e.state == statePending || e.state == stateRooted }

// observe adds what decisions need to know of a span, policies aside.
func (e *entry) observe(v *policy.SpanView) {
	if s := v.Span; s.Start != 0 && s.End != 0 {
		if e.span.start == 0 || s.Start < e.span.start {
			e.span.start = s.Start
		}
		e.span.end = max(e.span.end, s.End)
	}
	if state := v.TraceState(); len(state) > 0 {
		e.random = min(e.random, tracestate.Parse(state).Randomness)
	}
}
