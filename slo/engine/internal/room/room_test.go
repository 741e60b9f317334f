package room

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

const (
	start  = ledger.Minute(20_000 * 24 * 60)
	window = ledger.Minute(2 * 24 * 60)
	end    = start + 4*24*60 + 90
)

// filled returns a file with four days of one objective, of which two are its window.
func filled(t *testing.T) *state.DB {
	db, err := state.Open(filepath.Join(t.TempDir(), "slo.db"), state.Options{Buckets: slices.Concat(ledger.Buckets, parts.Buckets)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		events := make([]ledger.Delta, end-start)
		deltas := make([]parts.Delta, end-start)
		for i := range events {
			events[i].Total = float64(100 + i%7)
			deltas[i] = parts.Delta{Part: parts.Part{Version: "1"}, Minute: start + ledger.Minute(i), N: events[i].Total}
		}
		require.NoError(t, l.Append(a, start, events))
		return parts.New(tx).Book(l, a, start, deltas)
	}))
	return db
}

// TestOrder gives up one byte after the other: parts by minute, then parts by hour, then minutes before the window; never more.
func TestOrder(t *testing.T) {
	db := filled(t)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l, s := ledger.New(tx), parts.New(tx)
		a, _, err := l.Find("o")
		require.NoError(t, err)
		whole := map[ledger.Minute]slo.Events{}
		for _, w := range []ledger.Minute{5, 60, window} {
			whole[w], err = l.Sum(a, end-w, end)
			require.NoError(t, err)
		}
		var order []Kind
		r := Report{}
		for {
			given, err := r.Make(tx, 1, end, window)
			require.NoError(t, err)
			if len(given) == 0 {
				break
			}
			require.Len(t, given, 1)
			for kind := range given {
				require.Equal(t, kind, r.Given)
				if len(order) == 0 || order[len(order)-1] != kind {
					order = append(order, kind)
				}
			}
			if r.Given != HourParts && r.Given != Minutes { // whatever is kept by hour is whole
				b, err := s.Break(l, a, start, end, []parts.Dimension{parts.Version})
				require.NoError(t, err)
				require.Zero(t, b.Uncovered)
			}
			require.False(t, r.Short)
		}
		assert.Equal(t, kinds, order)
		assert.True(t, r.Short)
		a, _, err = l.Find("o")
		require.NoError(t, err)
		assert.Equal(t, end-window-(end-window)%60, a.First, "the hour in which the window begins")
		for w, want := range whole {
			got, err := l.Sum(a, end-w, end)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		b, err := s.Break(l, a, end-partsLeft, end, []parts.Dimension{parts.Version})
		require.NoError(t, err)
		assert.Zero(t, b.Uncovered, "late events may still come")
		return nil
	}))
}

// TestLook measures the pages in use: what is given up is free for what comes, though the file does not shrink.
func TestLook(t *testing.T) {
	db := filled(t)
	full, err := Look(db, 1<<20, Report{Given: HourParts, Short: true})
	require.NoError(t, err)
	assert.Positive(t, full.Used)
	assert.Zero(t, full.Over())
	assert.Empty(t, full.Given, "it has had room since")
	assert.False(t, full.Short)

	for range 2 { // a transaction's freed pages are free after the next
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			_, err := full.Make(tx, 1<<30, end, window)
			return err
		}))
	}
	after, err := Look(db, 1<<20, full)
	require.NoError(t, err)
	assert.Less(t, after.Used, full.Used)
}

func TestOver(t *testing.T) {
	for name, c := range map[string]struct {
		report Report
		want   int64
	}{
		"no limit":      {Report{Used: 5}, 0},
		"room":          {Report{Used: 5, Limit: 5}, 0},
		"over":          {Report{Used: 170, Limit: 160}, 20},
		"far over":      {Report{Used: 1 << 40, Limit: 1 << 30}, atOnce},
		"not looked at": {Report{}, 0},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.report.Over()) })
	}
}

func TestProblem(t *testing.T) {
	const limit = 64 << 20
	for want, r := range map[string]Report{
		"": {Used: 60 << 20, Limit: limit, Given: MinuteParts},
		"slo.db uses 60MiB of max_size 64MiB: the oldest breakdowns of objectives are given up":       {Used: 60 << 20, Limit: limit, Given: HourParts},
		"slo.db uses 60MiB of max_size 64MiB: the oldest minutes of objectives, before their windows": {Used: 60 << 20, Limit: limit, Given: Minutes},
		"slo.db uses 65MiB of max_size 64MiB, and only data within the objectives' windows are left":  {Used: 65<<20 + 3, Limit: limit, Given: Minutes, Short: true},
	} {
		assert.Contains(t, r.Problem(), want)
		if want == "" {
			assert.Empty(t, r.Problem())
		}
	}
}
