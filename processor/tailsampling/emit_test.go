package tailsampling

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
)

// After an outage the next component receives everything exactly once.
func TestRetryableErrorKeepsTraces(t *testing.T) { withEitherStorage(t, testRetryableErrorKeepsTraces) }

func testRetryableErrorKeepsTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.NumShards = 1
		works := false
		var mu sync.Mutex
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			mu.Lock()
			defer mu.Unlock()
			if works {
				return nil
			}
			return errors.New("no route to host")
		}}
		p := start(t, cfg, &next)
		for n := range 100 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, false)...)))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Minute)
		assert.Empty(t, next.traces())
		assert.Equal(t, int64(100), p.Status().TracesUndelivered)
		assert.Equal(t, int64(300), p.Status().SpansBuffered)
		health := p.Probe(t.Context())
		assert.False(t, health.OK)
		assert.False(t, health.Blocking, "the log has room")
		assert.Regexp(t, `^100 kept traces wait for the next component, which is tried again in [0-9.]+m?s \(no route to host\)$`, health.Message)
		retries := p.output.Destinations[0].Retries.Load()
		assert.Greater(t, retries, int64(8))
		assert.Less(t, retries, int64(40), "it backs off")

		mu.Lock()
		works = true
		mu.Unlock()
		time.Sleep(time.Minute)
		assert.Equal(t, 300, next.spans())
		got := next.traces()
		for n := range 100 {
			require.Len(t, got[traceID(n)], 1, "trace %d", n)
			require.Len(t, spansOf(got[traceID(n)][0]), 3)
		}
		assert.Zero(t, p.Status().TracesUndelivered)
		assert.True(t, p.Probe(t.Context()).OK)
		assert.Equal(t, int64(300), p.output.Delivered())
		assert.Zero(t, p.output.RefusedSpans())
		shutdown(t, p)
	})
}

func TestPermanentErrorIsCounted(t *testing.T) { withEitherStorage(t, testPermanentErrorIsCounted) }

func testPermanentErrorIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := sink{accept: func(_ context.Context, call int, _ ptrace.Traces) error {
			if call == 0 {
				return consumererror.NewPermanent(errors.New("invalid"))
			}
			return nil
		}}
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		time.Sleep(time.Minute)
		require.NoError(t, wireDoor(t, p, request(newTrace(2, 2, false)...)))
		shutdown(t, p)
		assert.Equal(t, int64(3), p.output.RefusedSpans())
		assert.Equal(t, int64(3), p.Status().FailedSpans)
		assert.Equal(t, int64(2), p.output.Delivered())
		assert.Zero(t, p.output.Destinations[0].Retries.Load())
		assert.Equal(t, lost(3), p.output.Lost.Load(), "it is in the log, and in memory that ends with the process")
	})
}

// A next component that never returns delays only its own traces, until the budget is used up.
func TestBlockedNextComponentDoesNotBlockIngest(t *testing.T) {
	withEitherStorage(t, testBlockedNextComponentDoesNotBlockIngest)
}

func testBlockedNextComponentDoesNotBlockIngest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		squeeze(cfg, 2, 2<<20)
		unblock := make(chan struct{})
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			<-unblock
			return nil
		}}
		p := start(t, cfg, &next)
		accepted, refused := 0, 0
		for n := range 4000 {
			err := wireDoor(t, p, request(newSpan(n, 0).pad(500)))
			if err == nil {
				accepted++
			} else {
				refused++
				requireRefusal(t, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		assert.Greater(t, accepted, 1000, "the budget holds that many")
		assert.Positive(t, refused)
		assert.LessOrEqual(t, p.buffer.Pool.Used(), int64(cfg.MemoryBudget))
		assert.Equal(t, int64(refused), p.Status().RefusedSpans)
		health := p.Probe(t.Context())
		assert.True(t, !health.OK && health.Blocking)
		assert.Regexp(t, `^refuses spans: delivery_budget of 1MiB is used up`, health.Message)

		close(unblock)
		time.Sleep(time.Minute)
		assert.Equal(t, accepted, next.spans(), "what was accepted is delivered")
		assert.NoError(t, wireDoor(t, p, request(newSpan(9999, 0))))
		assert.True(t, p.Probe(t.Context()).OK)
		shutdown(t, p)
	})
}

func requireRefusal(t *testing.T, err error) {
	t.Helper()
	var e *consumererror.Error
	require.ErrorAs(t, err, &e)
	require.False(t, consumererror.IsPermanent(err))
	st := consumererror.ToGRPCStatus(err)
	require.Equal(t, codes.ResourceExhausted, st.Code())
	require.Len(t, st.Details(), 1)
	require.Equal(t, time.Second, st.Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
}

func TestBatchesAreBounded(t *testing.T) { withEitherStorage(t, testBatchesAreBounded) }

func testBatchesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.MemoryBudget = 512 << 20
		var next sink
		p := start(t, cfg, &next)
		for n := range 200 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 30, false)...)))
		}
		for n := 200; n < 205; n++ {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0), newSpan(n, 1).pad(1500<<10))))
		}
		shutdown(t, p)
		assert.Len(t, next.traces(), 205)
		var sizer ptrace.ProtoMarshaler
		for _, td := range next.batches {
			ids := map[string]bool{}
			for _, s := range spansOf(td) {
				ids[s.TraceID().String()] = true
			}
			if len(ids) > 1 {
				assert.LessOrEqual(t, td.SpanCount(), 2000)
				assert.LessOrEqual(t, sizer.TracesSize(td), 2<<20)
			}
		}
		assert.Less(t, len(next.batches), 40, "small traces go together")
	})
}

