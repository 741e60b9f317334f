package slab_test

import (
	"testing"

	"github.com/slowburn/slowburn/internal/slab"
)

// BenchmarkSlabFIFO frees values in their order of creation, with a constant number in use.
func BenchmarkSlabFIFO(b *testing.B) {
	const there = 1 << 17
	var s slab.Slab[[4]uint64]
	var queue [there]uint32
	for i := range queue {
		queue[i], _ = s.New()
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Free(queue[i%there])
		queue[i%there], _ = s.New()
		i++
	}
}

// BenchmarkSlabScattered frees them in random order.
func BenchmarkSlabScattered(b *testing.B) {
	const there = 1 << 17
	var s slab.Slab[[4]uint64]
	var queue [there]uint32
	for i := range queue {
		queue[i], _ = s.New()
	}
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i += 2654435761
		at := i >> 15
		s.Free(queue[at])
		queue[at], _ = s.New()
	}
}
