package decision

import (
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Seconds is an instant by the wall clock in seconds since 1970.
type Seconds uint32

// Remembered is what late spans follow.
type Remembered struct {
	ID     wire.TraceID
	Policy int32 // number in version.Names
	At     Seconds
}

// Weight is what late spans of a sampled trace need to say how many they stand for; see Decided.
type Weight struct{ Threshold, Random uint64 }

// sampled is a Remembered with the weight that only sampled traces need.
type sampled struct {
	Remembered
	Weight
}

// Memory remembers the latest decisions: those that sampled, and all others, each up to a limit.
type Memory struct {
	sampled slab.Ring[sampled]
	dropped slab.Ring[Remembered]
}

// NewMemory returns an empty Memory. What seed points to may change until the first decision is remembered.
func NewMemory(sampledLimit, droppedLimit int, seed *index.Seed) Memory {
	return Memory{
		sampled: slab.NewRing(sampledLimit, func(r *sampled) uint32 { return uint32(seed.Hash(r.ID)) }),
		dropped: slab.NewRing(droppedLimit, func(r *Remembered) uint32 { return uint32(seed.Hash(r.ID)) }),
	}
}

// Limit is how many decisions can be remembered.
func (m *Memory) Limit() int { return m.sampled.Limit() + m.dropped.Limit() }

// Remember remembers a decision. What was remembered of the same trace with the same verdict before stays behind it. The
// weight is that of a sampled trace.
func (m *Memory) Remember(hash uint32, r Remembered, v policy.Verdict, w Weight) {
	if v == policy.Sampled {
		m.sampled.Put(hash, sampled{r, w})
	} else {
		m.dropped.Put(hash, r)
	}
}

// Sampled returns what is remembered of a trace that was sampled.
func (m *Memory) Sampled(hash uint32, id *wire.TraceID) (Remembered, Weight, bool) {
	for i := range m.sampled.Places(hash) {
		if r := m.sampled.At(i); r.ID == *id {
			return r.Remembered, r.Weight, true
		}
	}
	return Remembered{}, Weight{}, false
}

// Dropped returns what is remembered of a trace that was not sampled or dropped.
func (m *Memory) Dropped(hash uint32, id *wire.TraceID) (Remembered, bool) {
	for i := range m.dropped.Places(hash) {
		if r := m.dropped.At(i); r.ID == *id {
			return *r, true
		}
	}
	return Remembered{}, false
}
