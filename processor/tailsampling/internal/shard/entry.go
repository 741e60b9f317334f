package shard

import (
	"math"
	"time"
	"unsafe"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// entry is the state of a trace, or of a late part of one. It holds no pointer.
type entry struct {
	index.Node
	chain spanlog.Chain
	positions
	span      extent
	random    uint64 // the least explicit randomness, or tracestate.None
	threshold uint64 // once decided; tracestate.None where the trace has no weight
	bytes     uint64 // of span bodies
	times
	counts
	policy     int32 // once decided: the number of what did it, in version.Names
	state      state
	late       bool               // it is a part that came after its trace was sampled
	revived    bool               // it was not sampled at first, and a late span changed that
	vouched    bool               // a span says how random it is: by W3C's random flag, an rv, or the th of a sampler before
	generation version.Generation // until it is decided for good
	outbox.Place
}

// entrySize is what an entry takes in bytes.
const entrySize = int(unsafe.Sizeof(entry{}))

// counts are those of the spans of an entry.
type counts struct {
	spans      uint32 // in the log
	lateSpans  uint32 // of these, that came since it was not sampled
	lateErrors uint32 // of these, with an error
	trimmed    uint32 // left out
}

// positions are those of the entry's spans in the log: from the first on, up to where the log was when it was decided.
type positions struct{ from, to spanlog.Position }

// times are when what happened to an entry.
type times struct {
	arrived    clock.Monotonic // its first span came
	quietSince clock.Monotonic // it last went to the end of the quiet list
	decidedAt  clock.Monotonic // it was decided last; a late part: the trace was, and once it is kept, it had gathered
}

// part is the entry as a part of its trace.
func (e *entry) part() decision.Part { return decision.Part{From: e.from, To: e.to, Late: e.late} }

// Amount is what of the entry counts in the backlogs of destinations.
func (e *entry) Amount() outbox.Amount {
	return outbox.Amount{Traces: 1, Spans: int64(e.spans), Bytes: int64(e.bytes)}
}

// extent is the time that the spans of a trace cover: the earliest start and the latest end of those that have both, in
// nanoseconds since 1970; 0 where none has.
type extent struct{ start, end uint64 }

// duration is 0 where the end is before the start, and at most what a time.Duration can hold.
func (x extent) duration() time.Duration {
	if x.end < x.start {
		return 0
	}
	return time.Duration(min(x.end-x.start, math.MaxInt64))
}

type (
	slot        = index.Slot
	entries     = index.Index[entry, *entry]
	list        = index.List[entry, *entry]
	undelivered = outbox.Outbox[entry, *entry]
)

// state is where an entry is on its way; see the package comment for how it changes.
type state uint8

const (
	statePending   state = iota // waits for a decision
	stateRooted                 // so too, and has its root span
	stateRevivable              // was not sampled, and stays in case that late spans change that
	stateGathering              // late spans of a sampled trace gather
	stateKept                   // sampled, and some destination has not got it
	stateGone                   // not in use
)

// undecided reports whether an entry waits for its decision.
func (e *entry) undecided() bool { return e.state == statePending || e.state == stateRooted }

// observe adds what decisions need of a span, policies aside.
func (e *entry) observe(v *policy.SpanView) {
	if s := v.Span; s.Start != 0 && s.End != 0 {
		if e.span.start == 0 || s.Start < e.span.start {
			e.span.start = s.Start
		}
		e.span.end = max(e.span.end, s.End)
	}
	e.vouched = e.vouched || v.Span.Flags&wire.FlagRandom != 0
	if state := v.TraceState(); len(state) > 0 {
		said := tracestate.Parse(state)
		e.random = min(e.random, said.Randomness)
		e.vouched = e.vouched || said.Randomness != tracestate.None || said.Threshold != tracestate.None
	}
}
