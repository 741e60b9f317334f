package count

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
)

// unknownService is the service of a resource that does not say: the name that SDKs fall back to.
const unknownService = "unknown_service"

// Counter counts the spans of requests. It is goroutine-safe, but for Restore and Restored, which come before everything else.
//
// Locks, in this order: gate, the stripes, tree.mu, and keptMu or that of owed.
type Counter struct {
	tree    *tree
	stripes []stripe // a power of two

	// gate is held while records become counts, and while a snapshot is written, in which none may. It guards spare and turn.
	gate  sync.Mutex
	spare []byte
	// turn is the number of the log in use.
	turn uint64

	// keptMu guards kept, the turn whose log begins behind the newest snapshot, and unkept, the newest turn whose log refused a
	// record that is in the counts. What a log refused is kept with the snapshot before the next one.
	keptMu       sync.Mutex
	kept, unkept uint64

	// take is told each request that was counted, before any snapshot can have its counts, so that the snapshot has both.
	take func(id RequestID, at int64)
}

// Limits are the most values that a label may have. What exceeds one is counted under Other. What an objective names comes
// on top.
type Limits struct {
	Services, Operations, Versions, Reasons int
	// Series is the most time series of all kinds together: calls, durations, total and bad events. Over it only what an
	// objective names gets more, and Other. 0 is no limit.
	Series int
}

// New returns a counter of spans, and of the events of the objectives. What it counts is in no log. It tells take, which must
// not call it, each request that it counted and that has an ID.
func New(limits Limits, objectives []slo.Objective, take func(id RequestID, at int64)) *Counter {
	var attrs attributes
	c := &Counter{tree: newTree(limits, objectives, &attrs), turn: 1, take: take}
	n := 2
	for n < 2*runtime.GOMAXPROCS(0) && n < maxStripes {
		n *= 2
	}
	c.stripes = make([]stripe, n)
	for i := range c.stripes {
		c.stripes[i].tree = c.tree
		c.stripes[i].attributes = attrs.clone()
	}
	return c
}

// Single has all be counted in one stripe, so that chance chooses none. It comes before everything else.
func Single(c *Counter) { c.stripes = c.stripes[:1] }

// Label is a label that has a limit.
type Label int

// The labels.
const (
	ServiceName Label = iota
	SpanName
	ServiceVersion
	Reason
	// AllSeries is none: it stands for the limit on all series.
	AllSeries

	NumLabels
)

// Result says what became of the spans of a request.
type Result struct {
	Spans int64
	// Overflow is the number of spans that were counted under Other for want of a slot, by label.
	Overflow [NumLabels]int64
	// Refused is the turn of the log that did not take them, 0 where all are kept. They are kept once IsKept says so.
	Refused uint64
}

// Count counts every span of the request but those without a trace or span ID. The log gets the counts in one record, with
// the request's ID and the time in Unix ms. Nothing of the request itself is kept.
func (c *Counter) Count(r *wire.Request, id RequestID, at int64) (n Result) {
	s := c.stripe()
	defer s.mu.Unlock()
	s.count(r, id, at, &n)
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

// foldOwn folds what waits in a stripe, unless somebody folds already. The caller holds the stripe.
func (c *Counter) foldOwn(s *stripe) {
	if !c.gate.TryLock() {
		return
	}
	defer c.gate.Unlock()
	c.fold(s.pending)
	c.note(s)
	s.pending = s.pending[:0]
}

// stripe locks a stripe that nobody uses, if there is one.
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

// Fill returns how many bytes of records wait to be folded.
func (c *Counter) Fill() (bytes int) {
	for i := range c.stripes {
		s := &c.stripes[i]
		s.mu.Lock()
		bytes += len(s.pending)
		s.mu.Unlock()
	}
	return bytes
}
