package lookup

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowded returns keys many of which hash to the same cell.
func crowded(n int) Key { return Key{uint64(n%7)<<60 | uint64(n%5+1), uint64(n)} }

// TestTableIsAMap performs random operations on colliding keys, and compares the result with a Go map's.
func TestTableIsAMap(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		table, want := New[int](), map[Key]int{}
		for range 600 {
			n := rng.IntN(60)
			k := crowded(n)
			switch _, known := want[k]; {
			case !known && rng.IntN(2) == 0:
				table.Insert(k, &n, uint32(n), 7)
				want[k] = n
			case rng.IntN(20) == 0:
				table.Sweep(func(n *int) bool { return *n%3 == 0 })
				for k, n := range want {
					if n%3 == 0 {
						delete(want, k)
					}
				}
			default:
				table.Remove(k) // perhaps absent
				delete(want, k)
			}
			for n := range 60 {
				c := table.Find(crowded(n))
				_, known := want[crowded(n)]
				require.Equal(t, known, c != nil, "seed %d: %d", seed, n)
				if likely := table.Likely(crowded(n)); likely != nil {
					require.Same(t, c.Value, likely)
				}
				if known {
					require.Equal(t, n, *c.Value)
					require.EqualValues(t, n, c.Number)
				}
			}
			require.Equal(t, len(want), table.used)
		}
	}
}

// TestFindWhileInserted checks that an inserted entry is found at once, and is complete.
func TestFindWhileInserted(t *testing.T) {
	const n = 5000
	seed, table := NewSeed(), New[string]()
	key := func(i int) Key { return KeyOf(fmt.Append(nil, i), seed) }
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for last, i := 0, 0; last < n; i++ {
				if c := table.Find(key(i % n)); c != nil {
					assert.Equal(t, fmt.Sprint(i%n), *c.Value)
					last = max(last, i%n+1)
				}
				table.Touch([]Key{key(i % n)})
			}
		})
	}
	for i := range n {
		text := fmt.Sprint(i)
		table.Insert(key(i), &text, 0, 0)
		assert.NotNil(t, table.Find(key(i)))
	}
	readers.Wait()
}
