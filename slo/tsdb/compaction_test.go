package tsdb

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBlocks writes enough hours for the database to compact the older ones into blocks, and reads across blocks and
// head, before and after a restart.
func TestBlocks(t *testing.T) {
	config := testConfig(t)
	e := start(t, config)
	x := startExporter(t, e)
	end := now()
	from := end.Add(-9 * time.Hour)
	var want []model.SamplePair
	for at := from; !at.After(end); at = at.Add(time.Minute) {
		md, sm := resource(gateway)
		value := int64(len(want))
		addPoint(newSum(sm, "c", cumulative), at, value)
		newExponential(sm, "d", at, uint64(value), 1)
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		want = append(want, pair(at, float64(value)))
	}
	blocks := func() bool { return len(e.backend.(*embedded).db.Blocks()) >= 2 }
	require.Eventually(t, blocks, time.Minute, 10*time.Millisecond, "the head is compacted in the background")

	for range 2 {
		assert.Equal(t, want, samples(t, e, `c_total[10h]`, end))
		v, err := e.Query(t.Context(), `d_seconds[10h]`, end)
		require.NoError(t, err)
		assert.Len(t, v.(model.Matrix)[0].Histograms, len(want))
		require.NoError(t, e.Shutdown(t.Context()))
		e = start(t, config)
		assert.Contains(t, e.Probe(t.Context()).Message, "blocks in "+config.Directory)
	}
}