// A shutdown ends at shutdown_timeout, or with its context, and logs the traces that it lost.
func TestShutdownWithABackendThatFails(t *testing.T) {
	withEitherStorage(t, testShutdownWithABackendThatFails)
}

func testShutdownWithABackendThatFails(t *testing.T) {
	for name, ctxTimeout := range map[string]time.Duration{"shutdown_timeout": time.Hour, "context": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := keepAll(testConfig())
				next := sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }}
				p := start(t, cfg, &next)
				for n := range 10 {
					require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, false)...)))
				}
				ctx, cancel := context.WithTimeout(t.Context(), ctxTimeout)
				defer cancel()
				decideAll(p)
				began := time.Now()
				require.NoError(t, p.Shutdown(ctx))
				assert.Equal(t, min(ctxTimeout, cfg.ShutdownTimeout), time.Since(began))
				assert.Equal(t, lost(20), p.output.Lost.Load())
				assert.Greater(t, p.output.Destinations[0].Retries.Load(), int64(2), "it went on trying")
			})
		})
	}
}

func TestShutdownCancelsACallThatHangs(t *testing.T) {
	withEitherStorage(t, testShutdownCancelsACallThatHangs)
}

func testShutdownCancelsACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := sink{accept: func(ctx context.Context, _ int, _ ptrace.Traces) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 2, false)...)))
		decideAll(p)
		require.NoError(t, p.Shutdown(t.Context()))
		assert.Equal(t, lost(2), p.output.Lost.Load())
	})
}

func TestShutdownLeavesACallBehindThatNeverReturns(t *testing.T) {
	withEitherStorage(t, testShutdownLeavesACallBehindThatNeverReturns)
}

func testShutdownLeavesACallBehindThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			<-unblock
			return nil
		}}
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 2, false)...)))
		decideAll(p)
		require.ErrorContains(t, p.Shutdown(t.Context()), "the next component did not return")
		assert.Equal(t, lost(2), p.output.Lost.Load())
		close(unblock)
	})
}

// A backend that recovers during the shutdown receives the rest.
func TestShutdownDeliversToABackendThatRecovers(t *testing.T) {
	withEitherStorage(t, testShutdownDeliversToABackendThatRecovers)
}

func testShutdownDeliversToABackendThatRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			if time.Since(began) < 10*time.Minute+4*time.Second {
				return errors.New("down")
			}
			return nil
		}}
		p := start(t, keepAll(testConfig()), &next)
		for n := range 10 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, false)...)))
		}
		time.Sleep(10 * time.Minute) // so that the senders wait half a minute between attempts
		shutdown(t, p)
		assert.Equal(t, 20, next.spans())
		assert.Zero(t, p.output.Lost.Load())
	})
}

// An exporter that retries by itself does not return while its backend is away: health must show that too.
func TestProbeReportsAHangingNextComponent(t *testing.T) {
	withEitherStorage(t, testProbeReportsAHangingNextComponent)
}

func testProbeReportsAHangingNextComponent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			<-unblock
			return nil
		}}
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
		assert.True(t, p.Probe(t.Context()).OK)
		time.Sleep(time.Minute)
		health := p.Probe(t.Context())
		assert.False(t, health.OK)
		assert.False(t, health.Blocking, "spans are still taken")
		assert.Regexp(t, `^1 kept trace waits for the next component, which has not answered for \d+s$`, health.Message)
		close(unblock)
		synctest.Wait()
		assert.True(t, p.Probe(t.Context()).OK)
		shutdown(t, p)
	})
}

// Traces that fall due one after another are delivered in groups, the first at once, and all at once when their
// memory is needed.
func TestTracesAreGathered(t *testing.T) { withEitherStorage(t, testTracesAreGathered) }

func testTracesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.DecisionWait = time.Second
		cfg.NumShards = 1
		var next sink
		p := start(t, cfg, &next)
		batches := func() int {
			synctest.Wait()
			next.mu.Lock()
			defer next.mu.Unlock()
			return len(next.batches)
		}
		for n := range 100 {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0))))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		require.Len(t, next.traces(), 100)
		gathered := batches()
		assert.InDelta(t, 100*20*time.Millisecond/gatherFor, gathered, 2)

		require.NoError(t, wireDoor(t, p, request(newSpan(200, 0))))
		time.Sleep(time.Second + runEvery)
		assert.Equal(t, gathered+1, batches(), "after a pause it does not wait")

		require.NoError(t, wireDoor(t, p, request(newSpan(300, 0))))
		time.Sleep(gatherFor / 2)
		require.NoError(t, wireDoor(t, p, request(newSpan(301, 0))))
		time.Sleep(time.Second - gatherFor/2 + runEvery)
		assert.Equal(t, gathered+2, batches())
		time.Sleep(gatherFor / 2)
		require.Zero(t, p.Status().TracesPending)
		assert.Equal(t, gathered+2, batches(), "301 is decided and gathers company")
		p.budget.Relieved()
		assert.Equal(t, gathered+3, batches(), "unless there is no room for it")
		shutdown(t, p)
	})
}
