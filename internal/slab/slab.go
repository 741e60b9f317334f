// Package slab holds many small values where the garbage collector need not look: values without pointers in chunks
// that never move, addressed by number, and a hash table that maps hashes to such numbers.
//
// Its types are Slab (the values) and Table (the way to them). Neither is safe for concurrent use, and neither gives
// memory back: what is freed is used again.
package slab

import "unsafe"

// chunkLen is how many values a chunk holds: large enough that chunks are few, small enough that a shard with little to
// do takes little, and that a budget is not passed by much when a chunk is added to a nearly full one.
const chunkLen = 1 << chunkBits

const chunkBits = 6

// Slab stores values of T by number. Numbers start at 1, so that 0 can stand for none. T must hold no pointers.
// The zero Slab is empty and ready.
type Slab[T any] struct {
	chunks []*[chunkLen]T
	free   []uint32
	used   uint32 // the highest number ever given out
}

// New returns a value, zeroed, and its number.
func (s *Slab[T]) New() (uint32, *T) {
	if last := len(s.free) - 1; last >= 0 {
		n := s.free[last]
		s.free = s.free[:last]
		v := s.At(n)
		var zero T
		*v = zero
		return n, v
	}
	if int(s.used) == len(s.chunks)*chunkLen {
		s.chunks = append(s.chunks, new([chunkLen]T))
	}
	s.used++
	return s.used, s.At(s.used)
}

// At returns the value with this number, which must be in use. The pointer stays valid until Free.
func (s *Slab[T]) At(n uint32) *T {
	n--
	return &s.chunks[n>>chunkBits][n&(chunkLen-1)]
}

// Free takes a number back; New gives it out again.
func (s *Slab[T]) Free(n uint32) {
	s.free = append(s.free, n)
}

// Max is the highest number that was ever given out.
func (s *Slab[T]) Max() uint32 { return s.used }

// Len is how many values are in use.
func (s *Slab[T]) Len() int { return int(s.used) - len(s.free) }

// Bytes is how much memory the slab occupies.
func (s *Slab[T]) Bytes() int {
	var zero T
	return len(s.chunks)*chunkLen*int(unsafe.Sizeof(zero)) + cap(s.free)*4
}
