package sli

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// copying is a metrics pipeline that copies the file of counts when it receives them, as a kill at that moment would leave it.
type copying struct {
	t         *testing.T
	directory string
	moments   []moment
}

type moment struct {
	file []byte
	told pmetric.Metrics
}

func (*copying) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *copying) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	names, err := filepath.Glob(filepath.Join(c.directory, "*.counts"))
	require.NoError(c.t, err)
	require.Len(c.t, names, 1)
	b, err := os.ReadFile(names[0])
	require.NoError(c.t, err)
	told := pmetric.NewMetrics()
	md.CopyTo(told)
	c.moments = append(c.moments, moment{b, told})
	return nil
}

func nameOf(t *testing.T, md pmetric.Metrics) string {
	t.Helper()
	v, ok := md.ResourceMetrics().At(0).Resource().Attributes().Get(instanceKey)
	require.True(t, ok)
	return v.Str()
}

// TestTimeOfEmittedCountsSurvivesAKill checks that a process killed while it emits leaves the time of the emitted counts: the next process,
// whose clock may be behind, emits later times, as a database accepts none that is older than its newest sample.
func TestTimeOfEmittedCountsSurvivesAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := repeating(t)
		metrics := &copying{t: t, directory: cfg.Directory}
		p := newPairOf(t, cfg, new(taker), metrics)
		p.start(t)
		require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)))
		time.Sleep(25 * time.Second)
		p.shutdown(t)
		require.Len(t, metrics.moments, 3)
		for i, at := range []time.Duration{10 * time.Second, 20 * time.Second, 25 * time.Second} {
			cfg := repeating(t)
			require.NoError(t, os.WriteFile(filepath.Join(cfg.Directory, "sli.1.counts"), metrics.moments[i].file, 0o600))
			p := newPairOf(t, cfg, new(taker), consumertest.NewNop())
			p.start(t)
			e := p.emitting.(*emitting)
			assert.Equal(t, midnight.Add(at), time.UnixMilli(e.keeper.Flushed()).UTC())
			assert.GreaterOrEqual(t, e.flusher.last, midnight.Add(at).UnixMilli())
			p.shutdown(t)
		}
	})
}

// TestDamageOfEmittedCounts checks that a counter never decreases under its name: after any damage to the log of a process that was
// killed while it emitted, the emitted counts are restored, or counts begin at zero under another name.
func TestDamageOfEmittedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := repeating(t)
		metrics := &copying{t: t, directory: cfg.Directory}
		p := newPairOf(t, cfg, new(taker), metrics)
		p.start(t)
		for n := range 4 {
			for range 4 {
				spans := make([]slitest.Span, 10)
				for i := range spans {
					spans[i] = slitest.Span{Service: "a", Name: "ping" + strconv.Itoa(n), Duration: time.Duration(n * i)}
				}
				require.NoError(t, p.consume(t.Context(), slitest.Traces(t, spans...)))
				time.Sleep(time.Millisecond)
			}
			time.Sleep(10 * time.Second)
		}
		p.shutdown(t)
		require.GreaterOrEqual(t, len(metrics.moments), 4)

		const log = 4096
		rng := rand.New(rand.NewPCG(1, 2))
		anew := 0
		for _, m := range metrics.moments {
			written := len(bytes.TrimRight(m.file[log:log+1<<20], "\x00"))
			assert.Equal(t, nameOf(t, m.told), restartedWith(t, m.file, m.told), "nothing is damaged")
			for range 3 {
				at := rng.IntN(written)
				flipped := bytes.Clone(m.file)
				flipped[log+at] ^= 1 << rng.IntN(8)
				zeroed := bytes.Clone(m.file)
				clear(zeroed[log+at : log+min(at+1+rng.IntN(4096), written)])
				for _, b := range [][]byte{flipped, zeroed} {
					if restartedWith(t, b, m.told) != nameOf(t, m.told) {
						anew++
					}
				}
			}
		}
		assert.Greater(t, anew, 4*3, "most of the damage is to records")
	})
}

// restartedWith returns the name that a process gives the counts in a file. A restored name means that the counts equal the
// emitted ones.
func restartedWith(t *testing.T, file []byte, told pmetric.Metrics) (name string) {
	t.Helper()
	cfg, sink := repeating(t), new(consumertest.MetricsSink)
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Directory, "sli.1.counts"), file, 0o600))
	p := newPairOf(t, cfg, new(taker), sink)
	p.set.Resource.Attributes().PutStr(instanceKey, "another")
	p.start(t)
	name = p.emitting.(*emitting).keeper.Name()
	p.shutdown(t)
	if name == nameOf(t, told) {
		now := values(sink.AllMetrics()...)
		for series, value := range values(told) {
			assert.Equal(t, value, now[series], series)
		}
		return name
	}
	assert.FileExists(t, filepath.Join(cfg.Directory, "sli.1.counts.damaged"))
	return name
}
