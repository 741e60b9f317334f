package trim

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T, dir string) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(dir, quiet, nil, tsdb.DefaultOptions(), nil)
	require.NoError(t, err)
	return db
}

// fill writes series, each with one sample.
func fill(t *testing.T, db *tsdb.DB, name string, from, to int, at int64) {
	t.Helper()
	tx := db.AppenderV2(context.Background())
	for i := from; i < to; i++ {
		_, err := tx.Append(0, labels.FromStrings("__name__", name, "i", fmt.Sprint(i)), 0, at, float64(i), nil, nil, storage.AOptions{})
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
}

// TestLog: series above the limit are removed, the first ones keep all their samples, and so do the gateway's own. A second run
// changes nothing.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	const room = 100
	for i := range 3 { // each restart begins a segment
		db := open(t, dir)
		fill(t, db, "foreign", i*200, (i+1)*200, int64(1000+i))
		fill(t, db, "foreign", 0, 50, int64(2000+i))
		fill(t, db, "slowburn_sli_events_total", i*50, (i+1)*50, int64(1000+i))
		require.NoError(t, db.Close())
	}
	out, err := Log(dir, room, quiet)
	require.NoError(t, err)
	assert.Equal(t, 600-slack*room, out)

	for range 2 {
		db := open(t, dir)
		assert.EqualValues(t, slack*room+150, db.Head().NumSeries())
		q, err := db.Querier(0, 10_000)
		require.NoError(t, err)
		samples := 0
		for set := q.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "i", "7")); set.Next(); {
			for it := set.At().Iterator(nil); it.Next() != 0; {
				samples++
			}
		}
		require.NoError(t, q.Close())
		assert.Equal(t, 1+3+1, samples)
		fill(t, db, "slowburn_sli_events_total", 0, 1, 3000)
		require.NoError(t, db.Close())
		out, err = Log(dir, room, quiet)
		require.NoError(t, err)
		assert.Zero(t, out)
	}
	assert.NoFileExists(t, filepath.Join(dir, "lock"))
}

// TestOpenDamagedAndMissingDatabases: a database that is open, damaged or missing is left alone.
func TestOpenDamagedAndMissingDatabases(t *testing.T) {
	dir := t.TempDir()
	out, err := Log(filepath.Join(dir, "none"), 1, quiet)
	require.NoError(t, err)
	assert.Zero(t, out)

	db := open(t, dir)
	fill(t, db, "foreign", 0, 100, 1000)
	out, err = Log(dir, 1, quiet)
	require.NoError(t, err)
	assert.Zero(t, out, "it is open")
	require.NoError(t, db.Close())

	segment := filepath.Join(dir, "wal", "00000000")
	content, err := os.ReadFile(segment)
	require.NoError(t, err)
	for i := 200; i < 2000; i++ {
		content[i] ^= 0x5a
	}
	require.NoError(t, os.WriteFile(segment, content, 0o600))
	out, err = Log(dir, 1, quiet)
	require.NoError(t, err)
	assert.Zero(t, out, "the database repairs it")
	require.NoError(t, open(t, dir).Close())
}
