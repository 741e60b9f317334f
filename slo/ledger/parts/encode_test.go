package parts

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/state"
)

// randomTable returns a table with counts of every width.
func randomTable(rnd *rand.Rand, slots int) *table {
	t := newTable(slots)
	text := func(n int) string { return []string{"", "a", "GET /cart", Other, "ü"}[rnd.IntN(n)] }
	for range rnd.IntN(40) {
		r := t.at(key{Part{text(5), text(5), text(5), text(5)}, rnd.IntN(2) == 0})
		r.rest = float64(rnd.IntN(2*restUnit-1)-restUnit+1) / restUnit
		first := rnd.IntN(slots)
		for i := first; i < min(slots, first+rnd.IntN(slots)); i++ {
			r.n[i] = rnd.Uint64() >> rnd.IntN(64)
		}
	}
	return t
}

// TestTablesAreReadAsWritten writes tables of all shapes and reads them back.
func TestTablesAreReadAsWritten(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		slots := []int{1, 24, 60}[seed%3]
		want := randomTable(rnd, slots)
		got, err := decode(want.append(nil), slots)
		require.NoError(t, err, seed)
		require.Equal(t, want.index, got.index, seed)
		for i := range want.rows {
			require.Equal(t, want.rows[i], got.rows[i], seed)
		}
	}
}

// TestEveryWidth packs the least and the greatest count of each width.
func TestEveryWidth(t *testing.T) {
	for width := range 65 {
		greatest := uint64(math.MaxUint64)
		if width < 64 {
			greatest = 1<<width - 1
		}
		want := newTable(60)
		for i := range 60 {
			want.at(key{}).n[i] = greatest * uint64(i%2)
		}
		got, err := decode(want.append(nil), 60)
		require.NoError(t, err)
		assert.Equal(t, want.rows, got.rows, width)
	}
}

// TestDamagedTables cuts tables off, and alters each of their bytes: none is misread for a table of other size, and none panics.
func TestDamagedTables(t *testing.T) {
	b := randomTable(rand.New(rand.NewPCG(1, 2)), 60).append(nil)
	for i := range b {
		_, err := decode(b[:i], 60)
		require.ErrorIs(t, err, state.ErrCorrupt, i)
		altered := append([]byte(nil), b...)
		altered[i] ^= 0x81
		if _, err := decode(altered, 60); err != nil {
			require.ErrorIs(t, err, state.ErrCorrupt, i)
		}
	}
	_, err := decode(append(b, 0), 60)
	require.ErrorIs(t, err, state.ErrCorrupt)
	_, err = decode(b, 24)
	require.ErrorIs(t, err, state.ErrCorrupt, "an hour is no day")
}

// FuzzDecode reads anything as a table: it is damage, or a table that is read again as it was written.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(randomTable(rand.New(rand.NewPCG(seed, 3)), 60).append(nil))
	}
	f.Add([]byte{tableFormat, 0, 0})
	f.Add([]byte{tableFormat, 1, 0, 1, 0, 0, 0, 0, 0, 59, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 64, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decode(b, 60)
		if err != nil {
			require.ErrorIs(t, err, state.ErrCorrupt)
			return
		}
		again, err := decode(got.append(nil), 60)
		require.NoError(t, err)
		require.Equal(t, got, again)
		got.fold()
		require.LessOrEqual(t, len(got.groups()), maxGroups)
	})
}
