package assemble

import (
	"unsafe"

	"github.com/slowburn/slowburn/processor/trace"
)

// room is the memory of the traces of a wire.Kept, for reuse with its next contents.
type room struct {
	spans   stretch[trace.Span]
	numbers stretch[int]
}

// Reset makes the memory free for reuse.
func (r *room) Reset() {
	r.spans.reset()
	r.numbers.reset()
}

// Memory is the number of bytes of heap that the next traces can reuse.
func (r *room) Memory() int { return r.spans.memory() + r.numbers.memory() }

// stretch hands out parts of one array. The zero stretch is ready.
type stretch[T any] struct {
	all  []T
	used int
}

// maxStretch is the largest number of elements that a stretch keeps: more than a sender's batch of spans, except
// for a giant trace.
const maxStretch = 4096

// take returns n zero elements without further capacity. Slices returned before stay valid, even if the array is
// replaced.
func (s *stretch[T]) take(n int) []T {
	if len(s.all)-s.used < n {
		s.all, s.used = make([]T, max(n, min(2*len(s.all), maxStretch))), 0
	}
	part := s.all[s.used : s.used+n : s.used+n]
	s.used += n
	return part
}

// reset takes all elements back, and clears them, so that they keep nothing alive.
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
