package budget

import (
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
	asked  *asked

	wake         chan struct{} // wakes Shrink
	next         atomic.Uint32 // the shard that is looked at next
	compressions atomic.Int64
	saved        atomic.Int64 // bytes
	left         atomic.Int64 // segments that left memory as they were
}

// New returns the budget of a buffer, each visit to which may wake Shrink.
func New(b *buffer.Buffer, s Settings) *Budget {
	budget := &Budget{Settings: s, buffer: b, pool: b.Pool, asked: newAsked(), wake: make(chan struct{}, 1)}
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

// Reserve sets memory and disk aside. Where they are short it asks Relieve for room, and waits for that no longer than reliefWait: it
// fails with an error of spanlog.Pool's if there is none. What was reserved is given back by Cancel of the pool.
func (g *Budget) Reserve(bytes, large int64) error {
	if g.pool.Over(bytes, reliefFrom) > 0 {
		g.asked.ask(bytes, g.buffer.Now())
	}
	err := g.pool.Reserve(bytes, large)
	if isShort(err) {
		return g.await(bytes, large, err)
	}
	return err
}

// decideEarly decides the oldest trace of a shard of at most this rank.
func decideEarly(maxRank shard.Rank) func(s *shard.Shard, now clock.Monotonic) int64 {
	return func(s *shard.Shard, now clock.Monotonic) int64 { return s.DecideEarly(maxRank, decision.ByMemory, now) }
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
