package outbox

import (
	"iter"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Outbox holds the entries that some destination has not received.
type Outbox[T any, P Entry[T]] struct {
	list  index.List[T, P] // in the order of their decisions
	boxes []box            // by destination
}

// box is the state of one destination.
type box struct {
	cursor  index.Slot // the entry last taken in order, or passed over; 0 is before the first
	oldest  search     // among all that wait
	boring  search     // among those without an error
	pending search     // among those that were not refused
	backlog Amount
	refused Amount // of the backlog
	givenUp Amount // since the start

	unreadable map[index.Slot]int // failed reads by entry
}

// search finds the first entry that waits, and the first of these that no sender has taken.
type search struct {
	waits   index.Slot // no entry before it waits; 0 is the end
	untaken index.Slot // no entry before it waited untaken at the last look; 0 is the end
}

// New returns an empty outbox for so many destinations.
func New[T any, P Entry[T]](destinations int) Outbox[T, P] {
	return Outbox[T, P]{boxes: make([]box, destinations)}
}

// AllDestinations is the set of all destinations.
func (o *Outbox[T, P]) AllDestinations() Mask { return MaskOf(len(o.boxes)) }

// Add appends an entry, which must be in no list. It waits for the destinations in waits, at least one.
func (o *Outbox[T, P]) Add(x *index.Index[T, P], n index.Slot, waits Mask) {
	o.list.PushBack(x, n)
	e := x.At(n)
	p, amount := e.place(), e.Amount()
	p.waits, p.taken, p.parked, p.refused, p.counted = waits, 0, 0, 0, false
	for d := range o.boxes {
		if b := &o.boxes[d]; waits.Has(Destination(d)) {
			b.backlog.Add(amount)
			b.oldest.added(n)
			b.boring.added(n)
			b.pending.added(n)
		}
	}
}

func (s *search) added(n index.Slot) {
	if s.waits == 0 {
		s.waits = n
	}
	if s.untaken == 0 {
		s.untaken = n
	}
}

// Next returns the first entry behind the destination's cursor that waits for it, 0 if there is none.
func (o *Outbox[T, P]) Next(x *index.Index[T, P], d Destination) index.Slot {
	b := &o.boxes[d]
	for {
		n := o.list.Head()
		if b.cursor != 0 {
			n = o.list.Next(x, b.cursor)
		}
		if n == 0 || x.At(n).place().available(d) {
			return n
		}
		b.cursor = n
	}
}

// available reports whether an entry still has to be taken in order.
func (p *Place) available(d Destination) bool { return (p.waits &^ (p.taken | p.parked)).Has(d) }

// Ready returns the destinations that have a next entry.
func (o *Outbox[T, P]) Ready(x *index.Index[T, P]) (m Mask) {
	if o.list.Empty() {
		return 0
	}
	for d := range Destination(len(o.boxes)) {
		if o.Next(x, d) != 0 {
			m |= d.mask()
		}
	}
	return m
}

// Take takes the next entry for a destination.
func (o *Outbox[T, P]) Take(x *index.Index[T, P], n index.Slot, d Destination) {
	x.At(n).place().taken |= d.mask()
	o.boxes[d].cursor = n
}

// PutBack makes a taken entry the next again. Entries taken after it must be put back, put parked or done before.
func (o *Outbox[T, P]) PutBack(x *index.Index[T, P], n index.Slot, d Destination) {
	o.untake(x, n, d)
	o.boxes[d].cursor = o.list.Prev(x, n)
}

// Park makes a taken entry wait out of order.
func (o *Outbox[T, P]) Park(x *index.Index[T, P], n index.Slot, d Destination) {
	x.At(n).place().parked |= d.mask()
	o.untake(x, n, d)
}

// Refuse makes a taken entry wait out of order until it is retried on request.
func (o *Outbox[T, P]) Refuse(x *index.Index[T, P], n index.Slot, d Destination) {
	o.Park(x, n, d)
	e := x.At(n)
	e.place().refused |= d.mask()
	o.boxes[d].refused.Add(e.Amount())
}

// unrefuse clears the refusal of an entry, if there is one.
func (o *Outbox[T, P]) unrefuse(e P, d Destination) {
	if p := e.place(); p.refused.Has(d) {
		p.refused &^= d.mask()
		b := &o.boxes[d]
		b.refused.subtract(e.Amount())
		b.pending.waits = b.oldest.waits
	}
}

func (o *Outbox[T, P]) untake(x *index.Index[T, P], n index.Slot, d Destination) {
	x.At(n).place().taken &^= d.mask()
	b := &o.boxes[d]
	b.oldest.untaken, b.boring.untaken = b.oldest.waits, b.boring.waits
}

// TakeParked takes an entry that waits out of order.
func (o *Outbox[T, P]) TakeParked(x *index.Index[T, P], n index.Slot, d Destination) {
	e := x.At(n)
	o.unrefuse(e, d)
	p := e.place()
	p.parked &^= d.mask()
	p.taken |= d.mask()
}

// CountUnreadable counts a failed read of a taken entry, and returns the number so far.
func (o *Outbox[T, P]) CountUnreadable(n index.Slot, d Destination) int {
	b := &o.boxes[d]
	if b.unreadable == nil {
		b.unreadable = map[index.Slot]int{}
	}
	b.unreadable[n]++
	return b.unreadable[n]
}

// Done ends the delivery of an entry to a destination; with giveUp it was not received. It reports whether no
// destination waits for the entry any more. The entry stays in the list until Remove.
func (o *Outbox[T, P]) Done(x *index.Index[T, P], n index.Slot, d Destination, giveUp bool) (last bool) {
	e := x.At(n)
	o.unrefuse(e, d)
	p, b := e.place(), &o.boxes[d]
	p.waits &^= d.mask()
	p.taken &^= d.mask()
	p.parked &^= d.mask()
	delete(b.unreadable, n)
	b.backlog.subtract(e.Amount())
	if giveUp {
		b.givenUp.Add(e.Amount())
	}
	return p.waits == 0
}

// Remove removes an entry that no destination waits for.
func (o *Outbox[T, P]) Remove(x *index.Index[T, P], n index.Slot) {
	prev, next := o.list.Prev(x, n), o.list.Next(x, n)
	for d := range o.boxes {
		b := &o.boxes[d]
		if b.cursor == n {
			b.cursor = prev
		}
		b.oldest.removed(n, next)
		b.boring.removed(n, next)
		b.pending.removed(n, next)
	}
	o.list.Remove(x, n)
}

func (s *search) removed(n, next index.Slot) {
	if s.waits == n {
		s.waits = next
	}
	if s.untaken == n {
		s.untaken = next
	}
}

// Oldest returns the first entry that waits for a destination, taken or not, 0 if there is none.
func (o *Outbox[T, P]) Oldest(x *index.Index[T, P], d Destination) index.Slot {
	s := &o.boxes[d].oldest
	s.waits = o.find(x, s.waits, func(p *Place) bool { return p.waits.Has(d) })
	return s.waits
}

// OldestPending returns the first entry that waits for a destination and was not refused, 0 if there is none.
func (o *Outbox[T, P]) OldestPending(x *index.Index[T, P], d Destination) index.Slot {
	s := &o.boxes[d].pending
	s.waits = o.find(x, s.waits, func(p *Place) bool { return (p.waits &^ p.refused).Has(d) })
	return s.waits
}

// OldestUntaken returns the first entry that waits for a destination, in order or not, and that no sender has taken; 0
// if there is none. Without failed it skips entries with an error.
func (o *Outbox[T, P]) OldestUntaken(x *index.Index[T, P], d Destination, failed bool) index.Slot {
	s := &o.boxes[d].boring
	if failed {
		s = &o.boxes[d].oldest
	}
	waits := func(p *Place) bool { return p.waits.Has(d) && (failed || !p.Failed) }
	s.waits = o.find(x, s.waits, waits)
	s.untaken = o.find(x, s.untaken, func(p *Place) bool { return waits(p) && !p.taken.Has(d) })
	return s.untaken
}

// find returns the first entry from n on that matches, 0 if there is none.
func (o *Outbox[T, P]) find(x *index.Index[T, P], n index.Slot, match func(*Place) bool) index.Slot {
	for n != 0 && !match(x.At(n).place()) {
		n = o.list.Next(x, n)
	}
	return n
}

// Backlog is the amount that waits for a destination.
func (o *Outbox[T, P]) Backlog(d Destination) Amount { return o.boxes[d].backlog }

// Refused is the refused part of a destination's backlog.
func (o *Outbox[T, P]) Refused(d Destination) Amount { return o.boxes[d].refused }

// GivenUp is the amount that a destination gave up since the start.
func (o *Outbox[T, P]) GivenUp(d Destination) Amount { return o.boxes[d].givenUp }

// All yields the entries in the order of their decisions.
func (o *Outbox[T, P]) All(x *index.Index[T, P]) iter.Seq[index.Slot] {
	return func(yield func(index.Slot) bool) {
		for n := o.list.Head(); n != 0 && yield(n); n = o.list.Next(x, n) {
		}
	}
}
