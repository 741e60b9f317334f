package tsdb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"

	"github.com/slowburn/slowburn/slo/internal/own"
)

// When a clock that was ahead is set back, samples in the future are moved aside, earlier ones stay, and present ones are
// accepted, in the same process and after a restart. It holds at each place within a block's range, and whether or not a
// compaction made blocks of the hours ahead.
func TestSetBack(t *testing.T) {
	for _, into := range []time.Duration{0, time.Second, 53 * time.Minute, 2*time.Hour - time.Second} {
		for _, compact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s into a block, compacted %t", into, compact), func(t *testing.T) {
				testSetBack(t, now().Truncate(2*time.Hour).Add(into-2*time.Hour), compact)
			})
		}
	}
}

func testSetBack(t *testing.T, wrong time.Time, compact bool) {
	config := testConfig(t)
	config.Directory = filepath.Join(config.Directory, "tsdb")
	e := start(t, config)
	x := startExporter(t, e)
	put := func(at time.Time, v int64) {
		md, sm := resource(gateway)
		addPoint(newSum(sm, "c", cumulative), at, v)
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	}
	at := wrong.Add(-26 * time.Hour) // the present
	put(at.Add(-4*time.Hour), 1)
	put(at.Add(-time.Second), 2)
	put(wrong.Add(-time.Hour), 3)
	put(wrong, 4)
	before := at.Add(-4 * time.Hour)
	require.Equal(t, 4, len(samples(t, e, `c_total[48h]`, wrong)))
	if compact {
		require.NoError(t, e.backend.(*embedded).db.Compact(t.Context()))
	}

	require.NoError(t, e.setBack(wrong), "nothing is ahead of that clock")
	require.Equal(t, 4, len(samples(t, e, `c_total[48h]`, wrong)))
	require.NoError(t, e.setBack(at))
	assert.Equal(t, []int64{before.UnixMilli(), at.Add(-time.Second).UnixMilli()}, times(t, e, wrong))
	put(at.Add(10*time.Second), 5)
	put(at.Add(20*time.Second), 6)
	want := []int64{before.UnixMilli(), at.Add(-time.Second).UnixMilli(), at.Add(10 * time.Second).UnixMilli(), at.Add(20 * time.Second).UnixMilli()}
	assert.Equal(t, want, times(t, e, wrong))
	asides, err := filepath.Glob(config.Directory + ".ahead-*")
	require.NoError(t, err)
	require.Len(t, asides, 1)
	_, err = os.Stat(filepath.Join(asides[0], "wal"))
	require.NoError(t, err)
	assert.True(t, e.Probe(t.Context()).OK)
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, want, times(t, start(t, config), wrong))
}

// A gateway that is killed after any of the moves completes the others at its next start.
func TestKilledWhileSetBack(t *testing.T) {
	for moved := 0; ; moved++ {
		config := testConfig(t)
		config.Directory = filepath.Join(config.Directory, "tsdb")
		e := start(t, config)
		put := func(x exporter.Metrics, at time.Time, v int64) {
			md, sm := resource(gateway)
			addPoint(newSum(sm, "c", cumulative), at, v)
			require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		}
		wrong := now()
		at := wrong.Add(-26 * time.Hour) // the present
		x := startExporter(t, e)
		put(x, at.Add(-time.Second), 1)
		put(x, wrong.Add(-5*time.Hour), 2)
		put(x, wrong, 3)
		db := e.backend.(*embedded)
		require.NoError(t, db.db.Compact(t.Context())) // makes blocks of the hours ahead
		aside, err := db.closeAhead(at)
		require.NoError(t, err)
		e.backend = nil
		ahead := []string{"wal", "chunks_head"} // and blocks, in the order of the moves
		entries, err := os.ReadDir(aside)
		require.NoError(t, err)
		for _, entry := range entries {
			if !slices.Contains(ahead, entry.Name()) {
				ahead = append(ahead, entry.Name())
			}
		}
		if moved > len(ahead) {
			require.Greater(t, moved, 3, "there was no block ahead")
			return
		}
		for _, name := range ahead[moved:] { // undo the later moves
			require.NoError(t, os.Rename(filepath.Join(aside, name), filepath.Join(config.Directory, name)))
		}
		e = start(t, config)
		if e.backend.(*embedded).isAhead(at) {
			require.NoError(t, e.setBack(at))
		}
		x = startExporter(t, e)
		put(x, at.Add(10*time.Second), 4)
		assert.Equal(t, []int64{at.Add(-time.Second).UnixMilli(), at.Add(10 * time.Second).UnixMilli()}, times(t, e, wrong),
			"after %d of %v were moved", moved, ahead)
	}
}

func times(t *testing.T, e *Extension, at time.Time) (list []int64) {
	for _, s := range samples(t, e, `c_total[48h]`, at) {
		list = append(list, s.Timestamp.UnixNano()/1e6)
	}
	return list
}

// While none of the gateway's own samples is stored, /readyz says so, until one is.
func TestStarved(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	put := func(at time.Time) {
		md, sm := resource(gateway)
		addPoint(newSum(sm, "c", cumulative), at, 1)
		require.NoError(t, x.ConsumeMetrics(own.Mark(t.Context()), md))
	}
	put(now())
	assert.True(t, e.Probe(t.Context()).OK)
	put(now().Add(-24 * time.Hour))
	h := e.Probe(t.Context())
	assert.False(t, h.OK || h.Blocking)
	assert.Contains(t, h.Message, "no count is stored: ")
	put(now().Add(time.Second))
	assert.True(t, e.Probe(t.Context()).OK)
}
