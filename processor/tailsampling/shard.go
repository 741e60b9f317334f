package tailsampling

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/internal/slab"
)

// lateWait is how long late spans of a sampled trace gather before they are passed on.
const lateWait = 100 * time.Millisecond

// requeueEvery is how precise the quiet time is: moving a trace to the end of the list for each of its spans would cost
// more than it is worth.
const requeueEvery = 20 * time.Millisecond

// shard buffers and decides the traces whose IDs hash to it. Everything in it is guarded by mu.
type shard struct {
	waits        waits
	ingests      bool // decides traces as soon as that is certain
	linksPerSpan int
	linkedNumber int32 // of linkedPolicy in names
	pool         *spanlog.Pool
	epoch        int64 // Unix milliseconds when the sampler began

	mu      sync.Mutex
	log     *spanlog.Log
	journal *spanlog.Journal // nil in memory
	keep    int              // events that stay in the journal for late spans
	entries entries
	rules   generations
	index   slab.Table // pending, revivable and late entries, by trace ID

	waiting   list          // not decided, oldest first
	quiet     list          // of these, those with a root, longest quiet first
	unsampled list          // revivable, those that were decided first first
	late      list          // late parts, oldest first
	ready     list          // sampled, next to be delivered first
	touched   []uint32      // entries that review will look at
	links     *links        // nil where traces are not kept for links
	notices   []notice      // to be told to other shards, or this one, when it is unlocked
	cursors   [ranks]uint32 // in waiting: no trace before it has a lower rank; 0 is the end
	sampled   memory        // of sampled traces
	dropped   memory        // of traces not sampled or dropped
	stats     stats         // what happened since the beginning, and what is there
	ages      ages          // to be recorded
	counted   int64         // bytes of the index that the pool was told of
	records   records       // to explain decisions
	scratch   policy.Trace
	skeleton  skeleton // of scratch

	// Of the decision that is being carried out, if policies were asked.
	votes    []policy.Vote
	shadowed policy.Decision // by the shadow, if compared
	compared bool

	planned int64         // when the decider will come by, by itself
	emitter chan struct{} // wakes the emitter that serves this shard

	pending *atomic.Int64 // traces that wait for a decision, in all shards
	most    int64         // of these; 0 is no limit
}

// waits are the times after which a trace is decided, as durations in nanoseconds.
type waits struct {
	decision, root int64
	revive         int64  // how long what was not sampled stays
	size           uint64 // bytes of a trace from which on it is trimmed; at twice as many it is decided
}

// largestTrace is where a trace is trimmed whatever the configuration: an OTLP request of more can be sent nowhere.
const largestTrace = 1 << 29

func newShard(cfg *Config, r *rules, pool *spanlog.Pool, number int, pending *atomic.Int64) *shard {
	largest := cfg.MaximumTraceSizeBytes
	if largest == 0 || largest > largestTrace {
		largest = largestTrace
	}
	share := func(n int) int { return (n + cfg.shards() - 1) / cfg.shards() }
	s := &shard{
		waits: waits{
			decision: int64(cfg.DecisionWait),
			root:     int64(cfg.DecisionWaitAfterRootReceived),
			revive:   int64(cfg.ReviveWindow),
			size:     uint64(largest),
		},
		ingests:   cfg.SamplingStrategy == spanIngest,
		pool:      pool,
		log:       spanlog.New(pool, number),
		rules:     newGenerations(r),
		waiting:   list{kind: byAge},
		unsampled: list{kind: byAge},
		late:      list{kind: byAge},
		ready:     list{kind: byAge},
		quiet:     list{kind: byQuiet},
		sampled:   memory{limit: share(cfg.DecisionCache.SampledCacheSize), weighted: true},
		dropped:   memory{limit: share(cfg.DecisionCache.NonSampledCacheSize)},
		records:   records{limit: share(cfg.Explain.Decisions)},
		planned:   never,
		pending:   pending,
		most:      int64(cfg.NumTraces),

		linksPerSpan: cfg.LinkedTraces.MaxLinksPerSpan,
	}
	s.skeleton.init(s)
	if cfg.LinkedTraces.Enabled {
		s.links = &links{limit: share(2 * cfg.LinkedTraces.MaxLinks), perTrace: cfg.LinkedTraces.MaxLinksPerTrace}
	}
	return s
}

// add buffers a span, or drops it if its trace was dropped.
func (s *shard) add(in *ingest, i uint32, now int64) {
	span, hash := &in.request.Spans[i], uint32(in.hashes[i])
	n := s.find(hash, &span.TraceID)
	if n == 0 {
		if n = s.admit(hash, &span.TraceID, now); n == 0 {
			return
		}
	}
	e := s.entries.At(n)
	if s.trims(e, span) {
		s.trim(in, span, n, e, now)
		return
	}
	body := span.Body.Of(in.request.Bytes)
	s.log.Append(&e.chain, &in.origins[span.Scope], body) // first: it may fault where the disk fails
	e.spans++
	e.bytes += uint64(len(body))
	s.stats.spans++
	if span.Linked && s.links != nil {
		s.tie(e, body)
	}
	if e.state == late {
		s.stats.lateKept++
		s.records.late(hash, &span.TraceID, span.ParentID.IsZero())
		return
	}
	if e.state == revivable {
		s.addHeld(e, len(body), now)
		s.records.late(hash, &span.TraceID, span.ParentID.IsZero())
		s.touch(n)
		s.look(in, span, n, e, now)
		return
	}
	s.stats.pendingBytes += int64(len(body))
	if s.ingests {
		s.touch(n)
	}
	s.look(in, span, n, e, now)
	if e.bytes >= 2*s.waits.size {
		s.decide(n, bySize, now)
	}
}

