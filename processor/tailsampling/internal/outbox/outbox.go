package outbox

import (
	"iter"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Outbox is the entries that some destination has not got.
type Outbox[T any, P Entry[T]] struct {
	list  index.List[T, P] // in the order of their decisions
	boxes []box            // by destination
}

// box is what there is for a destination, and how far that is.
type box struct {
	cursor  index.Slot // the entry that was taken last in order, or passed over; 0 is before the first
	oldest  search     // among all that wait
	boring  search     // among those without an error
	pending search     // among those that were not refused
	backlog Amount
	refused Amount // of the backlog
	givenUp Amount // since the start

	unreadable map[index.Slot]int // how often entries could not be read
}

// search finds the first entry that waits, and the first of these that nobody has taken.
type search struct {
	waits   index.Slot // no entry before it waits; 0 is the end
	untaken index.Slot // no entry before it waited untaken when it was looked at; 0 is the end
}

// New returns an empty outbox for so many destinations.
func New[T any, P Entry[T]](destinations int) Outbox[T, P] {
	return Outbox[T, P]{boxes: make([]box, destinations)}
}

// Everyone is all destinations.
func (o *Outbox[T, P]) Everyone() Mask { return MaskOf(len(o.boxes)) }

// Add puts an entry, which is in no list, at the end. It waits for the destinations of waits, of which there must be one.
func (o *Outbox[T, P]) Add(x *index.Index[T, P], n index.Slot, waits Mask) {
	o.list.PushBack(x, n)
	e := x.At(n)
	p, amount := e.place(), e.Amount()
	p.waits, p.taken, p.aside, p.refused, p.counted = waits, 0, 0, 0, false
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

// Next is the first entry behind the destination's cursor that waits for it, 0 if there is none.
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

// available reports whether an entry is still to be taken in its order.
func (p *Place) available(d Destination) bool { return (p.waits &^ (p.taken | p.aside)).Has(d) }

// Ready are the destinations for which there is a next entry.
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

// PutBack makes an entry that was taken the next again. What was taken behind it is put back, or aside, or done, before.
func (o *Outbox[T, P]) PutBack(x *index.Index[T, P], n index.Slot, d Destination) {
	o.untake(x, n, d)
	o.boxes[d].cursor = o.list.Prev(x, n)
}

// PutAside makes an entry that was taken wait out of order.
func (o *Outbox[T, P]) PutAside(x *index.Index[T, P], n index.Slot, d Destination) {
	x.At(n).place().aside |= d.mask()
	o.untake(x, n, d)
}

// Refuse makes an entry that was taken wait out of order, until somebody asks for it.
func (o *Outbox[T, P]) Refuse(x *index.Index[T, P], n index.Slot, d Destination) {
	o.PutAside(x, n, d)
	e := x.At(n)
	e.place().refused |= d.mask()
	o.boxes[d].refused.Add(e.Amount())
}

// unrefuse ends that an entry is refused, if it is.
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

// TakeAside takes an entry that waits out of order.
func (o *Outbox[T, P]) TakeAside(x *index.Index[T, P], n index.Slot, d Destination) {
	e := x.At(n)
	o.unrefuse(e, d)
	p := e.place()
	p.aside &^= d.mask()
	p.taken |= d.mask()
}

// CountUnreadable counts that an entry that was taken could not be read, and returns how often that was so.
func (o *Outbox[T, P]) CountUnreadable(n index.Slot, d Destination) int {
	b := &o.boxes[d]
	if b.unreadable == nil {
		b.unreadable = map[index.Slot]int{}
	}
	b.unreadable[n]++
	return b.unreadable[n]
}

// Done notes that a destination has an entry, or with giveUp that it does not get it, and reports whether no destination
// waits for it any more. Until Remove the entry stays in the list.
func (o *Outbox[T, P]) Done(x *index.Index[T, P], n index.Slot, d Destination, giveUp bool) (last bool) {
	e := x.At(n)
	o.unrefuse(e, d)
	p, b := e.place(), &o.boxes[d]
	p.waits &^= d.mask()
	p.taken &^= d.mask()
	p.aside &^= d.mask()
	delete(b.unreadable, n)
	b.backlog.subtract(e.Amount())
	if giveUp {
		b.givenUp.Add(e.Amount())
	}
	return p.waits == 0
}

// Remove takes an entry for which no destination waits out of the list.
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

// Oldest is the first entry that waits for a destination, taken or not, 0 if there is none.
func (o *Outbox[T, P]) Oldest(x *index.Index[T, P], d Destination) index.Slot {
	s := &o.boxes[d].oldest
	s.waits = o.find(x, s.waits, func(p *Place) bool { return p.waits.Has(d) })
	return s.waits
}

// OldestPending is the first entry that waits for a destination and was not refused, 0 if there is none.
func (o *Outbox[T, P]) OldestPending(x *index.Index[T, P], d Destination) index.Slot {
	s := &o.boxes[d].pending
	s.waits = o.find(x, s.waits, func(p *Place) bool { return (p.waits &^ p.refused).Has(d) })
	return s.waits
}

// OldestUntaken is the first entry that waits for a destination in order or out of it, and that no sender has; without
// failed, of those without an error. It is 0 if there is none.
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

// Backlog is what waits for a destination.
func (o *Outbox[T, P]) Backlog(d Destination) Amount { return o.boxes[d].backlog }

// Refused is what of a destination's backlog was refused.
func (o *Outbox[T, P]) Refused(d Destination) Amount { return o.boxes[d].refused }

// GivenUp is what a destination did not get, since the start.
func (o *Outbox[T, P]) GivenUp(d Destination) Amount { return o.boxes[d].givenUp }

// All yields the entries in the order of their decisions.
func (o *Outbox[T, P]) All(x *index.Index[T, P]) iter.Seq[index.Slot] {
	return func(yield func(index.Slot) bool) {
		for n := o.list.Head(); n != 0 && yield(n); n = o.list.Next(x, n) {
		}
	}
}
