package tsdb

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	promtsdb "github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

// Chunks of the last hours that are truncated while in use end no process: a query or compaction that reads them fails, and the
// database is reopened with all samples from its log.
func TestTruncatedChunks(t *testing.T) {
	for name, meet := range map[string]func(t *testing.T, e *Extension, at time.Time){
		"by a query": func(t *testing.T, e *Extension, at time.Time) {
			_, err := e.Query(t.Context(), `sum_over_time(c_total[3h])`, at)
			require.ErrorContains(t, err, "a mapped file was cut off")
		},
		"by work of its own": func(_ *testing.T, e *Extension, _ time.Time) {
			db := e.backend.(*embedded)
			db.report(upkeep.Guard(func() error {
				return db.db.CompactHead(promtsdb.NewRangeHead(db.db.Head(), db.db.Head().MinTime(), db.db.Head().MaxTime()))
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(t)
			e := start(t, config)
			x := startExporter(t, e)
			end := now()
			put := func(at time.Time, value int64) error {
				md, sm := resource(gateway)
				addPoint(newSum(sm, "c", cumulative), at, value)
				return x.ConsumeMetrics(t.Context(), md)
			}
			const written = 700
			for i := range written {
				require.NoError(t, put(end.Add(time.Duration(i-written)*10*time.Second), int64(i)))
			}
			require.NoError(t, e.Shutdown(t.Context())) // which writes full chunks to their files
			e = start(t, config)
			x = startExporter(t, e)
			before := e.backend
			chunks, err := filepath.Glob(filepath.Join(config.Directory, "chunks_head", "0*"))
			require.NoError(t, err)
			require.NotEmpty(t, chunks)
			for _, path := range chunks {
				require.NoError(t, os.Truncate(path, 0))
			}
			meet(t, e, end)
			require.Eventually(t, func() bool { return put(end, written) == nil }, time.Minute, 10*time.Millisecond)
			assert.True(t, before != e.backend)
			assert.Len(t, samples(t, e, `c_total[3h]`, end), written+1)
			assert.True(t, e.Probe(t.Context()).OK, e.Probe(t.Context()).Message)
		})
	}
}

// On a volume without room to read the database back it stays closed, and this is reported; it is opened when there is room.
func TestNoRoomToOpen(t *testing.T) {
	config := testConfig(t)
	wal := filepath.Join(config.Directory, "wal")
	require.NoError(t, os.MkdirAll(wal, 0o700))
	huge := filepath.Join(wal, "huge")
	f, err := os.Create(huge)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(1<<43)) // larger than the volume, without taking space
	require.NoError(t, f.Close())
	e := start(t, config)
	_, err = e.Query(t.Context(), "c", now())
	require.ErrorIs(t, err, errNoRoom)
	assert.True(t, strings.HasSuffix(e.Probe(t.Context()).Message, "no room: free space there"), e.Probe(t.Context()).Message)
	require.ErrorIs(t, e.comeBack(), errNoRoom)

	require.NoError(t, os.Remove(huge))
	require.ErrorIs(t, e.comeBack(), errNoRoom, "not before the time")
	e.retryAt.Store(0)
	require.NoError(t, e.comeBack())
	assert.True(t, e.Probe(t.Context()).OK)
}

// Unreadable parts are moved aside at the start, and the database opens without them: spans are counted and sampled.
func TestDiskFailsAtTheStart(t *testing.T) {
	for part, moved := range map[string][]string{"wal": {"chunks_head", "wal", "wbl"}, "chunks_head": {"chunks_head"}} {
		t.Run(part, func(t *testing.T) {
			config := testConfig(t)
			config.Directory = filepath.Join(config.Directory, "tsdb")
			require.NoError(t, start(t, config).Shutdown(t.Context()))
			moved = slices.DeleteFunc(moved, func(name string) bool { // wbl exists only with out-of-order samples
				_, err := os.Stat(filepath.Join(config.Directory, name))
				return err != nil
			})
			files, err := filepath.Glob(filepath.Join(config.Directory, part, "0*"))
			require.NoError(t, err)
			unreadable := filepath.Join(config.Directory, part, "000000")
			if len(files) > 0 {
				unreadable = files[0]
				require.NoError(t, os.Remove(unreadable))
			}
			require.NoError(t, os.Symlink("/proc/self/mem", unreadable)) // offset 0 is unreadable
			e := start(t, config)
			assert.True(t, e.Probe(t.Context()).OK, e.Probe(t.Context()).Message)
			aside, err := filepath.Glob(config.Directory + ".damaged-*/*")
			require.NoError(t, err)
			var got []string
			for _, path := range aside {
				got = append(got, filepath.Base(path))
			}
			assert.ElementsMatch(t, moved, got)
		})
	}
}

// Unreadable parts are moved aside one by one.
func TestOpenDamaged(t *testing.T) {
	for failures, left := range map[int][]string{0: {"chunks_head", "wal", "other"}, 1: {"wal", "other"}, 2: {"other"}, 3: {"other"}} {
		config := testConfig(t)
		config.Directory = filepath.Join(config.Directory, "tsdb")
		for _, part := range []string{"chunks_head", "wal", "other"} {
			require.NoError(t, os.MkdirAll(filepath.Join(config.Directory, part), 0o700))
		}
		tries := 0
		db, err := openDamaged(config.Directory, zap.NewNop(), func() (*embedded, error) {
			if tries++; tries <= failures {
				return nil, errors.New("damaged")
			}
			return &embedded{}, nil
		})
		assert.Equal(t, failures < 3, err == nil && db != nil)
		entries, err := os.ReadDir(config.Directory)
		require.NoError(t, err)
		var got []string
		for _, entry := range entries {
			got = append(got, entry.Name())
		}
		assert.ElementsMatch(t, left, got)
	}
}
