package slab

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type numbered struct{ key, value uint32 }

func hashOfNumbered(n *numbered) uint32 { return n.key % 7 } // collisions are frequent

// TestRingRemembersTheLatest compares a ring with a list whose oldest elements are cut off.
func TestRingRemembersTheLatest(t *testing.T) {
	for _, limit := range []int{1, 2, 3, 64, 100} {
		rnd := rand.New(rand.NewPCG(uint64(limit), 1))
		ring := NewRing(limit, hashOfNumbered)
		var model []numbered
		for i := range 500 {
			v := numbered{key: rnd.Uint32N(50), value: uint32(i)}
			place := ring.Put(hashOfNumbered(&v), v)
			require.Equal(t, v, *ring.At(place))
			if model = append(model, v); len(model) > limit {
				model = model[1:]
			}
			require.Equal(t, len(model), ring.Len())
			for key := range uint32(50) {
				var want, got []uint32
				for _, v := range model {
					if v.key == key {
						want = append(want, v.value)
					}
				}
				for place := range ring.Places(key % 7) {
					if v := ring.At(place); v.key == key {
						got = append(got, v.value)
					}
				}
				slices.Sort(got)
				require.Equal(t, want, got, "limit %d after %d", limit, i+1)
			}
		}
		require.Equal(t, limit, ring.Limit())
		require.Positive(t, ring.Bytes())
	}
}

func TestRingWithoutRoom(t *testing.T) {
	ring := NewRing(0, hashOfNumbered)
	require.Equal(t, -1, ring.Put(3, numbered{key: 3}))
	require.Zero(t, ring.Len())
	require.Zero(t, ring.Bytes())
	for range ring.Places(3) {
		t.Fatal("something was remembered")
	}
}

func TestRingStopsWhenAsked(t *testing.T) {
	ring := NewRing(10, hashOfNumbered)
	for i := range uint32(5) {
		ring.Put(1, numbered{key: 1, value: i})
	}
	n := 0
	for range ring.Places(1) {
		if n++; n == 2 {
			break
		}
	}
	require.Equal(t, 2, n)
}
