package slab_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/slab"
)

type pair struct{ a, _ uint64 }

func TestSlabNumbersAreStableAndReused(t *testing.T) {
	var s slab.Slab[pair]
	const n = 1000
	for i := range uint32(n) {
		num, v := s.New()
		require.Equal(t, i+1, num)
		require.Zero(t, *v)
		v.a = uint64(num)
	}
	first := s.At(1)
	for i := uint32(1); i <= n; i++ {
		require.Equal(t, uint64(i), s.At(i).a)
	}
	assert.Equal(t, n, s.Len())
	before := s.Bytes()

	s.Free(7)
	s.Free(500)
	assert.Equal(t, n-2, s.Len())
	num, v := s.New()
	assert.Equal(t, uint32(500), num)
	assert.Zero(t, *v, "a value used again starts from zero")
	num, _ = s.New()
	assert.Equal(t, uint32(7), num)
	assert.Same(t, first, s.At(1), "values never move")
	assert.LessOrEqual(t, s.Bytes(), before+64)
}

func TestSlabBytesCountsChunks(t *testing.T) {
	var s slab.Slab[pair]
	assert.Zero(t, s.Bytes())
	s.New()
	assert.Equal(t, 64*16, s.Bytes())
}

// A table must hold what a Go map holds after any sequence of insertions and removals.
func TestTableAgainstMap(t *testing.T) {
	for _, tc := range []struct {
		name string
		hash func(n uint32) uint32
	}{
		{"spread", func(n uint32) uint32 { return n * 2654435761 }},
		{"few hashes", func(n uint32) uint32 { return n % 5 }},
		{"clustered", func(n uint32) uint32 { return 60 + n%8 }},
		{"wrapping", func(n uint32) uint32 { return ^uint32(0) - n%3 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var table slab.Table
			model := map[uint32]bool{}
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 20_000 {
				n := rnd.Uint32N(300) + 1
				if model[n] {
					require.True(t, table.Remove(tc.hash(n), n))
					delete(model, n)
				} else {
					require.False(t, table.Remove(tc.hash(n), n))
					table.Insert(tc.hash(n), n)
					model[n] = true
				}
				require.Equal(t, len(model), table.Len())
			}
			for n := range uint32(301) {
				require.Equal(t, model[n], n != 0 && has(&table, tc.hash(n), n), "number %d", n)
			}
		})
	}
}

func has(t *slab.Table, hash, number uint32) bool {
	for n, at := t.First(hash); n != 0; n, at = t.Next(hash, at) {
		if n == number {
			return true
		}
	}
	return false
}

func TestTableOfNothing(t *testing.T) {
	var table slab.Table
	assert.False(t, has(&table, 1, 1))
	assert.False(t, table.Remove(1, 1))
	assert.Zero(t, table.Bytes())
	table.Clear()
	table.Insert(0, 1)
	assert.True(t, has(&table, 0, 1))
	table.Clear()
	assert.False(t, has(&table, 0, 1))
	assert.Equal(t, 64*8, table.Bytes())
}

func BenchmarkTableHit(b *testing.B) {
	var table slab.Table
	const n = 1 << 16
	for i := range uint32(n) {
		table.Insert((i+1)*2654435761, i+1)
	}
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i = i%n + 1
		if !has(&table, i*2654435761, i) {
			b.Fatal("lost")
		}
	}
}
