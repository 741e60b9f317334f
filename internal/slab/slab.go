// Package slab holds many small values that the garbage collector need not scan: values without pointers in chunks that
// never move, addressed by number, and a hash table that maps hashes to such numbers.
//
// Its types are Slab (the values), Table (their numbers by hash) and Ring (the latest values). None is safe for
// concurrent use. Freed memory is reused; Trim of a Slab and of a Table returns unused memory after a burst.
package slab

import (
	"math/bits"
	"slices"
	"unsafe"
)

// chunkLen is the number of values in a chunk: large enough that chunks are few, small enough that a quiet shard takes
// little memory, that a new chunk exceeds a nearly used budget only a little, and that a long-lived value keeps little
// memory from being returned. A word has a bit for each.
const chunkLen = 1 << chunkBits

const chunkBits = 6

// allFree marks a chunk without values in use.
const allFree = ^uint64(0)

// Slab stores values of T by number. Numbers start at 1, so that 0 can stand for none. T must hold no pointers.
// The zero Slab is empty and ready.
//
// The lowest slots are used first, so that the slots of a burst become free together, chunk by chunk.
type Slab[T any] struct {
	chunks []*[chunkLen]T // by place; nil if the chunk was returned
	free   []uint64       // by place: a bit for each free slot; 0 without a chunk
	open   []uint64       // a bit for each place whose chunk has a free slot
	low    int            // the first word of open that may have a bit
	gaps   []uint32       // places without a chunk, the highest first
	made   int            // number of chunks
	empty  int            // chunks without values in use
	used   int            // values in use
}

// New allocates a zeroed value, and returns its number.
func (s *Slab[T]) New() (uint32, *T) {
	for s.low < len(s.open) && s.open[s.low] == 0 {
		s.low++
	}
	if s.low == len(s.open) {
		s.grow()
	}
	place := s.low<<6 | bits.TrailingZeros64(s.open[s.low])
	free := s.free[place]
	if free == allFree {
		s.empty--
	}
	i := bits.TrailingZeros64(free)
	if free &= free - 1; free == 0 {
		s.open[s.low] &= s.open[s.low] - 1
	}
	s.free[place] = free
	s.used++
	v := &s.chunks[place][i]
	var zero T
	*v = zero
	return uint32(place<<chunkBits|i) + 1, v
}

// grow adds a chunk, in the place of a returned one if there is any. Call it when no chunk has a free slot.
func (s *Slab[T]) grow() {
	place := len(s.chunks)
	if last := len(s.gaps) - 1; last >= 0 {
		place = int(s.gaps[last])
		s.gaps = s.gaps[:last]
	} else {
		s.chunks, s.free = append(s.chunks, nil), append(s.free, 0)
		if place>>6 == len(s.open) {
			s.open = append(s.open, 0)
		}
	}
	s.chunks[place], s.free[place] = new([chunkLen]T), allFree
	s.low = place >> 6
	s.open[s.low] |= 1 << (place & 63)
	s.made++
	s.empty++
}

// At returns the value with this number, which must be in use. The pointer stays valid until Free.
func (s *Slab[T]) At(n uint32) *T {
	n--
	return &s.chunks[n>>chunkBits][n&(chunkLen-1)]
}

// Free frees a number for reuse. The value stays as it is until Trim.
func (s *Slab[T]) Free(n uint32) {
	n--
	place := int(n >> chunkBits)
	free := s.free[place]
	if free == 0 {
		word := place >> 6
		s.open[word] |= 1 << (place & 63)
		s.low = min(s.low, word)
	}
	free |= 1 << (n & (chunkLen - 1))
	if s.free[place] = free; free == allFree {
		s.empty++
	}
	s.used--
}

// Has reports whether a number is in use.
func (s *Slab[T]) Has(n uint32) bool {
	n--
	place := int(n >> chunkBits)
	return place < len(s.chunks) && s.chunks[place] != nil && s.free[place]>>(n&(chunkLen-1))&1 == 0
}

// Len is the number of values in use.
func (s *Slab[T]) Len() int { return s.used }

// Trim frees chunks without values in use, except for a few that save allocations. It does nothing while there are few of
// them, so that its cost is spread over the freed values.
func (s *Slab[T]) Trim() {
	const few, share = 2, 4
	spare := (s.made - s.empty) / share
	if s.empty <= few+spare {
		return
	}
	s.gaps = s.gaps[:0]
	drop := s.empty - (few+spare)/2
	for place := len(s.chunks) - 1; place >= 0; place-- {
		switch {
		case s.chunks[place] == nil:
		case drop > 0 && s.free[place] == allFree:
			drop--
			s.made--
			s.empty--
			s.chunks[place], s.free[place] = nil, 0
			s.open[place>>6] &^= 1 << (place & 63)
		default:
			continue
		}
		if place == len(s.chunks)-1 {
			s.chunks, s.free = s.chunks[:place], s.free[:place]
		} else {
			s.gaps = append(s.gaps, uint32(place))
		}
	}
	s.open = s.open[:(len(s.chunks)+63)>>6]
	s.low = min(s.low, len(s.open))
	s.chunks, s.free, s.open, s.gaps = fit(s.chunks), fit(s.free), fit(s.open), fit(s.gaps)
}

// fit returns the slice, copied if its capacity is many times its length.
func fit[E any](list []E) []E {
	const most = 4
	if cap(list) <= most*len(list)+chunkLen {
		return list
	}
	return slices.Clone(list)
}

// Bytes is the memory that the slab occupies.
func (s *Slab[T]) Bytes() int {
	const word = 8
	var zero T
	return s.made*chunkLen*int(unsafe.Sizeof(zero)) + (cap(s.chunks)+cap(s.free)+cap(s.open))*word + cap(s.gaps)*word/2
}
