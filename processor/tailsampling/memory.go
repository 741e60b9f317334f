package tailsampling

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/slab"
)

// memory remembers the latest decisions, up to a limit; the oldest is forgotten for the next. It holds no pointers but
// its own, and grows as needed.
type memory struct {
	limit  int
	seed   seed
	ring   []remembered
	oldest int // where the ring goes on once it is full
	table  slab.Table
	// weights are beside the ring, because only sampled traces need them.
	weighted bool
	weights  []weight
}

type remembered struct {
	id     wire.TraceID
	policy int32  // number in names
	at     uint32 // Unix seconds
}

// weight is what late spans need to say how many they stand for.
type weight struct{ threshold, rv uint64 }

// put remembers a decision. What was remembered of the same trace before stays behind it.
func (m *memory) put(hash uint32, r remembered, w weight) {
	if m.limit == 0 {
		return
	}
	i := len(m.ring)
	if i < m.limit {
		m.ring = append(m.ring, r)
		if m.weighted {
			m.weights = append(m.weights, w)
		}
	} else {
		i = m.oldest
		if m.oldest++; m.oldest == m.limit {
			m.oldest = 0
		}
		m.table.Remove(uint32(m.seed.hash(m.ring[i].id)), uint32(i+1))
		m.ring[i] = r
		if m.weighted {
			m.weights[i] = w
		}
	}
	m.table.Insert(hash, uint32(i+1))
}

// find returns what is remembered of a trace.
func (m *memory) find(hash uint32, id *wire.TraceID) (r remembered, w weight, found bool) {
	for n, at := m.table.First(hash); n != 0; n, at = m.table.Next(hash, at) {
		if r := &m.ring[n-1]; r.id == *id {
			if m.weighted {
				w = m.weights[n-1]
			}
			return *r, w, true
		}
	}
	return remembered{}, weight{}, false
}
