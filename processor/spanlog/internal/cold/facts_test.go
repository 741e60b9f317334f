package cold

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// factsInMemory returns a packed segment of so many slots of random bytes, and these bytes.
func factsInMemory(rnd *rand.Rand, sequence uint64, slots int) (*Segment, []byte) {
	const before = 100
	b := make([]byte, slots*format.FactSize)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	m := mapped.Allocate(before + len(b))
	copy(m.Buf[before:], b)
	return &Segment{Packed: m, Size: int64(len(m.Buf)), Sequence: sequence, Facts: NewFacts(b, before)}, b
}

// Each slot is read as it was written, whichever pages are kept.
func TestFactReader(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var (
		segments []*Segment
		contents [][]byte
	)
	for i, slots := range []int{1, pageSlots - 1, pageSlots, pageSlots + 1, 3*pageSlots + 7, 3000} {
		s, b := factsInMemory(rnd, uint64(i+1), slots)
		defer s.Packed.Release()
		segments, contents = append(segments, s), append(contents, b)
		loaded, err := s.LoadFacts(nil)
		require.NoError(t, err)
		require.Equal(t, b, loaded)
	}
	for _, memory := range []int{0, 4 * pageSize, 100 * pageSize} {
		r := NewFactReader(nil, &Limit{}, memory)
		for range 5000 {
			i := rnd.IntN(len(segments))
			n := uint16(1 + rnd.IntN(int(segments[i].Facts.Slots)))
			got, err := r.Read(segments[i], n)
			require.NoError(t, err)
			require.Equal(t, format.FactAt(contents[i], n), got)
		}
		require.LessOrEqual(t, r.Bytes(), max(minPages*pageSize, memory)+128*cap(r.pages))
		require.Len(t, r.places, len(r.pages))
	}
}

// A page that is damaged is not read, and the others are; nor is what is no slot.
func TestFactReaderOfDamage(t *testing.T) {
	s, b := factsInMemory(rand.New(rand.NewPCG(3, 4)), 1, 3*pageSlots)
	defer s.Packed.Release()
	damaged := s.Packed.Buf[int(s.Facts.At)+pageSize+5:] // in the second of three pages
	damaged[0] ^= 4
	r := NewFactReader(nil, &Limit{}, 0)
	for n := range uint16(3*pageSlots + 3) {
		got, err := r.Read(s, n)
		if n == 0 || n > 3*pageSlots || n > pageSlots && n <= 2*pageSlots {
			require.ErrorIs(t, err, ErrChanged, n)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, format.FactAt(b, n), got)
	}
	damaged[0] ^= 4
	_, err := r.Read(s, pageSlots+1)
	require.NoError(t, err, "what failed is tried again")
}
