package decision

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Seconds is an instant by the wall clock in seconds since 1970.
type Seconds uint32

// UnixMilli returns the same instant in milliseconds.
func (s Seconds) UnixMilli() clock.UnixMilli { return clock.UnixMilli(s) * 1000 }

// Remembered is a decision as late spans follow it.
type Remembered struct {
	ID     wire.TraceID
	Policy int32 // number in version.Names; version.NoPolicy where the trace was not sampled
	At     Seconds
}

// Weight determines the adjusted count of late spans of a sampled trace; see Decided.
type Weight struct{ Threshold, Random uint64 }

// weighted is a Remembered with a weight, which only sampled traces have.
type weighted struct {
	Remembered
	Weight
}

// Memory remembers the latest decisions: sampled traces and all others, each up to a limit.
type Memory struct {
	sampled slab.Ring[weighted]
	notKept slab.Ring[Remembered] // not sampled, or dropped
}

// NewMemory returns an empty Memory. seed may change until the first decision is remembered.
func NewMemory(sampledLimit, notKeptLimit int, seed *index.Seed) Memory {
	return Memory{
		sampled: slab.NewRing(sampledLimit, func(r *weighted) uint32 { return uint32(seed.Hash(r.ID)) }),
		notKept: slab.NewRing(notKeptLimit, func(r *Remembered) uint32 { return uint32(seed.Hash(r.ID)) }),
	}
}

// Limit is the largest number of decisions that it remembers.
func (m *Memory) Limit() int { return m.sampled.Limit() + m.notKept.Limit() }

// Remember remembers a decision. An older entry for the same trace and verdict stays, hidden by the new one. The weight
// is only stored for a sampled trace.
func (m *Memory) Remember(hash uint32, r Remembered, v policy.Verdict, w Weight) {
	if v == policy.Sampled {
		m.sampled.Put(hash, weighted{r, w})
	} else {
		m.notKept.Put(hash, r)
	}
}

// Sampled returns the remembered decision about a sampled trace.
func (m *Memory) Sampled(hash uint32, id *wire.TraceID) (Remembered, Weight, bool) {
	for i := range m.sampled.Places(hash) {
		if r := m.sampled.At(i); r.ID == *id {
			return r.Remembered, r.Weight, true
		}
	}
	return Remembered{}, Weight{}, false
}

// NotKept returns the remembered decision about a trace that was not sampled, or dropped.
func (m *Memory) NotKept(hash uint32, id *wire.TraceID) (Remembered, bool) {
	for i := range m.notKept.Places(hash) {
		if r := m.notKept.At(i); r.ID == *id {
			return *r, true
		}
	}
	return Remembered{}, false
}
