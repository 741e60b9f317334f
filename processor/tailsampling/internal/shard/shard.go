package shard

import (
	"sync"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/explain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Shard buffers and decides the traces whose IDs hash to it. A visit locks it, calls methods, ends with EndVisit, and
// unlocks it. All methods but Lock are called with the mutex.
type Shard struct {
	mu sync.Mutex
	traces
	touched []slot          // entries that Review will look at
	counted int64           // bytes of the index that the pool was told of
	planned clock.Monotonic // when the decider will come by, by itself
}

// traces are the entries of a shard, and the state machine that they go through. Its methods are the transitions.
type traces struct {
	shared   *Shared
	log      Log
	journal  Journal
	index    entries
	versions version.InUse
	queues   queues
	judge    judge
	memory   decision.Memory
	records  explain.Records
	ties     *linked.Ties // nil where traces are not kept for links
	linkedTo map[slot]wire.TraceID
	messages []linked.Message // to be passed on when the shard is unlocked
	stats    tally.Stats
	shadow   tally.Shadow
	ages     tally.Ages
}

// New returns an empty shard. Its log and journal are set by Open.
func New(shared *Shared, v *version.Version) *Shard {
	s := &Shard{planned: Never, traces: traces{
		shared: shared, journal: NoJournal{}, versions: version.NewInUse(v), queues: newQueues(),
		memory:  decision.NewMemory(shared.Limits.Sampled, shared.Limits.Dropped, &shared.Seed),
		records: explain.NewRecords(shared.Limits.Records, &shared.Seed),
		shadow:  tally.Shadow{Version: v},
	}}
	if shared.Limits.Ties > 0 {
		s.ties = linked.NewTies(shared.Limits.Ties, shared.Limits.TiesPerTrace)
		s.linkedTo = map[slot]wire.TraceID{}
	}
	return s
}

// Open gives the shard its log and journal.
func (s *Shard) Open(l Log, j Journal) { s.log, s.journal = l, j }

// Lock begins a visit.
func (s *Shard) Lock() { s.mu.Lock() }

// Unlock lets others in.
func (s *Shard) Unlock() { s.mu.Unlock() }

// Aftermath is what a visit set in motion, to be seen to once the shard is unlocked.
type Aftermath struct {
	Sooner   bool             // something is due before the decider will come by: wake it
	Deliver  bool             // something is ready: wake the emitter
	Messages []linked.Message // to be passed on
}

// EndVisit tells the pool how much memory the index takes, and returns what follows from the visit.
func (s *Shard) EndVisit() (after Aftermath) {
	s.count()
	if _, at, _ := s.queues.first(&s.index, &s.shared.Waits); at < s.planned {
		s.planned, after.Sooner = at, true
	}
	after.Deliver = !s.queues.ready.Empty()
	after.Messages, s.messages = s.messages, nil
	return after
}

// count tells the pool how much memory the index takes: once per visit, not per span.
func (s *Shard) count() {
	now := s.shared.Pool.OnHeap(s.index.Bytes() + s.versions.Bytes() + s.ties.Bytes())
	if now != s.counted {
		s.shared.Pool.Grow(now - s.counted)
		s.counted = now
	}
}

// Close gives the memory of the index back to the pool.
func (s *Shard) Close() {
	s.shared.Pool.Grow(-s.counted)
	s.counted = 0
}

// Full reports whether there is no room for another version.
func (s *Shard) Full() bool { return s.versions.Full() }

// InUse is how many versions the shard's traces go by, the current one included.
func (s *Shard) InUse() int { return s.versions.Len() }

// Swap makes v the version under which new traces begin. The shard must not be Full.
func (s *Shard) Swap(v *version.Version) {
	s.versions.Swap(v)
	s.shadow = tally.Shadow{Version: v}
}

// Stats are the counts of the shard, valid until the mutex is given up; Shadow likewise.
func (s *Shard) Stats() *tally.Stats { return &s.stats }

// Shadow is what the shadow of the current version would have done.
func (s *Shard) Shadow() *tally.Shadow { return &s.shadow }

// TakeAges returns the ages that wait to be recorded, and leaves others, which must be empty, in their place.
func (s *Shard) TakeAges(others tally.Ages) tally.Ages {
	taken := s.ages
	s.ages = others
	return taken
}

// Oldest is when the first span of the oldest undecided trace came, Never if there is none.
func (s *Shard) Oldest() clock.Monotonic {
	if h := s.queues.waiting.Head(); h != 0 {
		return s.index.At(h).arrived
	}
	return Never
}

// unixMilli is the wall time of an instant.
func (t *traces) unixMilli(at clock.Monotonic) clock.UnixMilli { return t.shared.Epoch.UnixMilli(at) }

// seconds is the wall time of an instant in seconds.
func (t *traces) seconds(at clock.Monotonic) decision.Seconds {
	return decision.Seconds(t.unixMilli(at).Unix())
}
