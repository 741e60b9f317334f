package policy

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatchCacheRemembers(t *testing.T) {
	c := newMatchCache(1 << 12)
	asked := 0
	is := func(want bool) func() bool {
		return func() bool { asked++; return want }
	}
	require.True(t, c.get([]byte("yes"), is(true)))
	require.False(t, c.get([]byte("no"), is(false)))
	require.Equal(t, 2, asked)
	require.True(t, c.get([]byte("yes"), is(false)))
	require.False(t, c.get([]byte("no"), is(true)))
	require.Equal(t, 2, asked)
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
		require.Equal(t, n%3 == 0, c.get(fmt.Append(nil, n), func() bool { return n%3 == 0 }))
	}
}