// look lets a pending trace's entry know of a span.
func (s *shard) look(in *ingest, span *wire.Span, n uint32, e *entry, now int64) {
	g := s.rules.at(e)
	bits := g.bits.at(n)
	scope := &in.request.Scopes[span.Scope]
	known := g.rules == in.rules
	if known {
		for w, found := range in.bitsOf(scope.Resource) {
			bits[w] |= found
		}
	}
	in.view = policy.SpanView{
		Span: span, Bytes: in.request.Bytes, Body: span.Body.Of(in.request.Bytes),
		Resource: in.header(int(scope.Resource)), Scope: in.header(len(in.request.Resources) + int(span.Scope)), ResourceKnown: known,
	}
	s.observe(g.rules, &in.view, bits, e)
	s.root(span, n, e, now)
}

// observe adds what decisions need to know of a span to its trace's entry.
func (s *shard) observe(r *rules, v *policy.SpanView, bits []uint64, e *entry) {
	r.observe(bits, v)
	if span := v.Span; span.Start != 0 && span.End != 0 {
		if e.start == 0 || span.Start < e.start {
			e.start = span.Start
		}
		e.end = max(e.end, span.End)
	}
	if state := v.TraceState(); len(state) > 0 {
		e.rv = min(e.rv, tracestate.Parse(state).Randomness)
	}
}

// root takes note of a root span, and keeps the list of traces that have one and wait for being quiet.
func (s *shard) root(span *wire.Span, n uint32, e *entry, now int64) {
	switch {
	case e.state == revivable:
	case e.state == rooted:
		if s.waits.root != 0 && now-e.touched >= int64(requeueEvery) {
			s.quiet.remove(&s.entries, n)
			s.quiet.pushBack(&s.entries, n)
			e.touched = now
		}
	case span.ParentID.IsZero():
		e.state, e.touched = rooted, now
		if s.waits.root != 0 {
			s.quiet.pushBack(&s.entries, n)
		}
	}
}

// find returns the entry of a trace that is pending, revivable or has a late part, 0 if there is none.
func (s *shard) find(hash uint32, id *wire.TraceID) uint32 {
	for n, at := s.index.First(hash); n != 0; n, at = s.index.Next(hash, at) {
		if s.entries.At(n).id == *id {
			return n
		}
	}
	return 0
}

// admit makes an entry for a trace that has none: for the trace if it is new, for a late part if it was sampled. It
// returns 0 if it was dropped.
func (s *shard) admit(hash uint32, id *wire.TraceID, now int64) uint32 {
	d, w, found := s.sampled.find(hash, id) // first: what was revived may have been read back as dropped too
	if !found {
		if d, _, dropped := s.dropped.find(hash, id); dropped {
			s.stats.lateDropped++
			s.records.late(hash, id, false)
			s.ages.addLate(s.age(d.at, now))
			return 0
		}
	}
	n, e := s.entries.New()
	*e = entry{id: *id, hash: hash, arrived: now, rv: tracestate.None, from: s.log.Position()}
	s.index.Insert(hash, n)
	if found {
		e.state, e.policy, e.threshold, e.rv = late, d.policy, w.threshold, w.rv
		s.late.pushBack(&s.entries, n)
		s.ages.addLate(s.age(d.at, now))
		return n
	}
	s.rules.begin(n, e)
	s.waiting.pushBack(&s.entries, n)
	for r := range s.cursors {
		if s.cursors[r] == 0 {
			s.cursors[r] = n
		}
	}
	s.stats.traces++
	s.stats.pending++
	s.pending.Add(1)
	return n
}

// free releases an entry and its spans.
func (s *shard) free(n uint32, now int64) {
	e := s.entries.At(n)
	s.stats.spans -= int64(e.spans)
	s.log.Release(&e.chain)
	if e.state != late {
		s.ages.addRemoved(now, e.arrived)
	}
	e.state = gone
	s.entries.Free(n)
}

// count tells the pool how much memory the index takes. It is called once per visit, not per span.
func (s *shard) count() {
	now := s.pool.OnHeap(s.entries.Bytes() + s.index.Bytes() + s.rules.bytes() + s.links.bytes())
	if now != s.counted {
		s.pool.Grow(now - s.counted)
		s.counted = now
	}
}

// unixMilli returns the time in Unix milliseconds.
func (s *shard) unixMilli(now int64) int64 { return s.epoch + now/1e6 }

// unix returns the time in Unix seconds.
func (s *shard) unix(now int64) uint32 { return uint32(s.unixMilli(now) / 1000) }

// age is how many seconds ago something was.
func (s *shard) age(unix uint32, now int64) int64 { return int64(s.unix(now)) - int64(unix) }
