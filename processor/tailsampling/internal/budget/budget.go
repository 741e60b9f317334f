package budget

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Settings say what may be done to save memory and disk.
type Settings struct {
	OnDisk      bool
	Compression Compression
	// Relieved is called after room was made: what waits to be delivered is in the way.
	Relieved func()
}

// Compression is when segments that are not written to any more are compressed.
type Compression uint8

// The values of Compression.
const (
	Never  Compression = iota
	Auto               // when a budget gets short
	Always             // as soon as they are full
)

// Budget makes room in a buffer.
type Budget struct {
	Settings
	buffer *buffer.Buffer
	pool   *spanlog.Pool
	relief sync.Mutex // held while room is made

	wake         chan struct{} // wakes Shrink
	next         atomic.Uint32 // the shard that is looked at next
	compressions atomic.Int64
	saved        atomic.Int64 // bytes
	left         atomic.Int64 // segments that left memory as they were
}

// New returns the budget of a buffer, each visit to which may wake Shrink.
func New(b *buffer.Buffer, s Settings) *Budget {
	budget := &Budget{Settings: s, buffer: b, pool: b.Pool, wake: make(chan struct{}, 1)}
	b.OnVisited(budget.wakeShrinker)
	return budget
}

// Size estimates how much memory a request will take, and how much of that is for spans that are very large. Its bytes
// hold what is stored; the index comes on top.
func (g *Budget) Size(r *wire.Request) (all, large int64) {
	const perSpan = 56
	for i := range r.Spans {
		if n := r.Spans[i].Body.Len(); g.pool.IsLarge(n) {
			large += int64(n)
		}
	}
	return int64(len(r.Bytes)) + perSpan*int64(len(r.Spans)), large
}

// Reserve sets memory and disk aside, deciding traces early where they are short. It fails with an error of spanlog.Pool's
// if there is no room. What was reserved is given back by Cancel of the pool.
func (g *Budget) Reserve(bytes, large int64) error {
	if g.pool.Over(bytes, reliefFrom) > 0 {
		g.Relieve(bytes, false)
	}
	err := g.pool.Reserve(bytes, large)
	if errors.Is(err, spanlog.ErrMemoryBudget) || errors.Is(err, spanlog.ErrDiskBudget) {
		g.Relieve(bytes, true)
		err = g.pool.Reserve(bytes, large)
	}
	return err
}

// Relieve makes room for so many bytes: it gives up traces that were not sampled, shrinks segments, and where that is not
// enough it decides traces early, boring ones first, the oldest of each shard. One goroutine does it at a time; with wait
// the others wait for their turn, else they return.
func (g *Budget) Relieve(bytes int64, wait bool) {
	if wait {
		g.relief.Lock()
	} else if !g.relief.TryLock() {
		return
	}
	defer g.relief.Unlock()
	for g.relieveOnce(g.excess(bytes, shard.Boring), bytes, (*shard.Shard).EvictOldest) {
	}
	g.shrinkFor(bytes)
	for maxRank := range shard.Ranks {
		early := func(s *shard.Shard, now clock.Monotonic) int64 { return s.DecideEarly(maxRank, decision.ByMemory, now) }
		for g.relieveOnce(g.excess(bytes, maxRank), bytes, early) {
		}
		if g.excess(bytes, shard.Failed) <= 0 {
			break
		}
	}
	g.Relieved()
}

// relieveOnce lets every shard give up its part of what is too much, and reports whether that helped and more may be
// needed. giveUp gives up a trace, and returns how many bytes of spans that was.
func (g *Budget) relieveOnce(excess, bytes int64, giveUp func(s *shard.Shard, now clock.Monotonic) int64) bool {
	if excess <= 0 {
		return false
	}
	b := g.buffer
	part := excess/int64(len(b.Members)) + 1
	progress := false
	for _, m := range b.Members {
		now := b.Now()
		m.Lock()
		for given := int64(0); given < part; {
			n := giveUp(m.Shard, now)
			if n == 0 {
				break
			}
			given += n
			progress = true
		}
		m.Log.SetTime(int64(b.UnixMilli(now)))
		if err := g.compact(m, g.OnDisk && g.pool.OverDisk(bytes, reliefTo) > 0); err != nil {
			b.Warn("segments cannot be compacted", err)
		}
		b.Leave(m)
	}
	return progress
}

// excess is by how much the buffer is too full for traces of this rank to stay. Boring ones go as soon as there is too
// little room; as delivery_budget is at most three quarters of the room, a backlog alone does not make them go. For what is
// likely to be kept, that which is decided and only waits for its delivery does not count: deciding more would not make that
// faster.
func (g *Budget) excess(bytes int64, maxRank shard.Rank) int64 {
	over := g.pool.Over(bytes, reliefTo)
	if over <= 0 || maxRank == shard.Boring {
		return over
	}
	for _, m := range g.buffer.Members {
		m.Lock()
		over -= m.Tally().Stats.UndeliveredBytes
		m.Unlock()
	}
	return over
}

// compact makes room by copying the last spans out of segments. Should the disk fail meanwhile, those that were not
// copied are found at the next start.
func (g *Budget) compact(m *buffer.Member, disk bool) (err error) {
	if g.OnDisk {
		defer spanlog.Guard(&err)()
	}
	m.Log.Compact(denseEnough, disk)
	return nil
}
