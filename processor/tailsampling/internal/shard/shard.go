package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/explain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/timed"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Shard buffers and decides the traces whose IDs hash to it. A visit locks it, calls methods, ends with EndVisit, and
// unlocks it. All methods but those of the mutex are called with it.
type Shard struct {
	timed.Mutex
	traces
	touched []slot          // entries that Review will look at
	counted int64           // bytes of the index that the pool has counted
	planned clock.Monotonic // when the decider will come by, by itself
}

// traces are the entries of a shard, and the state machine that they go through. Its methods are the transitions.
type traces struct {
	shared   *Shared
	log      Log
	index    entries
	versions version.InUse
	queues   queues
	outbox   undelivered
	judge    judge
	notes    notes
	links    links
	memory   decision.Memory
	records  explain.Records
	tally    tally.Shard
}

// New returns an empty shard. Its log and journal are set by Open.
func New(shared *Shared, v *version.Version) *Shard {
	s := &Shard{Mutex: timed.New(), planned: Never, traces: traces{
		shared: shared, versions: version.NewInUse(v), queues: newQueues(), outbox: outbox.New[entry, *entry](len(shared.Destinations)),
		memory:  decision.NewMemory(shared.Limits.Sampled, shared.Limits.Dropped, &shared.Seed),
		records: explain.NewRecords(shared.Limits.Records, &shared.Seed),
	}}
	s.tally.Shadow.Version = v
	s.links = newLinks(shared, &s.tally.Stats)
	return s
}

// Open gives the shard its log and journal.
func (s *Shard) Open(l Log, j Journal) {
	s.log = l
	s.judge = newJudge(s.shared, l, &s.index, &s.versions)
	s.notes = notes{shared: s.shared, journal: j, index: &s.index, revivable: &s.queues.revivable, outbox: &s.outbox}
}

// Aftermath is what a visit set in motion, to be seen to once the shard is unlocked.
type Aftermath struct {
	Sooner   bool             // something is due before the decider will come by: wake it
	Deliver  Mask             // these have a next: wake their senders
	Messages []linked.Message // to be passed on
}

// EndVisit gives back what the index has too much of, reports its memory to the pool, and returns what follows from the visit.
func (s *Shard) EndVisit() (after Aftermath) {
	s.index.Trim()
	s.count()
	if at := s.Next(); at < s.planned {
		s.planned, after.Sooner = at, true
	}
	after.Deliver = s.outbox.Ready(&s.index)
	after.Messages, s.links.messages = s.links.messages, nil
	return after
}

// count reports the memory of the index to the pool: once per visit, not per span.
func (s *Shard) count() {
	book(s, s.shared.Pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.size())-s.counted)
}

// book counts so many bytes more, or less, as the index of a shard.
func book(s *Shard, bytes int64) {
	if bytes != 0 {
		s.shared.Pool.Grow(bytes)
		s.shared.Index.Add(bytes)
		s.counted += bytes
	}
}

// Close gives the memory of the index back to the pool.
func (s *Shard) Close() {
	book(s, -s.counted)
}

// Versions are those that the shard's traces go by.
func (s *Shard) Versions() *version.InUse { return &s.versions }

// Swap makes v the version under which new traces begin. There must be room for it.
func (s *Shard) Swap(v *version.Version) {
	s.versions.Swap(v)
	s.tally.Shadow = tally.Shadow{Version: v}
}

// Tally is what is counted, valid until the mutex is given up. The caller may take the ages out of it.
func (s *Shard) Tally() *tally.Shard { return &s.tally }
