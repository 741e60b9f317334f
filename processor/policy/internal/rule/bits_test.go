package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBits(t *testing.T) {
	for _, bit := range []int{0, 1, 63, 64, 127} {
		bits := make([]uint64, 2)
		require.False(t, IsSet(bits, bit))
		Set(bits, bit)
		for other := range 128 {
			require.Equal(t, other == bit, IsSet(bits, other))
		}
		require.Equal(t, uint64(1)<<(bit%64), bits[bit/64])
	}
}

// Bits are open while one of them is not set, whatever other bits are.
func TestOpen(t *testing.T) {
	require.False(t, BitSet(nil).Open([]uint64{0}))
	b := BitSet{0b110, 1}
	for bits, want := range map[[2]uint64]bool{
		{0, 0}: true, {0b010, 1}: true, {0b110, 0}: true, {0b110, 1}: false, {0b111, 0b11}: false, {0b001, 0b10}: true, {0b011, 1}: true,
	} {
		require.Equal(t, want, b.Open(bits[:]), bits)
	}
}

func TestBitRules(t *testing.T) {
	trace := &Trace{Bits: []uint64{0b100}}
	for _, c := range []struct {
		rule Rule
		want bool
	}{
		{AnyBit{}, false}, {AnyBit{1}, false}, {AnyBit{2}, true}, {AnyBit{0, 2}, true}, {AnyBit{2, 0}, true}, {NoBit(2), false}, {NoBit(1), true},
	} {
		th, ok := c.rule.Match(trace)
		require.Equal(t, c.want, ok, "%#v", c.rule)
		require.Zero(t, th)
	}
}

func TestTraceSizes(t *testing.T) {
	trace := &Trace{Start: 10, End: 15, Spans: 3, Bytes: 400}
	require.EqualValues(t, 5, trace.Duration())
	require.Equal(t, 3.0, trace.Cost(false))
	require.Equal(t, 400.0, trace.Cost(true))
	trace.End = 9
	require.Zero(t, trace.Duration())
}
