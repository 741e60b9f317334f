package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A trace that is larger than the room of a load, with its resources and scopes, is a load of its own, and takes a share of what
// all senders of all destinations may have of such at a time (package quota). It is known beforehand how long its spans are; that
// its resources are what is large is noticed while it is read. It is then measured, and read again when its share is taken.

// errLarge is a trace that is larger than the room of its load, and has no share.
var errLarge = errors.New("the trace is larger than a load")

// largeTrace is the trace that a sender has measured last.
type largeTrace struct {
	ref   shard.Ref
	bytes int // 0 where there is none
}

// sizeOf returns the size of a large trace in bytes, with its resources and scopes, 0 if it may not be large.
func (l *load) sizeOf(m *buffer.Member, k *shard.Kept) int {
	switch {
	case l.sender.large.bytes > 0 && l.sender.large.ref == k.Ref:
	case k.Bytes > l.room.bytes:
		l.measure(m, k)
	default:
		return 0
	}
	return l.sender.large.bytes
}

// measure finds how large a trace is that was taken.
func (l *load) measure(m *buffer.Member, k *shard.Kept) {
	l.sender.large = largeTrace{k.Ref, max(1, k.Bytes, l.lengthOf(m, k))}
}

// lengthOf adds up how long a trace's spans are, and its resources and scopes, as far as it can be read.
func (l *load) lengthOf(m *buffer.Member, k *shard.Kept) (length int) {
	if l.d.out.Buffer.Mapped { // reading can fault
		var fault error // whoever reads the trace meets it again
		defer spanlog.Guard(&fault)()
	}
	seen := map[uint64]bool{}
	for r, err := range m.Outgoing(l.d.Index).Records(k.Slot, pauseIn(m, k)) {
		if err != nil {
			continue
		}
		length += len(r.Body)
		if !seen[r.Origin] {
			seen[r.Origin] = true
			length += len(r.Resource) + len(r.Scope)
		}
	}
	return length
}

// reserve takes the share of a large trace, and makes room for it. It reports false where the sender has to wait for that. A load
// that was forced to take a trace gets it at once.
func (l *load) reserve(size int) bool {
	if l.share == 0 {
		share, s := l.sender.memory.cost(size), l.sender
		if l.forced {
			l.d.out.quota.Force(int(l.d.Index), share)
		} else if !l.d.out.quota.Take(int(l.d.Index), share, s.wake) {
			l.blocked = true
			return false
		}
		l.share = share
		s.memory.grow(s.memory.counted + share)
	}
	l.reset()
	l.kept.Bytes = slices.Grow(l.kept.Bytes, size) // at once: what grows step by step has its bytes twice
	return true
}

// giveBack gives the share of a load back.
func (l *load) giveBack() {
	if l.share > 0 {
		l.d.out.quota.Give(int(l.d.Index), l.share)
		l.share = 0
	}
}

// isLarge reports whether a trace in another load is larger than the room of this one, and notes how large.
func (l *load) isLarge(k *shard.Kept, from *wire.Kept, trace int) bool {
	if l.share > 0 || len(from.Bytes) <= l.room.bytes {
		return false
	}
	if size := wire.LengthOf(from, trace); size > l.room.bytes {
		l.sender.large = largeTrace{k.Ref, size}
		return true
	}
	return false
}

// awaitQuota waits, while nothing else is left to do, until a share may be had. It reports false where ctx is done.
func awaitQuota(ctx context.Context, s *Sender) bool {
	timer := clock.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// leaveQuota gives back all that a sender has, and lets those behind it go first.
func leaveQuota(s *Sender) {
	for _, l := range s.loads {
		l.giveBack()
	}
	s.d.out.quota.Leave(int(s.d.Index), s.wake)
}
