package delivery

import (
	"cmp"
	"maps"
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
	mu    sync.Mutex
	list  map[refusedKey]RefusedTrace
	count uint64 // of all that were added
}

type refusedKey struct {
	destination *Destination
	ref         shard.Ref
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
	number     uint64 // in the order in which they were refused
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
		oldest.number = r.count + 1
		for _, other := range r.list {
			if other.number < oldest.number {
				oldest = other
			}
		}
		delete(r.list, oldest.key())
	}
	if r.list == nil {
		r.list = map[refusedKey]RefusedTrace{}
	}
	r.count++
	t.number = r.count
	r.list[t.key()] = t
	return oldest, full
}

func (t *RefusedTrace) key() refusedKey { return refusedKey{t.Destination, t.Ref} }

// remove forgets a trace that was given up.
func (r *Refused) remove(d *Destination, ref shard.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.list, refusedKey{d, ref})
}

// Of is how many a destination refused.
func (r *Refused) Of(d *Destination) (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.list {
		if key.destination == d {
			n++
		}
	}
	return n
}

// Latest returns up to n of the latest, the latest first, and how many there are.
func (r *Refused) Latest(n int) (latest []RefusedTrace, total int) {
	r.mu.Lock()
	latest = slices.Collect(maps.Values(r.list))
	r.mu.Unlock()
	total = len(latest)
	slices.SortFunc(latest, func(a, b RefusedTrace) int { return cmp.Compare(b.number, a.number) })
	return latest[:min(n, total)], total
}

// Retry has a trace sent again that was refused: by the destination with this ID, or where that is empty by any. It returns how
// many parts of it that are, one for each destination and late part.
func (r *Refused) Retry(id wire.TraceID, destination string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, t := range r.list {
		if t.ID == id && (destination == "" || destination == t.Destination.ID) {
			t.sender.retry(aside{ref: t.Ref, member: t.member})
			delete(r.list, key)
			n++
		}
	}
	return n
}

// giveUpAside gives up a trace that is aside in the log, if it is still there.
func (d *Destination) giveUpAside(m *buffer.Member, ref shard.Ref) {
	m.Lock()
	defer m.Unlock()
	out, now := m.Outgoing(d.Index), d.out.Buffer.Now()
	if k, held := out.TakeAside(ref, now); held {
		out.GiveUp(k.Slot, now)
		d.GaveUp(&k)
	}
}
