package memo

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCacheRemembers(t *testing.T) {
	c := New(1 << 12)
	for s, want := range map[string]bool{"yes": true, "no": false, "": true} {
		hash := c.Hash([]byte(s))
		_, known := c.Get(hash)
		require.False(t, known, s)
		c.Put(hash, want)
		result, known := c.Get(hash)
		require.True(t, known, s)
		require.Equal(t, want, result, s)
	}
}

func TestCacheIsBounded(t *testing.T) {
	for size, slots := range map[int]int{0: 128, 1: 1, 10: 8, 128: 128, 1 << 40: 1 << 20} {
		require.Len(t, New(size).slots, slots)
	}
}

// However many strings share a slot, each gets its own answer.
func TestCacheNeverMixesUp(t *testing.T) {
	c := New(4)
	for i := range 10_000 {
		n := i % 37
		hash := c.Hash(fmt.Append(nil, n))
		if result, known := c.Get(hash); known {
			require.Equal(t, n%3 == 0, result)
		}
		c.Put(hash, n%3 == 0)
	}
}
