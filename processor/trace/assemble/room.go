package assemble

import (
	"unsafe"

	"github.com/slowburn/slowburn/processor/trace"
)

// room is the memory of the traces of a wire.Kept, which is used again when that is filled again.
type room struct {
	spans   stretch[trace.Span]
	numbers stretch[int]
}

// Reset gives the traces up.
func (r *room) Reset() {
	r.spans.reset()
	r.numbers.reset()
}

// Memory is how many bytes of the heap the next traces can use again.
func (r *room) Memory() int { return r.spans.memory() + r.numbers.memory() }

// stretch hands out parts of one array. The zero stretch is ready.
type stretch[T any] struct {
	all  []T
	used int
}

// maxStretch is how many elements a stretch keeps: the load of a sender has no more spans, but for one giant trace.
const maxStretch = 4096

// take returns n elements, zero, with room for no more. What it returned before stays, also where the array is full.
func (s *stretch[T]) take(n int) []T {
	if len(s.all)-s.used < n {
		s.all, s.used = make([]T, max(n, min(2*len(s.all), maxStretch))), 0
	}
	part := s.all[s.used : s.used+n : s.used+n]
	s.used += n
	return part
}

// reset takes all back, and lets go of what elements point to.
func (s *stretch[T]) reset() {
	if len(s.all) > maxStretch {
		s.all = nil
	}
	clear(s.all[:min(s.used, len(s.all))])
	s.used = 0
}

func (s *stretch[T]) memory() int {
	var one T
	return len(s.all) * int(unsafe.Sizeof(one))
}
