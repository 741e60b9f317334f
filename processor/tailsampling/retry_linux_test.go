package tailsampling

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// inShard returns the next trace of a shard, so that a test can choose where the disk fails.
func inShard(p *Sampler, shard int, next *int) int {
	for ; ; *next++ {
		if index.ShardOf(p.buffer.Seed.Hash(wire.TraceID(traceID(*next))), len(p.buffer.Members)) == shard {
			*next++
			return *next - 1
		}
	}
}

// breakSegments makes every segment in use fail at the next store, as a failing disk does under a mapped file.
func breakSegments(t *testing.T, cfg *Config) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cfg.Directory, "*.seg"))
	require.NoError(t, err)
	broken := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		if bytes.HasPrefix(b, []byte("slowspan")) {
			require.NoError(t, os.Truncate(f, 0))
			broken++
		}
	}
	require.Equal(t, 1, broken)
}

// The disk fails in the middle of a request, when one shard's spans are stored and another's are not. The client gets a retryable
// error, sends the request again, and the next component gets each span once.
func TestRequestThatFailedHalfwayIsDeliveredOnce(t *testing.T) {
	for name, through := range map[string]door{"wire": wireDoor, "pdata": pdataDoor} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := keepAll(diskConfig())
				cfg.NumShards = 2
				var next sink
				p := start(t, cfg, &next)
				n := 0
				victim := inShard(p, 1, &n)
				require.NoError(t, through(t, p, request(newSpan(victim, 0))))
				breakSegments(t, cfg)

				stored, broken := inShard(p, 0, &n), inShard(p, 1, &n)
				again := request(append(newTrace(stored, 3, false), newTrace(broken, 3, false)...)...)
				err := through(t, p, again)
				require.ErrorContains(t, err, "is damaged: it was cut off, or cannot be read or written")
				require.False(t, consumererror.IsPermanent(err))
				require.EqualValues(t, 3, p.buffer.Members[0].Tally().Stats.Spans, "they stay")
				require.NoError(t, through(t, p, again))

				time.Sleep(time.Minute)
				got := next.traces()
				for _, id := range []int{stored, broken} {
					require.Len(t, got[traceID(id)], 1)
					assert.Len(t, spansOf(got[traceID(id)][0]), 3)
				}
				assert.EqualValues(t, 3, p.output.Repeated.Load())
				assert.EqualValues(t, 1, p.output.Lost.Load(), "what was on the part of the disk that is gone")
				require.NoError(t, p.Shutdown(t.Context()))
			})
		})
	}
}
