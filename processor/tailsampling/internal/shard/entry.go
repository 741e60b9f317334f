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

// entry is a trace, or a late part of one. It holds no pointer.
type entry struct {
	index.Node
	chain spanlog.Chain
	positions
	span      extent
	random    uint64 // the lowest explicit randomness, or tracestate.None
	threshold uint64 // once decided; tracestate.None if the trace has no weight
	bytes     uint64 // of span bodies
	times
	counts
	policy     int32 // once decided: the number of the deciding policy, in version.Names
	state      state
	late       bool               // it is a late part of a sampled trace
	revived    bool               // a late span made the policies sample it
	vouched    bool               // a span has W3C's random flag, an rv or a th, so the ID's randomness is not checked
	generation version.Generation // until it is decided for good
	outbox.Place
}

// entrySize is the size of an entry in bytes.
const entrySize = int(unsafe.Sizeof(entry{}))

// counts counts the spans of an entry.
type counts struct {
	spans      uint32 // in the log
	lateSpans  uint32 // of these, those that came after it was not sampled
	lateErrors uint32 // of these, with an error
	trimmed    uint32 // left out
}

// positions is the range of the entry's spans in the log: from the first one to the end of the log at the decision.
type positions struct{ from, to spanlog.Position }

// times are the instants of an entry's events.
type times struct {
	arrived    clock.Monotonic // arrival of the first span
	quietSince clock.Monotonic // last move to the end of the quiet list
	decidedAt  clock.Monotonic // the last decision; of a late part the trace's, or once it is kept, when it was complete
}

// part returns the entry's part of its trace.
func (e *entry) part() decision.Part { return decision.Part{From: e.from, To: e.to, Late: e.late} }

// Amount is the entry's part in the backlogs of destinations.
func (e *entry) Amount() outbox.Amount {
	return outbox.Amount{Traces: 1, Spans: int64(e.spans), Bytes: int64(e.bytes)}
}

// extent is the earliest start and the latest end of a trace's spans that have both, in nanoseconds since 1970; 0 if
// none has.
type extent struct{ start, end uint64 }

// duration is the length of the extent: 0 if the end is before the start, limited to the range of
// time.Duration.
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

// state is the state of an entry; the package comment has the transitions.
type state uint8

const (
	statePending   state = iota // waits for a decision
	stateRooted                 // waits for a decision and has its root span
	stateRevivable              // was not sampled, and stays in case a late span changes that
	stateGathering              // late spans of a sampled trace gather
	stateKept                   // sampled, and some destination has not received it
	stateGone                   // not in use
)

// undecided reports whether an entry waits for its decision.
func (e *entry) undecided() bool { return e.state == statePending || e.state == stateRooted }

// observe updates the entry with the facts of a span that decisions need, apart from the policies' bits.
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
