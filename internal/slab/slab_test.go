package slab_test

import (
	"math/rand/v2"
	"slices"
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
	assert.False(t, s.Has(7))
	num, v := s.New()
	assert.Equal(t, uint32(7), num, "the lowest is used first")
	assert.Zero(t, *v, "a value used again starts from zero")
	assert.True(t, s.Has(7))
	num, _ = s.New()
	assert.Equal(t, uint32(500), num)
	assert.False(t, s.Has(n+1))
	assert.False(t, s.Has(1<<20))
	assert.Same(t, first, s.At(1), "values never move")
	assert.Equal(t, before, s.Bytes())
}

func TestSlabBytesCountsChunks(t *testing.T) {
	var s slab.Slab[pair]
	assert.Zero(t, s.Bytes())
	s.New()
	assert.InDelta(t, 64*16, s.Bytes(), 64)
}

// A slab equals a map, whatever is allocated, freed and trimmed. A model knows the numbers in use.
func TestSlabAgainstMap(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		var s slab.Slab[pair]
		rnd := rand.New(rand.NewPCG(seed, 1))
		model, numbers := map[uint32]uint64{}, []uint32(nil)
		add := func() {
			n, v := s.New()
			if _, in := model[n]; in || *v != (pair{}) {
				t.Fatalf("number %d is given out twice, or not zeroed", n)
			}
			v.a = rnd.Uint64()
			model[n], numbers = v.a, append(numbers, n)
		}
		remove := func(i int) {
			n := numbers[i]
			if model[n] != s.At(n).a {
				t.Fatalf("number %d has changed", n)
			}
			s.Free(n)
			delete(model, n)
			numbers[i] = numbers[len(numbers)-1]
			numbers = numbers[:len(numbers)-1]
		}
		for range 60 {
			most := rnd.IntN(20_000)
			for len(numbers) < most {
				add()
			}
			least := rnd.IntN(most + 1)
			if rnd.IntN(2) == 0 {
				least = rnd.IntN(100)
			}
			for len(numbers) > least {
				if rnd.IntN(8) == 0 {
					add()
				}
				remove(rnd.IntN(len(numbers)))
				if rnd.IntN(64) == 0 {
					s.Trim()
				}
			}
			s.Trim()
			require.Equal(t, len(model), s.Len())
			for n := range uint32(20_100) {
				if _, in := model[n]; in != (n != 0 && s.Has(n)) {
					t.Fatalf("number %d", n)
				}
			}
			for n, a := range model {
				if a != s.At(n).a {
					t.Fatalf("number %d has changed", n)
				}
			}
		}
	}
}

// The memory of a burst is returned, even if a value in its middle, or the last one, stays.
func TestSlabGivesBack(t *testing.T) {
	const burst = 100_000
	for name, stays := range map[string][]uint32{
		"nothing": nil, "first": {1}, "middle": {burst / 2}, "last": {burst}, "some": {1, 100, 5000, 5001, burst},
	} {
		t.Run(name, func(t *testing.T) {
			var s slab.Slab[pair]
			for range 3 {
				var made []uint32
				for range burst {
					n, _ := s.New()
					made = append(made, n)
				}
				require.Greater(t, s.Bytes(), burst*16)
				for _, n := range made {
					if !slices.Contains(stays, n) {
						s.Free(n)
						s.Trim()
					}
				}
				require.Less(t, s.Bytes(), 64<<10)
				for _, n := range stays {
					if slices.Contains(made, n) {
						require.True(t, s.Has(n))
						s.Free(n)
					}
				}
				require.Zero(t, s.Len())
			}
		})
	}
}

// If as many values are freed as allocated, Trim allocates nothing.
func TestSlabKeepsASpare(t *testing.T) {
	var s slab.Slab[pair]
	for _, n := range []int{1, 64, 1000, 10_000} {
		var numbers []uint32
		for range n {
			number, _ := s.New()
			numbers = append(numbers, number)
		}
		require.Zero(t, testing.AllocsPerRun(100, func() {
			for i := range numbers {
				if i%8 == 0 {
					s.Free(numbers[i])
				}
			}
			s.Trim()
			for i := range numbers {
				if i%8 == 0 {
					numbers[i], _ = s.New()
				}
			}
			s.Trim()
		}))
	}
}

func TestTableGivesBack(t *testing.T) {
	var table slab.Table
	hash := func(n uint32) uint32 { return n * 2654435761 }
	table.Trim()
	for range 3 {
		const burst, stay = 100_000, 50
		for n := uint32(1); n <= burst; n++ {
			table.Insert(hash(n), n)
			table.Trim()
		}
		full := table.Bytes()
		require.Greater(t, full, burst*8)
		for n := uint32(stay + 1); n <= burst; n++ {
			if !table.Remove(hash(n), n) {
				t.Fatal("lost")
			}
			table.Trim()
		}
		require.LessOrEqual(t, table.Bytes(), 16*8*stay*2)
		require.Equal(t, stay, table.Len())
		for n := uint32(1); n <= stay; n++ {
			require.True(t, has(&table, hash(n), n))
			require.True(t, table.Remove(hash(n), n))
		}
		table.Trim()
		require.Equal(t, 64*8, table.Bytes())
	}
}

// A table equals a Go map after any sequence of insertions and removals.
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
