package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy/facts"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/explain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/marked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/timed"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Shard buffers and decides the traces whose IDs hash to it. A visit locks it, calls methods, ends with EndVisit, and
// unlocks it. All methods except those of the mutex are called with the mutex.
type Shard struct {
	timed.Mutex
	traces
	touched []slot          // entries that Review will look at
	counted int64           // bytes of the index as the pool counts them
	planned clock.Monotonic // when the decider will run by itself
}

// traces holds the entries of a shard. Its methods are the transitions of their states.
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
	marks    marked.Traces
	memory   decision.Memory
	records  explain.Records
	tally    tally.Shard
	fact     facts.Record // of the span being appended
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
	s.notes = notes{shared: s.shared, journal: j, index: &s.index, revivable: &s.queues.revivable, outbox: &s.outbox, marks: &s.marks}
}

// FollowUp is what a visit set in motion; the caller follows it up after unlocking the shard.
type FollowUp struct {
	WakeDecider bool             // an entry is due before the decider's next run: wake it
	Deliver     Mask             // destinations with a next trace: wake their senders
	Messages    []linked.Message // to be delivered
}

// EndVisit trims the index, reports its memory to the pool, and returns what follows from the visit.
func (s *Shard) EndVisit() (after FollowUp) {
	s.index.Trim()
	s.count()
	if at := s.Next(); at < s.planned {
		s.planned, after.WakeDecider = at, true
	}
	after.Deliver = s.outbox.Ready(&s.index)
	after.Messages, s.links.messages = s.links.messages, nil
	return after
}

// count reports the index's memory to the pool: once per visit, not per span.
func (s *Shard) count() {
	book(s, s.shared.Pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.size()+s.marks.Bytes())-s.counted)
}

// book adds bytes to, or subtracts them from, the memory of a shard's index.
func book(s *Shard, bytes int64) {
	if bytes != 0 {
		s.shared.Pool.Grow(bytes)
		s.shared.Index.Add(bytes)
		s.counted += bytes
	}
}

// Close returns the memory of the index to the pool.
func (s *Shard) Close() {
	book(s, -s.counted)
}

// Versions returns the versions that the shard's traces go by.
func (s *Shard) Versions() *version.InUse { return &s.versions }

// Swap makes v the version under which new traces begin. There must be room for it.
func (s *Shard) Swap(v *version.Version) {
	s.versions.Swap(v)
	s.tally.Shadow = tally.Shadow{Version: v}
}

// Tally returns the shard's counters, valid until the mutex is unlocked. The caller may take the ages out of
// it.
func (s *Shard) Tally() *tally.Shard { return &s.tally }
