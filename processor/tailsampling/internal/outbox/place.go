package outbox

import (
	"math/bits"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Destination is the number of a destination.
type Destination uint8

// MaxDestinations is the largest number of destinations.
const MaxDestinations = 16

// Mask is a set of destinations.
type Mask uint16

// MaskOf returns the set of the first n destinations.
func MaskOf(n int) Mask { return Mask(1<<n - 1) }

// Has reports whether a destination is in the set.
func (m Mask) Has(d Destination) bool { return m&d.mask() != 0 }

// Len is how many destinations are in the set.
func (m Mask) Len() int { return bits.OnesCount16(uint16(m)) }

func (d Destination) mask() Mask { return 1 << d }

// Place is the state of an entry's delivery.
type Place struct {
	waits     Mask // destinations that have not received it
	taken     Mask // of these: a sender holds it
	parked    Mask // of these: it waits out of order
	refused   Mask // of these: it is not retried by itself
	attempted Mask // destinations that may have received it at least once
	counted   bool
	// Failed reports whether a span has an error: such entries are given up last. It must not change after Add.
	Failed bool
}

func (p *Place) place() *Place { return p }

// Waits are the destinations that have not received the entry.
func (p *Place) Waits() Mask { return p.waits }

// Attempted are the destinations to which a delivery began at least once.
func (p *Place) Attempted() Mask { return p.attempted }

// SetAttempted sets the destinations that may have received the entry before a crash.
func (p *Place) SetAttempted(m Mask) { p.attempted = m }

// Parked reports whether the entry waits out of order for a destination.
func (p *Place) Parked(d Destination) bool { return p.parked.Has(d) }

// Taken reports whether a sender holds the entry for a destination.
func (p *Place) Taken(d Destination) bool { return p.taken.Has(d) }

// Attempt notes that a delivery to a destination begins, and reports whether it is the first.
func (p *Place) Attempt(d Destination) (first bool) {
	first = !p.attempted.Has(d)
	p.attempted |= d.mask()
	return first
}

// Count reports whether it is called for the first time, so that an entry is counted once, whatever its number of
// destinations. A restart forgets this, as it does the counters.
func (p *Place) Count() (first bool) {
	first = !p.counted
	p.counted = true
	return first
}

// Entry is a pointer to a type that embeds index.Node and Place.
type Entry[T any] interface {
	index.Entry[T]
	place() *Place
	// Amount is the entry's part in backlogs. It must not change after Add.
	Amount() Amount
}

// Amount counts traces, spans and bytes.
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
