package delivery

import (
	"cmp"
	"container/list"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Refused is the traces that a destination refused for good. They stay in the log, aside, until somebody asks for them to be
// sent again, or they are given up. It may be used concurrently; its mutex may be locked while a shard's is, and not the other
// way.
type Refused struct {
	mu    sync.Mutex
	order list.List // of RefusedTrace, the oldest first
	by    map[shard.Ref]*list.Element
}

// RefusedTrace is a trace, or a late part of one, that a destination refused for good.
type RefusedTrace struct {
	shard.Kept
	Destination *Destination
	At          clock.Monotonic
	// Code and Text are the destination's.
	Code, Text string
	member     *buffer.Member
	sender     *Sender
}

// maxRefused is how many are remembered of a destination. When there are more, the oldest is given up.
const maxRefused = 10_000

// maxText is how many bytes of a destination's words are remembered.
const maxText = 512

// add remembers one. Where that is too many, it returns the oldest, which it has forgotten.
func (r *Refused) add(t RefusedTrace, a *answer.Error) (oldest RefusedTrace, full bool) {
	t.Code, t.Text = a.Code, a.Text
	if len(t.Text) > maxText {
		t.Text = t.Text[:maxText]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if full = len(r.by) >= maxRefused; full {
		oldest = r.forget(r.order.Front())
	}
	if r.by == nil {
		r.by = map[shard.Ref]*list.Element{}
	}
	r.by[t.Ref] = r.order.PushBack(t)
	return oldest, full
}

// forget removes one, with the mutex.
func (r *Refused) forget(e *list.Element) RefusedTrace {
	t := r.order.Remove(e).(RefusedTrace)
	delete(r.by, t.Ref)
	return t
}

// remove forgets a trace that was given up.
func (r *Refused) remove(ref shard.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.by[ref]; e != nil {
		r.forget(e)
	}
}

// Len is how many there are.
func (r *Refused) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.by)
}

// latest appends up to n of the latest, the latest first.
func (r *Refused) latest(all []RefusedTrace, n int) []RefusedTrace {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Back(); e != nil && n > 0; e = e.Prev() {
		all = append(all, e.Value.(RefusedTrace))
		n--
	}
	return all
}

// retry has those sent again that are chosen, the oldest first, and returns how many that are.
func (r *Refused) retry(chosen func(*RefusedTrace) bool) int {
	list := r.take(chosen)
	for i := range list {
		t := &list[i]
		t.sender.retry(aside{ref: t.Ref, member: t.member})
	}
	return len(list)
}

// take forgets those that are chosen, and returns them, the oldest first.
func (r *Refused) take(chosen func(*RefusedTrace) bool) (list []RefusedTrace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Front(); e != nil; {
		next := e.Next()
		if t := e.Value.(RefusedTrace); chosen(&t) {
			list = append(list, r.forget(e))
		}
		e = next
	}
	return list
}

// LatestRefused returns up to n of the traces that were refused last, the latest first, and how many there are.
func (o *Output) LatestRefused(n int) (latest []RefusedTrace, total int) {
	for _, d := range o.Destinations {
		latest = d.Refused.latest(latest, n)
		total += d.Refused.Len()
	}
	slices.SortStableFunc(latest, func(a, b RefusedTrace) int { return cmp.Compare(b.At, a.At) })
	return latest[:min(n, len(latest))], total
}

// RetryRefused has a trace sent again that was refused: by the destination with this ID, or where that is empty by any. It
// returns how many parts of it that are, one for each destination and late part.
func (o *Output) RetryRefused(id wire.TraceID, destination string) int {
	return o.retry(destination, func(t *RefusedTrace) bool { return t.ID == id })
}

// RetryAllRefused has all traces sent again that were refused until now: by the destination with this ID, or where that is empty
// by any. It returns how many that are.
func (o *Output) RetryAllRefused(destination string) int {
	return o.retry(destination, func(*RefusedTrace) bool { return true })
}

func (o *Output) retry(destination string, chosen func(*RefusedTrace) bool) (n int) {
	for _, d := range o.Destinations {
		if destination == "" || destination == d.ID {
			n += d.Refused.retry(chosen)
		}
	}
	return n
}

// giveUpAside gives up a trace that is aside in the log, if it is still there.
func (d *Destination) giveUpAside(m *buffer.Member, ref shard.Ref, why losses.Reason) {
	m.Lock()
	defer m.Unlock()
	out, now := m.Outgoing(d.Index), d.out.Buffer.Now()
	if k, held := out.TakeAside(ref, now); held {
		out.GiveUp(k.Slot, now)
		d.gaveUp(&k, why)
	}
}
