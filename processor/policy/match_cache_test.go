package policy

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatchCacheRemembers(t *testing.T) {
	c := newMatchCache(1 << 12)
	for s, want := range map[string]bool{"yes": true, "no": false, "": true} {
		hash := c.hash([]byte(s))
		_, known := c.get(hash)
		require.False(t, known, s)
		c.put(hash, want)
		result, known := c.get(hash)
		require.True(t, known, s)
		require.Equal(t, want, result, s)
	}
}

func TestMatchCacheIsBounded(t *testing.T) {
	for size, slots := range map[int]int{0: 128, 1: 1, 10: 8, 128: 128, 1 << 40: 1 << 20} {
		require.Len(t, newMatchCache(size).slots, slots)
	}
}

// However many strings share the slots, the answer is that of the string.
func TestMatchCacheNeverMixesUp(t *testing.T) {
	c := newMatchCache(4)
	for i := range 10_000 {
		n := i % 37
		hash := c.hash(fmt.Append(nil, n))
		if result, known := c.get(hash); known {
			require.Equal(t, n%3 == 0, result)
		}
		c.put(hash, n%3 == 0)
	}
}
