package rates

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Coverage is a set of operations, each covered for a period after it was added. It has at most limit of them; when it is
// full, all further operations count as OtherOperation.
//
// StaysCovered may be called at any time, all other methods one at a time.
type Coverage struct {
	period, margin int64
	limit          int
	since          map[uint64]int64
	queue          []covering // by time of addition
	stale          int        // how many at the front of queue have left lasting
	seen           int64      // when Expire was last called
	unsure         int64      // until then lasting may have held expired operations when a trace arrived

	// lasting holds the operations that stay covered for longer than a trace takes to be decided. An operation has a few places in
	// it and may find none free: then traces are read in vain.
	lasting []atomic.Uint64
	full    atomic.Bool
}

type covering struct {
	operation uint64
	since     int64
}

// OtherOperation is 1, because 0 marks an empty place. No other operation has this value.
const OtherOperation = 1

const (
	places = 4 // of an operation, next to each other
	// mostMargin is longer than traces usually wait. A trace whose operation is covered at its arrival but not at its
	// decision may be missed; then the next one is kept.
	mostMargin = int64(30 * time.Second)
)

// NewCoverage returns a set of at most limit operations, each for a period in nanoseconds.
func NewCoverage(period int64, limit int) *Coverage {
	const shareOfPeriod = 8
	return &Coverage{
		period: period, margin: min(mostMargin, period/shareOfPeriod), limit: limit,
		since: map[uint64]int64{}, lasting: make([]atomic.Uint64, places<<bits.Len(uint(limit)/2)),
	}
}

// StaysCovered reports whether an operation is covered and still will be when a trace that arrives now is decided.
func (c *Coverage) StaysCovered(operation uint64) bool {
	return c.place(operation, operation) != nil || c.full.Load() && c.place(OtherOperation, OtherOperation) != nil
}

// place returns the place of an operation with this content, nil if there is none.
func (c *Coverage) place(operation, content uint64) *atomic.Uint64 {
	from := operation * places & uint64(len(c.lasting)-1)
	for i := range c.lasting[from : from+places] {
		if p := &c.lasting[from+uint64(i)]; p.Load() == content {
			return p
		}
	}
	return nil
}

// Has reports whether an operation is covered.
func (c *Coverage) Has(operation uint64) bool {
	if _, is := c.since[operation]; is {
		return true
	}
	_, is := c.since[OtherOperation]
	return is && c.full.Load()
}

// Add covers an operation that is not covered.
func (c *Coverage) Add(operation uint64, now int64) {
	if c.Has(operation) {
		return
	}
	if c.full.Load() {
		operation = OtherOperation
	}
	c.put(covering{operation, now})
}

func (c *Coverage) put(entry covering) {
	c.since[entry.operation] = entry.since
	c.queue = append(c.queue, entry)
	if p := c.place(entry.operation, 0); p != nil {
		p.Store(entry.operation)
	}
	c.fill()
}

// fill records whether there is room.
func (c *Coverage) fill() {
	n := len(c.since)
	if _, other := c.since[OtherOperation]; other {
		n--
	}
	c.full.Store(n >= c.limit)
}

// Expire removes expired operations, and reports whether lasting may still hold some. With steady traffic it does
// not; after a pause it may for a while.
func (c *Coverage) Expire(now int64) (unsure bool) {
	if now-c.seen > c.margin/2 {
		c.unsure = now + c.margin
	}
	c.seen = max(c.seen, now)
	for ; c.stale < len(c.queue) && now-c.queue[c.stale].since >= c.period-c.margin; c.stale++ {
		operation := c.queue[c.stale].operation
		if p := c.place(operation, operation); p != nil {
			p.Store(0)
		}
	}
	over := 0
	for over < c.stale && now-c.queue[over].since >= c.period {
		delete(c.since, c.queue[over].operation)
		over++
	}
	if over > 0 {
		c.queue, c.stale = c.queue[over:], c.stale-over
		c.fill()
	}
	return now < c.unsure
}

// Copy covers the operations of another Coverage with the same period.
func (c *Coverage) Copy(from *Coverage) {
	for _, one := range from.queue {
		c.put(one)
	}
}
