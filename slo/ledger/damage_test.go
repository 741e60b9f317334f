package ledger

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

// inTx runs f on the ledger of a new file.
func inTx(t *testing.T, f func(l *Ledger)) {
	t.Helper()
	db, err := state.Open(filepath.Join(t.TempDir(), "l.db"), state.Options{Buckets: Buckets})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		f(New(tx))
		return nil
	}))
	require.NoError(t, db.Close())
}

// TestDamage checks that each read of an unreadable chunk or account returns an error that says so.
func TestDamage(t *testing.T) {
	const first = Minute(600 * 60)
	chunks := map[string][]byte{
		"empty": {}, "of another format": {chunkFormat + 1, 0, 0}, "cut off in its base": {chunkFormat, 1},
		"cut off in a minute": {chunkFormat, 1, 1, 2}, "a number that does not end": {chunkFormat, 0xff, 0xff},
		"a number too large": append([]byte{chunkFormat}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1),
	}
	for name, damage := range chunks {
		t.Run(name, func(t *testing.T) {
			inTx(t, func(l *Ledger) {
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				require.NoError(t, l.Append(a, first, make([]Delta, 90)))
				require.NoError(t, l.minutes.Put(chunkKey(first.hour(), a.ID), damage))
				require.NoError(t, l.minutes.Put(chunkKey(first.hour()+1, a.ID), damage))
				_, err = l.Sum(a, first, first+10)
				require.ErrorIs(t, err, state.ErrCorrupt)
				_, err = l.Sum(a, first+10, first+200)
				require.ErrorIs(t, err, state.ErrCorrupt, "where the window begins")
				require.ErrorIs(t, l.Windows(a, first+10, []Minute{5}, make([]slo.Events, 1)), state.ErrCorrupt)
				require.ErrorIs(t, l.Windows(a, first+200, []Minute{190}, make([]slo.Events, 1)), state.ErrCorrupt)
				require.ErrorIs(t, l.Append(a, first+90, make([]Delta, 1)), state.ErrCorrupt)
				require.ErrorIs(t, l.Rewind(a, first+70), state.ErrCorrupt)
				require.ErrorIs(t, l.Shift(a, first+70, 100), state.ErrCorrupt)
				require.ErrorIs(t, l.add(a, first, make([]slo.Events, 1)), state.ErrCorrupt)
			})
		})
	}
	t.Run("more than an hour", func(t *testing.T) {
		var c chunk
		require.NoError(t, c.decode(append([]byte{chunkFormat}, make([]byte, 2+2*60)...)))
		require.ErrorIs(t, c.decode(append([]byte{chunkFormat}, make([]byte, 2+2*61)...)), state.ErrCorrupt)
	})
	t.Run("no chunk", func(t *testing.T) {
		inTx(t, func(l *Ledger) {
			a, _, err := l.Open("a", first, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, first, make([]Delta, 90)))
			require.NoError(t, l.minutes.Delete(chunkKey(first.hour(), a.ID)))
			_, err = l.Sum(a, first+1, first+90)
			require.ErrorIs(t, err, state.ErrCorrupt)
			require.ErrorContains(t, err, "the ledger has no chunk for a at 1970-01-26 00:01:00")
		})
	})
	t.Run("an account", func(t *testing.T) {
		inTx(t, func(l *Ledger) {
			require.NoError(t, l.accounts.Put([]byte("a"), []byte("?")))
			_, _, err := l.Open("a", first, "")
			require.ErrorIs(t, err, state.ErrCorrupt)
			err = l.Prune(first)
			require.ErrorIs(t, err, state.ErrCorrupt)
			require.ErrorContains(t, err, `account "a"`)
		})
	})
}

// TestAccountIDsAreUnique checks that no two accounts share an ID, even after all 2³² are used.
func TestAccountIDsAreUnique(t *testing.T) {
	inTx(t, func(l *Ledger) {
		require.NoError(t, l.accounts.SetSequence(math.MaxUint32-1))
		a, _, err := l.Open("last", 1, "")
		require.NoError(t, err)
		assert.Equal(t, uint32(math.MaxUint32), a.ID)
		_, _, err = l.Open("one more", 1, "")
		require.ErrorContains(t, err, "the ledger has had 4294967296 objectives")
	})
}

// TestCarry checks the rounding of fractions: nothing is counted twice, and NaN, infinities and negative counts count nothing.
func TestCarry(t *testing.T) {
	for _, c := range []struct {
		rest, v  float64
		want     uint64
		wantRest float64
	}{
		{0, 2, 2, 0},
		{0, 0.25, 0, 0.25},
		{0.25, 0.25, 1, -0.5},
		{-0.5, 0.25, 0, -0.25},
		{-0.5, 0, 0, -0.5},
		{-0.75, 0, 0, -0.75},
		{0.25, -3, 0, 0.25},
		{0.25, math.NaN(), 0, 0.25},
		{0.25, math.Inf(1), 0, 0.25},
		{0.25, math.Inf(-1), 0, 0.25},
	} {
		rest := c.rest
		assert.Equal(t, c.want, carry(&rest, c.v), "%v", c)
		assert.InDelta(t, c.wantRest, rest, 1e-12, "%v", c)
	}
}

// TestPruneBoundary checks what Prune deletes at the hour of the horizon: chunks of earlier hours, and accounts that ended
// there.
func TestPruneBoundary(t *testing.T) {
	const first = Minute(600 * 60)
	inTx(t, func(l *Ledger) {
		for name, n := range map[string]int{"ended at the hour": 60, "a minute longer": 61, "two hours": 120} {
			a, _, err := l.Open(name, first, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, first, deltas(n)))
		}
		_, _, err := l.Open("later", first+60, "")
		require.NoError(t, err)
		require.NoError(t, l.Prune(first+60+59))
		_, ok, err := l.Find("ended at the hour")
		require.NoError(t, err)
		assert.False(t, ok)
		for name, want := range map[string]uint64{"a minute longer": 1, "two hours": 60} {
			a, ok, err := l.Find(name)
			require.NoError(t, err)
			require.True(t, ok, name)
			assert.Equal(t, first+60, a.First, name)
			e, err := l.Sum(a, first, a.Next)
			require.NoError(t, err)
			assert.Equal(t, slo.Events{Total: want, Bad: 2 * want}, e, name)
		}
		chunks := 0
		require.NoError(t, l.minutes.ForEach(func([]byte, []byte) error { chunks++; return nil }))
		assert.Equal(t, 2, chunks, "one each")
	})
}

func deltas(n int) []Delta {
	all := make([]Delta, n)
	for i := range all {
		all[i] = Delta{Total: 1, Bad: 2}
	}
	return all
}
