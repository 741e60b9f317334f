package outbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

type item struct {
	index.Node
	Place
	size int64
}

func (i *item) Amount() Amount { return Amount{Traces: 1, Spans: i.size, Bytes: 10 * i.size} }

type (
	items = index.Index[item, *item]
	boxes = Outbox[item, *item]
)

// model is an outbox that searches everything at every call.
type model struct {
	order   []*modelItem
	givenUp []Amount
}

type modelItem struct {
	slot   index.Slot
	failed bool
	amount Amount
	states []modelState // by destination
}

type modelState uint8

const (
	done modelState = iota
	waiting
	taken
	parked
	refused // parked included
)

func (m *model) first(match func(*modelItem) bool) index.Slot {
	for _, i := range m.order {
		if match(i) {
			return i.slot
		}
	}
	return 0
}

// backlog returns the entries in these states, by default those that wait.
func (m *model) backlog(d Destination, states ...modelState) (a Amount) {
	for _, i := range m.order {
		if len(states) == 0 && i.states[d] != done || slices.Contains(states, i.states[d]) {
			a.Add(i.amount)
		}
	}
	return a
}

// slots returns the entries in one of these states.
func (m *model) slots(d Destination, states ...modelState) (list []index.Slot) {
	for _, i := range m.order {
		if slices.Contains(states, i.states[d]) {
			list = append(list, i.slot)
		}
	}
	return list
}

func (m *model) at(n index.Slot) *modelItem {
	return m.order[slices.IndexFunc(m.order, func(i *modelItem) bool { return i.slot == n })]
}

// player performs the same operations on an outbox and a model.
type player struct {
	t     *testing.T
	rnd   *rand.Rand
	index items
	box   boxes
	model model
	inOrd [][]index.Slot // by destination: taken in order, and still taken
}

func (p *player) destinations() Destination { return Destination(len(p.inOrd)) }

func (p *player) add() {
	n, i := p.index.New(0, wire.TraceID{})
	i.size, i.Failed = p.rnd.Int64N(5), p.rnd.IntN(3) == 0
	m := &modelItem{slot: n, failed: i.Failed, amount: i.Amount(), states: make([]modelState, p.destinations())}
	waits := Mask(1 + p.rnd.IntN(1<<p.destinations()-1))
	for d := range p.destinations() {
		if waits.Has(d) {
			m.states[d] = waiting
		}
	}
	p.box.Add(&p.index, n, waits)
	p.model.order = append(p.model.order, m)
}

func (p *player) take(d Destination) {
	if n := p.box.Next(&p.index, d); n != 0 {
		p.box.Take(&p.index, n, d)
		p.model.at(n).states[d] = taken
		p.inOrd[d] = append(p.inOrd[d], n)
	}
}

func (p *player) putBack(d Destination) {
	if last := len(p.inOrd[d]) - 1; last >= 0 {
		n := p.inOrd[d][last]
		p.inOrd[d] = p.inOrd[d][:last]
		p.box.PutBack(&p.index, n, d)
		p.model.at(n).states[d] = waiting
	}
}

func (p *player) putAside(d Destination) {
	if n, ok := p.any(d, taken); ok {
		p.leave(n, d)
		p.box.Park(&p.index, n, d)
		p.model.at(n).states[d] = parked
	}
}

func (p *player) refuse(d Destination) {
	if n, ok := p.any(d, taken); ok {
		p.leave(n, d)
		p.box.Refuse(&p.index, n, d)
		p.model.at(n).states[d] = refused
	}
}

func (p *player) takeAside(d Destination) {
	if n, ok := p.any(d, parked, refused); ok {
		p.box.TakeParked(&p.index, n, d)
		p.model.at(n).states[d] = taken
	}
}

func (p *player) deliver(d Destination) {
	if n, ok := p.any(d, taken); ok {
		p.finish(n, d, false)
	}
}

func (p *player) giveUp(d Destination) {
	if n, ok := p.any(d, taken, parked, refused); ok {
		p.finish(n, d, true)
	}
}

func (p *player) giveUpOldest(d Destination) {
	if n := p.box.OldestUntaken(&p.index, d, p.rnd.IntN(2) == 0); n != 0 {
		p.finish(n, d, true)
	}
}

// any returns a random entry in a state.
func (p *player) any(d Destination, states ...modelState) (index.Slot, bool) {
	list := p.model.slots(d, states...)
	if len(list) == 0 {
		return 0, false
	}
	return list[p.rnd.IntN(len(list))], true
}

func (p *player) leave(n index.Slot, d Destination) {
	p.inOrd[d] = slices.DeleteFunc(p.inOrd[d], func(m index.Slot) bool { return m == n })
}

func (p *player) finish(n index.Slot, d Destination, giveUp bool) {
	p.leave(n, d)
	m := p.model.at(n)
	m.states[d] = done
	if giveUp {
		p.model.givenUp[d].Add(m.amount)
	}
	last := !slices.ContainsFunc(m.states, func(s modelState) bool { return s != done })
	require.Equal(p.t, last, p.box.Done(&p.index, n, d, giveUp))
	if last {
		p.box.Remove(&p.index, n)
		p.index.Free(n)
		p.model.order = slices.DeleteFunc(p.model.order, func(i *modelItem) bool { return i == m })
	}
}

