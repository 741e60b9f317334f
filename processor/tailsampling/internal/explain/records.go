// Package explain remembers the latest decisions of a shard in full.
//
// Its types are Records (the latest decisions) and Record (one of them). Records are guarded by their shard's mutex and hold
// no pointers but their own, so that the garbage collector does not scan them.
package explain

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Record is a remembered decision. It holds no pointer.
type Record struct {
	ID                     wire.TraceID
	At                     clock.UnixMilli
	Duration               time.Duration
	Threshold, Randomness  uint64
	Bytes                  uint64
	Version, Policy        int32 // Policy: number in version.Names
	Spans, Late            uint32
	Waited                 uint32 // milliseconds from the first span to the decision
	ShadowPolicy           int32  // index in the shadow
	Verdict, ShadowVerdict policy.Verdict
	Trigger                decision.Trigger
	marks                  mark
}

// mark is a set of flags of a record.
type mark uint8

const (
	hadRoot mark = 1 << iota
	hadError
	hadShadow
	hadVotes
)

// HadRoot reports whether a root span came, before the decision or late.
func (r *Record) HadRoot() bool { return r.marks&hadRoot != 0 }

// HadError reports whether a span had an error when the trace was decided.
func (r *Record) HadError() bool { return r.marks&hadError != 0 }

// HadShadow reports whether ShadowPolicy and ShadowVerdict are set.
func (r *Record) HadShadow() bool { return r.marks&hadShadow != 0 }

// HadVotes reports whether the policies were asked, so that there are votes.
func (r *Record) HadVotes() bool { return r.marks&hadVotes != 0 }

// Records are the latest decisions, at most one per trace.
type Records struct {
	ring  slab.Ring[Record]
	votes []uint64 // width of each record: a bit for each policy that matched, then one for each that acted
	width int
}

// NewRecords returns empty Records with room for limit decisions. seed may change until the first Put.
func NewRecords(limit int, seed *index.Seed) Records {
	return Records{ring: slab.NewRing(limit, func(r *Record) uint32 { return uint32(seed.Hash(r.ID)) })}
}

// Put remembers a decision, made at an instant. A second one about a trace replaces the first.
func (m *Records) Put(d *decision.Decided, at clock.UnixMilli) {
	if m.ring.Limit() == 0 {
		return
	}
	if words := 2 * ((len(d.Votes) + 63) / 64); words > m.width {
		m.widen(words)
	}
	rec := recordOf(d, at)
	i := m.place(d.Hash, &d.ID)
	if i >= 0 {
		rec.marks |= m.ring.At(i).marks & hadRoot
		*m.ring.At(i) = rec
	} else {
		i = m.ring.Put(d.Hash, rec)
		for len(m.votes) < m.ring.Len()*m.width {
			m.votes = append(m.votes, 0)
		}
	}
	matched, acted := m.votesOf(i)
	clear(matched)
	clear(acted)
	for p, v := range d.Votes {
		if v.Matched {
			matched[p/64] |= 1 << (p % 64)
			if v.Sampled(rec.Randomness) != d.Version.IsDrop(p) {
				acted[p/64] |= 1 << (p % 64)
			}
		}
	}
}

func recordOf(d *decision.Decided, at clock.UnixMilli) Record {
	r := Record{
		ID: d.ID, At: at, Duration: d.Seen.Duration, Threshold: d.Threshold, Randomness: d.Randomness(), Bytes: d.Seen.Bytes,
		Version: int32(d.Version.Number), Policy: d.Policy, Spans: d.Seen.Spans,
		Waited: uint32(d.At.Sub(d.Seen.First).Milliseconds()), Verdict: d.Verdict, Trigger: d.Trigger,
	}
	if d.Seen.Root {
		r.marks |= hadRoot
	}
	if d.Seen.Error {
		r.marks |= hadError
	}
	if len(d.Votes) > 0 {
		r.marks |= hadVotes
	}
	if d.Shadow.Compared {
		r.marks |= hadShadow
		r.ShadowVerdict, r.ShadowPolicy = d.Shadow.Verdict, int32(d.Shadow.Policy)
	}
	return r
}

// widen makes room for more policies.
func (m *Records) widen(words int) {
	old := *m
	m.width, m.votes = words, make([]uint64, m.ring.Len()*words)
	for i := range m.ring.Len() {
		matched, acted := m.votesOf(i)
		oldMatched, oldActed := old.votesOf(i)
		copy(matched, oldMatched)
		copy(acted, oldActed)
	}
}

// votesOf returns the votes of a record: bits of the policies that matched, and of those of them that sampled
// or dropped the trace.
func (m *Records) votesOf(i int) (matched, acted []uint64) {
	votes := m.votes[i*m.width : (i+1)*m.width]
	return votes[:m.width/2], votes[m.width/2:]
}

func (m *Records) place(hash uint32, id *wire.TraceID) int {
	for i := range m.ring.Places(hash) {
		if m.ring.At(i).ID == *id {
			return i
		}
	}
	return -1
}

// Find returns the record of a trace, nil if there is none, and its votes: a bit per policy for having matched, and one
// for having sampled or dropped the trace. All are valid until the next Put.
func (m *Records) Find(hash uint32, id *wire.TraceID) (r *Record, matched, acted []uint64) {
	i := m.place(hash, id)
	if i < 0 {
		return nil, nil, nil
	}
	matched, acted = m.votesOf(i)
	return m.ring.At(i), matched, acted
}

// AddLate counts a late span of a trace.
func (m *Records) AddLate(hash uint32, id *wire.TraceID, root bool) {
	if i := m.place(hash, id); i >= 0 {
		r := m.ring.At(i)
		r.Late++
		if root {
			r.marks |= hadRoot
		}
	}
}

// Bytes is the memory that the records occupy.
func (m *Records) Bytes() int { return m.ring.Bytes() + cap(m.votes)*8 }
