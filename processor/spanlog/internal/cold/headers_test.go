package cold

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Headers are kept for one generation after their last use, and do not move before the next call of age.
func TestHeaders(t *testing.T) {
	h := newHeaders(1000)
	name := func(i int) string { return fmt.Sprintf("header %04d", i) }
	put := func(i int) { h.put(format.Position(i), uint32(i), []byte(name(i))) }
	put(0)
	kept := 0
	for i := 1; i < 1000; i++ {
		first, known := h.get(0)
		require.True(t, known, "it is used again and again")
		put(i)
		require.Equal(t, name(0), string(h.of(first)))
		for back := range min(i, 10) {
			found, known := h.get(format.Position(i - back))
			require.True(t, known)
			require.Equal(t, name(i-back), string(h.of(found)))
			require.EqualValues(t, i-back, found.ref)
		}
		h.age()
		require.LessOrEqual(t, h.bytes(), 8*1000)
	}
	for i := range 1000 {
		if _, known := h.get(format.Position(i)); known {
			kept++
		}
	}
	assert.Less(t, kept, 100)
	assert.Greater(t, kept, 10)
}

// Headers of a giant trace do not stay.
func TestLargeHeaders(t *testing.T) {
	h := newHeaders(1000)
	for i := range 10 {
		h.put(format.Position(i), 0, make([]byte, 10_000))
	}
	require.GreaterOrEqual(t, h.bytes(), 100_000)
	h.age()
	assert.LessOrEqual(t, h.bytes(), 1000)
	h.put(1, 2, []byte("header"))
	h.age()
	found, known := h.get(1)
	assert.True(t, known)
	assert.Equal(t, "header", string(h.of(found)))
}
