package outbox

import (
	"math/bits"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Destination is the number of a destination.
type Destination uint8

// MaxDestinations is how many there can be.
const MaxDestinations = 16

// Mask is a set of destinations.
type Mask uint16

// MaskOf is that of the first n destinations.
func MaskOf(n int) Mask { return Mask(1<<n - 1) }

// Has reports whether a destination is in the set.
func (m Mask) Has(d Destination) bool { return m&d.mask() != 0 }

// Len is how many destinations are in the set.
func (m Mask) Len() int { return bits.OnesCount16(uint16(m)) }

func (d Destination) mask() Mask { return 1 << d }

// Place is how far the delivery of an entry is.
type Place struct {
	waits     Mask // have not got it
	taken     Mask // of these, a sender has it in hands
	aside     Mask // of these, it waits out of order
	refused   Mask // of these, it is not tried again by itself
	attempted Mask // were about to get it at least once
	counted   bool
	// Failed says that a span with an error was seen: such entries are given up last. It must not change after Add.
	Failed bool
}

func (p *Place) place() *Place { return p }

// Waits are the destinations that have not got the entry.
func (p *Place) Waits() Mask { return p.waits }

// Attempted are the destinations that were about to get the entry at least once.
func (p *Place) Attempted() Mask { return p.attempted }

// SetAttempted sets the destinations that may have got the entry before a crash.
func (p *Place) SetAttempted(m Mask) { p.attempted = m }

// Aside reports whether the entry waits out of order for a destination.
func (p *Place) Aside(d Destination) bool { return p.aside.Has(d) }

// Taken reports whether a sender has the entry for a destination.
func (p *Place) Taken(d Destination) bool { return p.taken.Has(d) }

// Attempt notes that a destination is about to get the entry, and reports whether that is the first time.
func (p *Place) Attempt(d Destination) (first bool) {
	first = !p.attempted.Has(d)
	p.attempted |= d.mask()
	return first
}

// Count notes that what holds for the entry whatever its destination was counted, and reports whether that is the first time.
// Over a restart it is forgotten, as the counters are.
func (p *Place) Count() (first bool) {
	first = !p.counted
	p.counted = true
	return first
}

// Entry is a pointer to a type that embeds index.Node and Place.
type Entry[T any] interface {
	index.Entry[T]
	place() *Place
	// Amount is what of the entry counts in backlogs. It must not change after Add.
	Amount() Amount
}

// Amount is how much of something there is.
type Amount struct {
	Traces int64 // and late parts of traces
	Spans  int64
	Bytes  int64 // of span bodies
}

// Add adds another amount.
func (a *Amount) Add(o Amount) {
	a.Traces += o.Traces
	a.Spans += o.Spans
	a.Bytes += o.Bytes
}

func (a *Amount) subtract(o Amount) {
	a.Traces -= o.Traces
	a.Spans -= o.Spans
	a.Bytes -= o.Bytes
}