func (p *player) check() {
	require.Equal(p.t, p.model.first(func(*modelItem) bool { return true }) != 0, !p.box.list.Empty())
	ready := Mask(0)
	for d := range p.destinations() {
		next := p.model.first(func(i *modelItem) bool { return i.states[d] == waiting })
		if next != 0 {
			ready |= 1 << d
		}
		if p.rnd.IntN(2) == 0 { // cursors that lag must work as well
			continue
		}
		require.Equal(p.t, next, p.box.Next(&p.index, d))
		require.Equal(p.t, p.model.first(func(i *modelItem) bool { return i.states[d] != done }), p.box.Oldest(&p.index, d))
		require.Equal(p.t, p.model.first(func(i *modelItem) bool {
			return i.states[d] != done && i.states[d] != refused
		}), p.box.OldestPending(&p.index, d))
		for _, failed := range []bool{false, true} {
			require.Equal(p.t, p.model.first(func(i *modelItem) bool {
				return (failed || !i.failed) && (i.states[d] == waiting || i.states[d] == parked || i.states[d] == refused)
			}), p.box.OldestUntaken(&p.index, d, failed), "destination %d, failed %v", d, failed)
		}
		require.Equal(p.t, p.model.backlog(d), p.box.Backlog(d))
		require.Equal(p.t, p.model.backlog(d, refused), p.box.Refused(d))
		require.Equal(p.t, p.model.givenUp[d], p.box.GivenUp(d))
	}
	if p.rnd.IntN(2) == 0 {
		require.Equal(p.t, ready, p.box.Ready(&p.index))
	}
	all := slices.Collect(p.box.All(&p.index))
	require.Len(p.t, all, len(p.model.order))
	for i, m := range p.model.order {
		require.Equal(p.t, m.slot, all[i])
		place := p.index.At(m.slot)
		for d := range p.destinations() {
			require.Equal(p.t, m.states[d] != done, place.Waits().Has(d))
			require.Equal(p.t, m.states[d] == taken, place.Taken(d))
			require.Equal(p.t, m.states[d] == parked || m.states[d] == refused, place.Parked(d))
		}
	}
}

// After any sequence of operations, each destination gets all entries in the order of the decisions, as if it were alone.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(24) {
		destinations := 1 + int(seed%4)
		if seed == 23 {
			destinations = MaxDestinations
		}
		t.Run(fmt.Sprintf("%d, %d destinations", seed, destinations), func(t *testing.T) {
			p := &player{
				t: t, rnd: rand.New(rand.NewPCG(seed, 7)), box: New[item, *item](destinations),
				model: model{givenUp: make([]Amount, destinations)}, inOrd: make([][]index.Slot, destinations),
			}
			for range 800 {
				d := Destination(p.rnd.IntN(destinations))
				// Backlogs alternately grow and shrink.
				if len(p.model.order) < 40 && p.rnd.IntN(3) == 0 {
					p.add()
				}
				[]func(Destination){
					p.take, p.take, p.take, p.putBack, p.putAside, p.refuse, p.takeAside, p.deliver, p.deliver, p.giveUp, p.giveUpOldest,
				}[p.rnd.IntN(11)](d)
				p.check()
			}
		})
	}
}

// An entry costs each destination a constant number of steps, even if most entries wait for others, are taken, or have an error.
func TestCursorsDoNotGoBack(t *testing.T) {
	var x items
	o := New[item, *item](2)
	const entries = 50_000
	for i := range entries {
		n, e := x.New(0, wire.TraceID{})
		e.Failed = i%2 == 0
		o.Add(&x, n, 3)
	}
	for n := o.Next(&x, 0); n != 0; n = o.Next(&x, 0) { // one destination takes everything, and keeps it
		o.Take(&x, n, 0)
	}
	require.Zero(t, o.OldestUntaken(&x, 0, true))
	for range entries { // the other gives everything up
		require.NotZero(t, o.Ready(&x))
		n := o.OldestUntaken(&x, 1, false)
		if n == 0 {
			n = o.OldestUntaken(&x, 1, true)
		}
		require.False(t, o.Done(&x, n, 1, true))
		require.Zero(t, o.OldestUntaken(&x, 0, true))
	}
	require.Zero(t, o.Ready(&x))
	require.Equal(t, Amount{}, o.Backlog(1))
	require.EqualValues(t, entries, o.GivenUp(1).Traces)
	require.EqualValues(t, entries, o.Backlog(0).Traces)
}

// Unreadable entries are counted per destination, until the entry is removed.
func TestUnreadable(t *testing.T) {
	var x items
	o := New[item, *item](2)
	n, _ := x.New(0, wire.TraceID{})
	o.Add(&x, n, 3)
	require.Equal(t, 1, o.CountUnreadable(n, 0))
	require.Equal(t, 2, o.CountUnreadable(n, 0))
	require.Equal(t, 1, o.CountUnreadable(n, 1))
	require.False(t, o.Done(&x, n, 0, false))
	require.Equal(t, 2, o.CountUnreadable(n, 1))
	require.True(t, o.Done(&x, n, 1, false))
	require.Equal(t, 1, o.CountUnreadable(n, 1))
}

func TestMasks(t *testing.T) {
	require.Equal(t, Mask(0), MaskOf(0))
	require.Equal(t, Mask(7), MaskOf(3))
	require.Equal(t, Mask(0xffff), MaskOf(MaxDestinations))
	require.Equal(t, MaskOf(MaxDestinations), new(New[item, *item](MaxDestinations)).AllDestinations())
	require.True(t, Mask(0x8000).Has(15))
	require.False(t, Mask(0x7fff).Has(15))
	require.Equal(t, 3, Mask(0x8011).Len())
	var p Place
	p.SetAttempted(2)
	require.True(t, p.Attempt(0))
	require.False(t, p.Attempt(0))
	require.False(t, p.Attempt(1))
	require.Equal(t, Mask(3), p.Attempted())
}
