package index

import (
	"encoding/binary"
	"testing"

	"github.com/slowburn/slowburn/internal/wire"
)

// BenchmarkEntries adds a trace, looks it up, and removes it when it is the oldest of a fixed number.
func BenchmarkEntries(b *testing.B) {
	const there = 1 << 16
	type large struct {
		Node
		_ [20]uint64
	}
	var x Index[large, *large]
	seed := Seed{1, 2}
	var queue [there]Slot
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if n := queue[i%there]; n != 0 {
			x.Unfile(n)
			x.Free(n)
		}
		var id wire.TraceID
		binary.LittleEndian.PutUint64(id[:], uint64(i))
		hash := uint32(seed.Hash(id))
		n, _ := x.New(hash, id)
		x.File(n)
		if x.Find(hash, &id) != n {
			b.Fatal("lost")
		}
		queue[i%there] = n
	}
}
