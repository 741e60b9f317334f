package tailsampling

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
)

// TestDrain: a sampler that is drained refuses spans, decides and delivers its traces before they are due, reports when
// none is left, and accepts spans again after StopDrain.
func TestDrain(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) { synctest.Test(t, testDrain) })
}

func testDrain(t *testing.T) {
	cfg := keepErrors(testConfig())
	cfg.DecisionWait = time.Hour
	var next sink
	p := start(t, cfg, &next)
	defer shutdown(t, p)
	for n := range 100 {
		require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n%2 == 0)...)))
	}
	require.Empty(t, next.traces())
	require.True(t, p.Probe(t.Context()).OK)

	state := p.StartDrain()
	assert.True(t, state.Draining)
	assert.NotNil(t, state.Since)
	assert.Zero(t, state.UndecidedTraces)
	synctest.Wait()
	time.Sleep(time.Second) // of the test's clock: kept traces leave in batches
	state = p.StartDrain()
	assert.True(t, state.Done, "%+v", state)
	assert.Len(t, next.traces(), 50)

	err := wireDoor(t, p, request(newTrace(200, 1, true)...))
	require.ErrorContains(t, err, "drained")
	assert.False(t, consumererror.IsPermanent(err), "another gateway takes it")
	assert.Equal(t, codes.Unavailable, consumererror.ToGRPCStatus(err).Code())
	assert.Equal(t, int64(1), p.refusals.For(refuse.Draining))
	health := p.Probe(t.Context())
	assert.False(t, health.OK)
	assert.True(t, health.Blocking)
	assert.Contains(t, health.Message, "drained")

	state = p.StopDrain()
	assert.False(t, state.Draining)
	assert.False(t, state.Done)
	assert.Nil(t, state.Since)
	require.NoError(t, wireDoor(t, p, request(newTrace(201, 1, true)...)))
	state = p.StartDrain()
	synctest.Wait()
	time.Sleep(time.Second)
	assert.True(t, p.StartDrain().Done)
	assert.Len(t, next.traces(), 51)
}

// TestDrainWithoutDestination: traces that a destination has not received are counted under its name, and
// stay.
func TestDrainWithoutDestination(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) { synctest.Test(t, testDrainWithoutDestination) })
}

func testDrainWithoutDestination(t *testing.T) {
	cfg := keepErrors(testConfig())
	cfg.DecisionWait = time.Hour
	var back atomic.Bool
	next := sink{accept: func(context.Context, int, ptrace.Traces) error {
		if back.Load() {
			return nil
		}
		return errors.New("away")
	}}
	p := start(t, cfg, &next)
	for n := range 10 {
		require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, true)...)))
	}
	p.StartDrain()
	synctest.Wait()
	time.Sleep(time.Minute)
	state := p.StartDrain()
	assert.False(t, state.Done)
	assert.Equal(t, int64(10), state.UndeliveredTraces)
	require.Len(t, state.Destinations, 1)
	assert.Equal(t, int64(10), state.Destinations[0].Traces)
	assert.Equal(t, int64(30), state.Destinations[0].Spans)
	assert.Equal(t, "retrying", state.Destinations[0].State)
	back.Store(true)
	time.Sleep(time.Minute)
	assert.True(t, p.StartDrain().Done)
	assert.Len(t, next.traces(), 10)
	shutdown(t, p)
}

// TestDecideOnShutdown: with storage disk too, undecided traces are decided and delivered, and nothing is left for the
// next start.
func TestDecideOnShutdown(t *testing.T) {
	for _, decide := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepErrors(testConfig())
			cfg.Storage, cfg.Directory, cfg.DecisionWait, cfg.DecideOnShutdown = storageDisk, t.TempDir(), time.Hour, decide
			var next sink
			p := start(t, cfg, &next)
			for n := range 20 {
				require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n%2 == 0)...)))
			}
			require.NoError(t, p.Shutdown(t.Context()))
			if decide {
				assert.Len(t, next.traces(), 10)
				assert.Equal(t, int64(20), sum(p).Triggers[decision.ByShutdown])
			} else {
				assert.Empty(t, next.traces())
			}
			p = start(t, cfg, &next)
			synctest.Wait()
			if decide {
				assert.Zero(t, p.Status().TracesPending)
			} else {
				assert.Equal(t, int64(20), p.Status().TracesPending)
			}
			shutdown(t, p)
		})
	}
}
