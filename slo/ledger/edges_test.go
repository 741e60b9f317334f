package ledger_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Damage of any record is an error of each method that reads it, and never a number.
func TestDamage(t *testing.T) {
	const first = ledger.Minute(600 * 60)
	damageAll := func(tx *bbolt.Tx, bucket int, value []byte) {
		b := tx.Bucket([]byte(ledger.Buckets[bucket]))
		var keys [][]byte
		require.NoError(t, b.ForEach(func(k, _ []byte) error { keys = append(keys, append([]byte(nil), k...)); return nil }))
		require.NotEmpty(t, keys)
		for _, k := range keys {
			require.NoError(t, b.Put(k, value))
		}
	}
	const accounts, minutes = 0, 1 // in Buckets
	for name, use := range map[string]struct {
		bucket int
		f      func(l *ledger.Ledger, a *ledger.Account) error
	}{
		"Find": {accounts, func(l *ledger.Ledger, _ *ledger.Account) error { _, _, err := l.Find("o"); return err }},
		"Open": {accounts, func(l *ledger.Ledger, _ *ledger.Account) error {
			a, changed, err := l.Open("o", first, "")
			assert.Nil(t, a)
			assert.False(t, changed)
			return err
		}},
		"Prune": {accounts, func(l *ledger.Ledger, _ *ledger.Account) error { return l.Prune(first) }},
		"Append": {minutes, func(l *ledger.Ledger, a *ledger.Account) error {
			return l.Append(a, a.Next, []ledger.Delta{{Total: 1}})
		}},
		"Sum from": {minutes, func(l *ledger.Ledger, a *ledger.Account) error { _, err := l.Sum(a, first+1, a.Next); return err }},
		"Sum to": {minutes, func(l *ledger.Ledger, a *ledger.Account) error {
			e, err := l.Sum(a, first, a.Next-1)
			assert.Zero(t, e)
			return err
		}},
		"Windows to": {minutes, func(l *ledger.Ledger, a *ledger.Account) error {
			return l.Windows(a, a.Next-1, []ledger.Minute{1}, make([]slo.Events, 1))
		}},
		"Windows from": {minutes, func(l *ledger.Ledger, a *ledger.Account) error {
			return l.Windows(a, a.Next, []ledger.Minute{2}, make([]slo.Events, 1))
		}},
		"Rewind": {minutes, func(l *ledger.Ledger, a *ledger.Account) error { return l.Rewind(a, a.Next-2) }},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, filepath.Join(t.TempDir(), "l.db"))
			defer func() { require.NoError(t, db.Close()) }()
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				a, _, err := l.Open("o", first, "")
				require.NoError(t, err)
				require.NoError(t, l.Append(a, first, []ledger.Delta{{Total: 5, Bad: 1}, {Total: 6}, {Total: 7}}))
				damageAll(tx, use.bucket, []byte{0xff})
				require.ErrorIs(t, use.f(l, a), state.ErrCorrupt)
				return nil
			}))
		})
	}
}

// Rewind, Append and Prune store their changes: another process and the next transaction see them.
func TestChangesAreStored(t *testing.T) {
	const first = ledger.Minute(600 * 60)
	path := filepath.Join(t.TempDir(), "l.db")
	var want ledger.Account
	step := func(f func(l *ledger.Ledger, a *ledger.Account)) {
		t.Helper()
		within(t, path, func(l *ledger.Ledger) {
			a, ok, err := l.Find("o")
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, *a)
			f(l, a)
			want = *a
		})
	}
	within(t, path, func(l *ledger.Ledger) {
		a, changed, err := l.Open("o", first, "x")
		require.NoError(t, err)
		require.False(t, changed)
		want = *a
	})
	step(func(l *ledger.Ledger, a *ledger.Account) {
		require.NoError(t, l.Append(a, first, []ledger.Delta{{Total: 5.25, Bad: 1}, {Total: 6}, {Total: 7}}))
	})
	step(func(l *ledger.Ledger, a *ledger.Account) { require.NoError(t, l.Rewind(a, first+2)) })
	step(func(l *ledger.Ledger, a *ledger.Account) { require.NoError(t, l.Rewind(a, first+1)) })
	step(func(l *ledger.Ledger, a *ledger.Account) {
		opened, changed, err := l.Open("o", first, "y")
		require.NoError(t, err)
		require.True(t, changed)
		*a = *opened
	})
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Find("o")
		require.NoError(t, err)
		require.Equal(t, want, *a)
		assert.Equal(t, first+1, a.IndicatorSince)
		assert.Equal(t, slo.Events{Total: 5, Bad: 1}, a.Events())
	})
}

// Prune keeps an account that begins at the hour of the horizon, moves the start of one that began before, and removes one that
// ended before.
func TestPruneAtTheHour(t *testing.T) {
	horizon := ledger.MinuteOf(time.Date(2026, 3, 1, 12, 30, 30, 0, time.UTC))
	hour := horizon - 30
	path := filepath.Join(t.TempDir(), "l.db")
	starts := map[string]ledger.Minute{"at the hour": hour, "a minute before": hour - 1, "hours before": hour - 200, "after": hour + 1}
	within(t, path, func(l *ledger.Ledger) {
		for name, start := range starts {
			a, _, err := l.Open(name, start, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, start, make([]ledger.Delta, hour+10-start)))
		}
		for name, next := range map[string]ledger.Minute{"ended at the hour": hour, "ended a minute later": hour + 1} {
			a, _, err := l.Open(name, hour-10, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, hour-10, make([]ledger.Delta, next-(hour-10))))
		}
		require.NoError(t, l.Prune(horizon))
	})
	within(t, path, func(l *ledger.Ledger) {
		for name, start := range starts {
			a, ok, err := l.Find(name)
			require.NoError(t, err)
			require.True(t, ok, name)
			assert.Equal(t, max(start, hour), a.First, name)
		}
		_, ok, err := l.Find("ended at the hour")
		require.NoError(t, err)
		assert.False(t, ok)
		a, ok, err := l.Find("ended a minute later")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, hour, a.First)
	})
}

// A write that fails, as in a read-only transaction, is an error.
func TestFailedWriteIsAnError(t *testing.T) {
	const first = ledger.Minute(600 * 60)
	db := open(t, filepath.Join(t.TempDir(), "l.db"))
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("o", first, "")
		require.NoError(t, err)
		return l.Append(a, first, make([]ledger.Delta, 200))
	}))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("o", first, "")
		require.NoError(t, err)
		_, _, err = l.Open("another", first, "")
		require.Error(t, err)
		_, _, err = l.Open("o", first, "another indicator")
		require.Error(t, err)
		require.Error(t, l.Append(a, a.Next, make([]ledger.Delta, 1)))
		a, _, err = l.Find("o")
		require.NoError(t, err)
		require.Error(t, l.Rewind(a, first+30))
		require.Error(t, l.Rewind(a, first))
		require.Error(t, l.Prune(first+120))
		return nil
	}))
}
