package skeleton

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

// Of many servers of two calls it is enough that two overlap.
func TestOverlapOfMany(t *testing.T) {
	seen := map[bool]int{}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var k Skeleton
		k.Spans = append(k.Spans, Span{ID: 1, End: 1}, Span{ID: 2, Start: 1, End: 2})
		servers := map[uint64][]Span{}
		for i := range 2 + rng.IntN(20) {
			start := rng.Uint64N(100)
			s := Span{
				ID: uint64(10 + i), Parent: 1 + rng.Uint64N(2), Kind: 1 + rng.Int32N(3), Service: rng.Uint64N(3), Start: 10 + start,
				End: 10 + start + rng.Uint64N(12),
			}
			k.Spans = append(k.Spans, s)
			if s.Kind == wire.KindServer {
				servers[s.Parent] = append(servers[s.Parent], s)
			}
		}
		want := false
		for _, x := range servers[1] {
			for _, y := range servers[2] {
				want = want || x.Service == y.Service && y.Start < x.End && x.Start < y.End
			}
		}
		k.Link()
		k.worked.of = -1
		at := map[uint64]int32{}
		for i := range k.Spans {
			at[k.Spans[i].ID] = int32(i)
		}
		require.Equal(t, want, k.overlapOfMany(at[1], k.childrenOf(int(at[2]))), "seed %d", seed)
		require.Equal(t, want, k.overlap(at[1], at[2]), "seed %d", seed)
		seen[want]++
	}
	require.Greater(t, seen[true], 50)
	require.Greater(t, seen[false], 20)
}
