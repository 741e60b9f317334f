package count

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/clocks"
	"github.com/slowburn/slowburn/slo/sli/internal/judge"
)

// unknownService is the service of a resource without service.name, as in the SDKs.
const unknownService = "unknown_service"

// Counter counts the spans of requests. It is safe for concurrent use, except for Restore and Restored, which come first.
type Counter struct {
	tree    *tree
	stripes []stripe // a power of two

	// gate is held while records become counts, and while a snapshot is written, during which none may. It guards spare and
	// turn.
	gate  sync.Mutex
	spare []byte
	// turn is the number of the log in use.
	turn uint64

	// keptMu guards kept, the turn whose log begins behind the newest snapshot, and unkept, the newest turn whose log refused a
	// record that is in the counts. A refused record is kept with the snapshot before the next one.
	keptMu       sync.Mutex
	kept, unkept uint64

	// take is called for each counted request, before a snapshot can have its counts, so that the snapshot has both.
	take func(id RequestID, at int64)
}

// Limits bounds the values of labels. Values above a limit are counted under Other. Values that an objective names come on top.
type Limits struct {
	Services, Operations, Versions, Reasons int
	// Series is the most time series of all kinds together: calls, durations, total and bad events. Over it only what an
	// objective names gets more, and Other. 0 is no limit.
	Series int
}

// New returns a counter of spans, and of the events of the objectives, without a log. It calls take, which must not call it,
// for each counted request that has an ID.
func New(limits Limits, objectives []slo.Objective, take func(id RequestID, at int64)) *Counter {
	rules := new(judge.Rules)
	c := &Counter{tree: newTree(limits, objectives, rules), turn: 1, take: take}
	n := 2
	for n < 2*runtime.GOMAXPROCS(0) && n < maxStripes {
		n *= 2
	}
	c.stripes = make([]stripe, n)
	for i := range c.stripes {
		c.stripes[i].tree = c.tree
		c.stripes[i].judge = judge.New(rules)
	}
	return c
}

// Single makes the counter use one stripe, so that counting is deterministic. Call it first.
func Single(c *Counter) { c.stripes = c.stripes[:1] }

// Label is a label that has a limit.
type Label int

// The labels.
const (
	ServiceName Label = iota
	SpanName
	ServiceVersion
	Reason
	// AllSeries is no label: it stands for the limit of all series.
	AllSeries

	NumLabels
)

// Result is the outcome of Count.
type Result struct {
	Spans int64
	// Overflow is how many spans were counted under Other, by the label whose limit was reached.
	Overflow [NumLabels]int64
	// Refused is the turn of the log that refused the record, 0 if it is kept. It is kept later, once IsKept says so.
	Refused uint64
	Marks   []Mark
}

// Mark is a bad event that is an exemplar of its series.
type Mark struct {
	Series   *EventSeries
	Trace    wire.TraceID
	Span     wire.SpanID
	At       int64  // when it was counted, Unix ms
	Duration uint64 // of the span, in nanoseconds
	// Kind and Status are those of the span's series of calls.
	Kind, Status uint8
}

// Count counts every span of the request, except those without a trace or span ID. The log gets the counts in one record, with
// the request's ID and the time in Unix ms. Count does not retain the request.
func (c *Counter) Count(r *wire.Request, id RequestID, at int64) Result {
	return Marking(c, r, id, at, 0)
}

// Marking is Count. The first bad events of each objective and minute become marks, at most so many.
func Marking(c *Counter, r *wire.Request, id RequestID, at int64, marks int) (n Result) {
	s := c.stripe()
	defer s.mu.Unlock()
	s.marking = marking{most: marks, at: at, minute: at / 60_000}
	s.count(r, id, at, &n)
	n.Marks = s.marking.list
	if !id.IsZero() {
		c.take(id, at)
	}
	if s.refused {
		n.Refused = s.turn
	}
	if len(s.pending) >= foldAt {
		c.foldOwn(s)
	}
	return n
}

// Clocks returns the clocks of the processes whose spans are events of a counter.
func Clocks(c *Counter) *clocks.Clocks { return c.tree.clocks }

// foldOwn folds the pending records of a stripe, unless another goroutine folds. The caller holds the stripe.
func (c *Counter) foldOwn(s *stripe) {
	if !c.gate.TryLock() {
		return
	}
	defer c.gate.Unlock()
	c.fold(s.pending)
	c.note(s)
	s.pending = s.pending[:0]
}

// stripe returns a locked stripe, one that was free if possible.
func (c *Counter) stripe() *stripe {
	first := rand.Uint32()
	mask := uint32(len(c.stripes) - 1)
	for i := range uint32(len(c.stripes)) {
		if s := &c.stripes[(first+i)&mask]; s.mu.TryLock() {
			return s
		}
	}
	s := &c.stripes[first&mask]
	s.mu.Lock()
	return s
}

// Fill returns how many bytes of records are pending.
func (c *Counter) Fill() (bytes int) {
	for i := range c.stripes {
		s := &c.stripes[i]
		s.mu.Lock()
		bytes += len(s.pending)
		s.mu.Unlock()
	}
	return bytes
}
