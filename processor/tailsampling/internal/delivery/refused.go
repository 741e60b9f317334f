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

// Refused holds the traces that a destination refused for good. They stay in the log, aside, until they are retried on request
// or given up. It may be used concurrently; its mutex may be locked while a shard's is, and not the other way.
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
	// Code and Text are the destination's own.
	Code, Text string
	member     *buffer.Member
	sender     *Sender
}

// maxRefused is the number of refused traces that are kept per destination. Over it, the oldest is given up.
const maxRefused = 10_000

// maxText is the number of bytes of a destination's text that are kept.
const maxText = 512

// add adds a trace. If there are too many, it removes the oldest and returns it.
func (r *Refused) add(t RefusedTrace, a *answer.Error) (oldest RefusedTrace, full bool) {
	t.Code, t.Text = a.Code, a.Text
	if len(t.Text) > maxText {
		t.Text = t.Text[:maxText]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if full = len(r.by) >= maxRefused; full {
		oldest = r.unlink(r.order.Front())
	}
	if r.by == nil {
		r.by = map[shard.Ref]*list.Element{}
	}
	r.by[t.Ref] = r.order.PushBack(t)
	return oldest, full
}

// forget removes a trace. The mutex must be held.
func (r *Refused) unlink(e *list.Element) RefusedTrace {
	t := r.order.Remove(e).(RefusedTrace)
	delete(r.by, t.Ref)
	return t
}

// remove removes a trace that was given up.
func (r *Refused) remove(ref shard.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.by[ref]; e != nil {
		r.unlink(e)
	}
}

// Len is the number of traces.
func (r *Refused) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.by)
}

// latest appends up to n of the latest traces, the latest first.
func (r *Refused) latest(all []RefusedTrace, n int) []RefusedTrace {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Back(); e != nil && n > 0; e = e.Prev() {
		all = append(all, e.Value.(RefusedTrace))
		n--
	}
	return all
}

// retry sends the chosen traces again, the oldest first, and returns their number.
func (r *Refused) retry(chosen func(*RefusedTrace) bool) int {
	list := r.take(chosen)
	for i := range list {
		t := &list[i]
		t.sender.retry(aside{ref: t.Ref, member: t.member})
	}
	return len(list)
}

// take removes the chosen traces and returns them, the oldest first.
func (r *Refused) take(chosen func(*RefusedTrace) bool) (list []RefusedTrace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Front(); e != nil; {
		next := e.Next()
		if t := e.Value.(RefusedTrace); chosen(&t) {
			list = append(list, r.unlink(e))
		}
		e = next
	}
	return list
}

// LatestRefused returns up to n of the latest refused traces, the latest first, and the number of all.
func (o *Output) LatestRefused(n int) (latest []RefusedTrace, total int) {
	for _, d := range o.Destinations {
		latest = d.Refused.latest(latest, n)
		total += d.Refused.Len()
	}
	slices.SortStableFunc(latest, func(a, b RefusedTrace) int { return cmp.Compare(b.At, a.At) })
	return latest[:min(n, len(latest))], total
}

// RetryRefused sends a refused trace again: to the destination with this ID, or to any if it is empty. It returns the
// number of its parts, one for each destination and late part.
func (o *Output) RetryRefused(id wire.TraceID, destination string) int {
	return o.retry(destination, func(t *RefusedTrace) bool { return t.ID == id })
}

// RetryAllRefused sends all refused traces again: to the destination with this ID, or to any if it is empty. It returns their
// number.
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

// giveUpAside gives up a trace that waits aside in the log, if it still exists.
func (d *Destination) giveUpAside(m *buffer.Member, ref shard.Ref, reason losses.Reason) {
	m.Lock()
	defer m.Unlock()
	out, now := m.Outgoing(d.Index), d.out.Buffer.Now()
	if k, held := out.TakeParked(ref, now); held {
		out.GiveUp(k.Slot, now)
		d.gaveUp(&k, reason)
	}
}
