package tailsampling

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/internal/slab"
)

// record is what is remembered of a decision to explain it. It holds no pointer.
type record struct {
	id                    wire.TraceID
	at                    int64 // Unix milliseconds
	duration              uint64
	threshold, randomness uint64
	bytes                 uint64
	version, policy       int32 // policy: number in names
	spans, late           uint32
	waited                uint32 // milliseconds from the first span to the decision
	shadow                int32  // the shadow's policy, by its index
	verdict, shadowed     policy.Verdict
	trigger               trigger
	marks                 mark
}

// mark is what is true of a record.
type mark uint8

const (
	hadRoot mark = 1 << iota
	hadError
	hadShadow
	hadVotes
)

// records are those of a shard's latest decisions, the oldest of which is forgotten for the next. They hold no pointers
// but their own, so that the garbage collector passes over them.
type records struct {
	limit  int
	seed   seed
	ring   []record
	oldest int // where the ring goes on once it is full
	table  slab.Table
	votes  []uint64 // width of each record: a bit for each policy that matched, then one for each that acted
	width  int
}

// put remembers a decision, the second about a trace in place of the first.
func (m *records) put(hash uint32, r *record, votes []policy.Vote, drops []bool) {
	if m.limit == 0 {
		return
	}
	if words := 2 * ((len(votes) + 63) / 64); words > m.width {
		m.widen(words)
	}
	i := m.find(hash, &r.id)
	if i >= 0 {
		r.marks |= m.ring[i].marks & hadRoot
	} else {
		i = m.room()
		m.table.Insert(hash, uint32(i+1))
	}
	m.ring[i] = *r
	matched, acted := m.votesOf(i)
	clear(matched)
	clear(acted)
	for p, v := range votes {
		if v.Matched {
			matched[p/64] |= 1 << (p % 64)
			if v.Sampled(r.randomness) != drops[p] {
				acted[p/64] |= 1 << (p % 64)
			}
		}
	}
}

// room returns where the next record goes.
func (m *records) room() int {
	if i := len(m.ring); i < m.limit {
		m.ring = append(m.ring, record{})
		for range m.width {
			m.votes = append(m.votes, 0)
		}
		return i
	}
	i := m.oldest
	if m.oldest++; m.oldest == m.limit {
		m.oldest = 0
	}
	m.table.Remove(uint32(m.seed.hash(m.ring[i].id)), uint32(i+1))
	return i
}

// widen makes room for more policies.
func (m *records) widen(words int) {
	old, half := *m, m.width/2
	m.width, m.votes = words, make([]uint64, len(m.ring)*words)
	for i := range m.ring {
		matched, acted := m.votesOf(i)
		copy(matched, old.votes[i*old.width:][:half])
		copy(acted, old.votes[i*old.width+half:][:half])
	}
}

// votesOf returns the votes of a record: which policies matched, and which of these sampled it, or dropped it.
func (m *records) votesOf(i int) (matched, acted []uint64) {
	of := m.votes[i*m.width : (i+1)*m.width]
	return of[:m.width/2], of[m.width/2:]
}

// find returns where the record of a trace is, -1 if there is none.
func (m *records) find(hash uint32, id *wire.TraceID) int {
	for n, at := m.table.First(hash); n != 0; n, at = m.table.Next(hash, at) {
		if m.ring[n-1].id == *id {
			return int(n - 1)
		}
	}
	return -1
}

// late counts a late span.
func (m *records) late(hash uint32, id *wire.TraceID, root bool) {
	if i := m.find(hash, id); i >= 0 {
		m.ring[i].late++
		if root {
			m.ring[i].marks |= hadRoot
		}
	}
}
