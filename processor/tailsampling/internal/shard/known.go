package shard

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/explain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Known reads the traces of a shard for display. Its methods are called with the shard's mutex.
type Known struct{ *traces }

// Known returns the view of the shard's traces.
func (s *Shard) Known() Known { return Known{&s.traces} }

// Pending describes a trace that waits for its decision.
type Pending struct {
	Version     *version.Version
	First       clock.UnixMilli // when its first span came
	Randomness  uint64
	Root, Error bool
	Spans       int64
	Bytes       int64
	Duration    time.Duration // from the earliest start to the latest end
}

// Pending describes a trace that waits for its decision. It returns false for any other trace.
func (s Known) Pending(hash uint32, id *wire.TraceID, now clock.Monotonic) (p Pending, ok bool) {
	n := s.index.Find(hash, id)
	if n == 0 || !s.index.At(n).undecided() {
		return Pending{}, false
	}
	e, trace := s.index.At(n), s.judge.evidence(n, now)
	v := s.versions.Of(e.generation)
	return Pending{
		Version: v, First: s.shared.UnixMilli(e.arrived), Randomness: trace.Randomness, Root: e.state == stateRooted,
		Error: v.Set.Errors(trace.Bits), Spans: int64(e.spans), Bytes: int64(e.bytes), Duration: e.span.duration(),
	}, true
}

// Record returns the record of a decision; see explain.Records.Find.
func (s Known) Record(hash uint32, id *wire.TraceID) (r *explain.Record, matched, acted []uint64) {
	return s.records.Find(hash, id)
}

// Faded is a decision of which only the part for late spans is remembered.
type Faded struct {
	Verdict   policy.Verdict
	Policy    int32 // number in version.Names
	At        clock.UnixMilli
	Threshold uint64 // of a sampled trace
}

// Faded returns the decision that late spans of a trace follow. It returns false if none is remembered.
func (s Known) Faded(hash uint32, id *wire.TraceID) (f Faded, ok bool) {
	if n := s.index.Find(hash, id); n != 0 && s.index.At(n).state == stateRevivable {
		return Faded{At: s.shared.UnixMilli(s.index.At(n).decidedAt)}, true
	}
	if r, w, sampled := s.memory.Sampled(hash, id); sampled {
		return Faded{Verdict: policy.Sampled, Policy: r.Policy, At: r.At.UnixMilli(), Threshold: w.Threshold}, true
	}
	r, known := s.memory.NotKept(hash, id)
	if !known {
		return Faded{}, false
	}
	f = Faded{Policy: r.Policy, At: r.At.UnixMilli()}
	if r.Policy != version.NoPolicy {
		f.Verdict = policy.Dropped
	}
	return f, true
}

// LinkedTo returns the trace for which another one is kept, if that is remembered.
func (s Known) LinkedTo(hash uint32, id *wire.TraceID) (other wire.TraceID, found bool) {
	if s.links.ties == nil {
		return other, false
	}
	return s.links.ties.Wanted(hash, id)
}

// Oldest returns the arrival of the oldest undecided trace's first span, Never if there is none.
func (s Known) Oldest() clock.Monotonic {
	if h := s.queues.waiting.Head(); h != 0 {
		return s.index.At(h).arrived
	}
	return Never
}
