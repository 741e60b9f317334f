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

// Settings say how memory and disk may be saved.
type Settings struct {
	OnDisk      bool
	Compression Compression
	// Relieved is called after each relief, since undelivered traces may be what fills the budget.
	Relieved func()
}

// Compression says when full segments are compressed.
type Compression uint8

// The values of Compression.
const (
	Never  Compression = iota
	Auto               // when a budget runs short
	Always             // as soon as they are full
)

// Budget makes room in a buffer.
type Budget struct {
	Settings
	buffer *buffer.Buffer
	pool   *spanlog.Pool
	asked  *asked

	wake         chan struct{} // wakes Shrink
	next         atomic.Uint32 // the shard to visit next
	compressions atomic.Int64
	saved        atomic.Int64 // bytes
	left         atomic.Int64 // segments that left memory uncompressed
}

// New returns the budget of a buffer, each visit to which may wake Shrink.
func New(b *buffer.Buffer, s Settings) *Budget {
	budget := &Budget{Settings: s, buffer: b, pool: b.Pool, asked: newAsked(), wake: make(chan struct{}, 1)}
	b.OnVisited(budget.wakeShrinker)
	return budget
}

// Size estimates the memory that a request will take, and the part of it for segments larger than usual. The request's bytes cover the
// stored spans, but resources and scopes are stored once per shard that gets spans of theirs, and large ones for single spans or apart.
// The index comes on top.
func (g *Budget) Size(r *wire.Request) (all, large int64) {
	const perSpan = 56
	all = int64(len(r.Bytes)) + perSpan*int64(len(r.Spans))
	shards := len(g.buffer.Members)
	resource, ofResource := int32(-1), 0 // the last resource, and the number of its spans counted so far
	wide := false
	for i := 0; i < len(r.Spans); {
		scope := r.Spans[i].Scope
		s := &r.Scopes[scope]
		shared := &r.Resources[s.Resource]
		header := int(s.Header + shared.Header)
		usual, apart, bodies := 0, 0, 0 // spans, and bytes of those apart
		for ; i < len(r.Spans) && r.Spans[i].Scope == scope; i++ {
			switch n := r.Spans[i].Body.Len(); {
			case !g.pool.IsLarge(n + header):
				usual++
			case header <= n: // the headers are stored with this span alone
				all += int64(header)
				large += int64(n + header)
			default:
				apart++
				bodies += n
			}
		}
		if usual+apart == 0 {
			continue
		}
		if s.Resource != resource {
			resource, ofResource = s.Resource, 0
			all -= int64(shared.Header) // the request's bytes include it
		}
		ofScope := min(usual+apart, shards)
		again := min(ofScope, shards-ofResource)
		if apart > 0 && 2*int(s.Header) > g.pool.SegmentSize() {
			again = ofScope // the resource is in a segment already; the scope needs another
		}
		ofResource = min(ofResource+again, shards)
		copied := int64(again)*int64(shared.Header) + int64(ofScope)*int64(s.Header)
		if apart > 0 { // each of these segments begins with the headers, and can stay half empty
			segments := bodies / g.pool.SegmentSize()
			copied += int64(header) * int64(segments)
			copied += min(copied, int64(ofScope+segments)*int64(g.pool.SegmentSize()))
			large += copied + int64(bodies)
			wide = true
		}
		all += copied - int64(s.Header)
	}
	if wide {
		room := int64(g.pool.SegmentSize()) // of the last segment begun
		return all + room, large + room
	}
	return all, large
}

// FactsSize estimates the memory that the facts of a request's spans take: one each, and one for each of their origins in a shard.
func (g *Budget) FactsSize(r *wire.Request) int64 {
	spans := len(r.Spans)
	return spanlog.FactSize * int64(spans+min(spans, len(r.Scopes)*len(g.buffer.Members)))
}

// Reserve reserves memory and disk. If they are short, it asks Relieve for room and waits for it, reliefWait at most; then it fails
// with an error of spanlog.Pool. The pool's Cancel returns the reservation.
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

// excess returns the bytes by which the buffer is too full for traces of this rank to stay. Boring traces go first. A
// backlog alone does not evict them, since delivery_budget is at most three quarters of the room. For higher ranks, kept
// traces that wait for delivery do not count: deciding more traces would not speed that up.
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
