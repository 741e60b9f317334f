package delivery

import (
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Refused is the traces that destinations refused for good. They stay in the log, aside, until somebody asks for them to be sent
// again, or they are given up. It may be used concurrently; its mutex may be locked while a shard's is, and not the other way.
type Refused struct {
	mu   sync.Mutex
	list []RefusedTrace // oldest first
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

// maxRefused is how many are remembered. When there are more, the oldest is given up.
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
	if full = len(r.list) >= maxRefused; full {
		oldest = r.list[0]
		r.list = slices.Delete(r.list, 0, 1)
	}
	r.list = append(r.list, t)
	return oldest, full
}

// remove forgets a trace that was given up.
func (r *Refused) remove(d *Destination, ref shard.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(t RefusedTrace) bool { return t.Destination == d && t.Ref == ref })
}

// Of is how many a destination refused.
func (r *Refused) Of(d *Destination) (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if r.list[i].Destination == d {
			n++
		}
	}
	return n
}

// Latest returns up to n of the latest, the latest first, and how many there are.
func (r *Refused) Latest(n int) (latest []RefusedTrace, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	total = len(r.list)
	latest = slices.Clone(r.list[max(0, total-n):])
	slices.Reverse(latest)
	return latest, total
}

// Retry has a trace sent again that was refused: by the destination with this ID, or where that is empty by any. It returns how
// many parts of it that are, one for each destination and late part.
func (r *Refused) Retry(id wire.TraceID, destination string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(t RefusedTrace) bool {
		if t.ID != id || destination != "" && destination != t.Destination.ID {
			return false
		}
		t.sender.retry(aside{ref: t.Ref, member: t.member})
		n++
		return true
	})
	return n
}

// giveUp gives a refused trace up, if it is still there.
func (t *RefusedTrace) giveUp() {
	t.member.Lock()
	defer t.member.Unlock()
	out, now := t.member.Outgoing(t.Destination.Index), t.Destination.out.Buffer.Now()
	if k, held := out.TakeAside(t.Ref, now); held {
		out.GiveUp(k.Slot, now)
		t.Destination.GaveUp(&k)
	}
}
