package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// lateness is how late a decision may be in these tests; only the timers themselves take time.
const lateness = 25 * time.Millisecond

// waitFor lets the fake clock run until n traces were delivered, or to the deadline, and returns the elapsed time.
func waitFor(t *testing.T, next *sink, n int, most time.Duration) time.Duration {
	began := time.Now()
	for time.Since(began) < most {
		synctest.Wait()
		if len(next.traces()) >= n {
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	require.GreaterOrEqual(t, len(next.traces()), n, "after %v", most)
	return time.Since(began)
}

func TestDecisionWait(t *testing.T) { withEitherStorage(t, testDecisionWait) }

func testDecisionWait(t *testing.T) {
	for _, wait := range []time.Duration{time.Millisecond, 300 * time.Millisecond, 1500 * time.Millisecond, time.Hour} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := keepAll(testConfig())
				cfg.DecisionWait = wait
				var next sink
				p := start(t, cfg, &next)
				time.Sleep(1234 * time.Millisecond)
				require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
				began := time.Now()
				time.Sleep(wait / 2)
				require.NoError(t, wireDoor(t, p, request(newSpan(1, 1), newSpan(2, 0))))
				time.Sleep(wait - time.Since(began) - 1)
				synctest.Wait()
				assert.Empty(t, next.traces(), "not before")
				assert.LessOrEqual(t, waitFor(t, &next, 1, time.Second), lateness)
				require.Contains(t, next.traces(), traceID(1), "counted from the first span")
				time.Sleep(wait*3/2 - time.Since(began) - 1)
				waitFor(t, &next, 2, time.Second)
				assert.InDelta(t, float64(wait*3/2), float64(time.Since(began)), float64(lateness))
				assert.Equal(t, int64(2), sum(p).Triggers[decision.ByWait])
				shutdown(t, p)
			})
		})
	}
}

func TestDecisionWaitAfterRootReceived(t *testing.T) {
	withEitherStorage(t, testDecisionWaitAfterRootReceived)
}

func testDecisionWaitAfterRootReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.DecisionWaitAfterRootReceived = 2 * time.Second
		var next sink
		p := start(t, cfg, &next)

		// The root arrives first, and the trace stays quiet afterwards.
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		assert.InDelta(t, float64(2*time.Second), float64(waitFor(t, &next, 1, time.Minute)), float64(lateness))

		// Further spans delay the decision, at most until decision_wait.
		began := time.Now()
		for i := range 30 {
			require.NoError(t, wireDoor(t, p, request(newSpan(2, i))))
			time.Sleep(500 * time.Millisecond)
			if len(next.traces()) == 2 {
				break
			}
		}
		assert.InDelta(t, float64(10*time.Second), float64(time.Since(began)), float64(501*time.Millisecond))

		// The root arrives after the others.
		require.NoError(t, wireDoor(t, p, request(newSpan(3, 1))))
		time.Sleep(5 * time.Second)
		require.NoError(t, wireDoor(t, p, request(newSpan(3, 0))))
		assert.InDelta(t, float64(2*time.Second), float64(waitFor(t, &next, 3, time.Minute)), float64(lateness))

		// No root at all.
		require.NoError(t, wireDoor(t, p, request(newSpan(4, 1))))
		assert.InDelta(t, float64(10*time.Second), float64(waitFor(t, &next, 4, time.Minute)), float64(lateness))

		triggers := sum(p).Triggers
		assert.Equal(t, int64(2), triggers[decision.ByRoot])
		assert.Equal(t, int64(2), triggers[decision.ByWait])
		shutdown(t, p)
	})
}

// A trace that gets a shorter wait later is not delayed by the timer's earlier setting.
func TestShorterWaitWakesTheTimer(t *testing.T) { withEitherStorage(t, testShorterWaitWakesTheTimer) }

func testShorterWaitWakesTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.DecisionWait = time.Hour
		cfg.DecisionWaitAfterRootReceived = 100 * time.Millisecond
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 1))))
		time.Sleep(time.Minute)
		for n := 2; n < 20; n++ {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0))))
			assert.LessOrEqual(t, waitFor(t, &next, n-1, time.Minute), 100*time.Millisecond+lateness)
		}
		shutdown(t, p)
	})
}

// Traces fall due by the thousand and are decided in time.
func TestManyTracesAreDecidedInTime(t *testing.T) {
	withEitherStorage(t, testManyTracesAreDecidedInTime)
}

func testManyTracesAreDecidedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		p := start(t, cfg, &sink{})
		for n := range 3000 {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0))))
		}
		assert.Equal(t, int64(3000), p.Status().TracesPending)
		time.Sleep(cfg.DecisionWait + lateness)
		synctest.Wait()
		assert.Zero(t, p.Status().TracesPending)
		assert.Equal(t, int64(3000), p.Status().Decided.NotSampled)
		shutdown(t, p)
	})
}

// Without work nothing wakes up: the test's fake clock would advance only with it, and a bubble in which only time passes ends at once.
func TestIdleSamplerSleeps(t *testing.T) { withEitherStorage(t, testIdleSamplerSleeps) }

func testIdleSamplerSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
		time.Sleep(time.Minute)
		runs := p.decider.Runs()
		time.Sleep(24 * time.Hour)
		assert.Equal(t, runs, p.decider.Runs())
		shutdown(t, p)
	})
}

// A giant trace keeps its root, its errors and its longest spans; the others are counted and left out.
func TestMaximumTraceSize(t *testing.T) { withEitherStorage(t, testMaximumTraceSize) }

func testMaximumTraceSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.MaximumTraceSizeBytes = 100_000
		var next sink
		p := start(t, cfg, &next)
		const spans = 2000
		for i := 1; i < spans; i++ {
			s := newSpan(1, i)
			switch i {
			case 1500:
				s.fail()
			case 1600:
				s.span().SetEndTimestamp(s.span().StartTimestamp() + 10e9)
			}
			require.NoError(t, wireDoor(t, p, request(s)))
		}
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0), newSpan(2, 0))))
		assert.LessOrEqual(t, p.Status().SpansBuffered, int64(400))
		time.Sleep(time.Minute)
		require.Len(t, next.traces()[traceID(1)], 1)
		kept := map[pcommon.SpanID]bool{}
		for _, s := range spansOf(next.traces()[traceID(1)][0]) {
			kept[s.SpanID()] = true
		}
		assert.True(t, kept[spanID(0)], "the root")
		assert.True(t, kept[spanID(1500)], "the error")
		assert.True(t, kept[spanID(1600)], "the long one")
		assert.Equal(t, int64(spans-len(kept)), p.Status().TrimmedSpans)
		assert.Zero(t, sum(p).Triggers[decision.BySize])
		shutdown(t, p)
	})
}

// A trace that is giant by its errors alone is decided, and its later spans follow.
func TestTraceOfTwiceTheMaximumSize(t *testing.T) {
	withEitherStorage(t, testTraceOfTwiceTheMaximumSize)
}

func testTraceOfTwiceTheMaximumSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.MaximumTraceSizeBytes = 10_000
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).fail(), newSpan(1, 1).pad(20_000), newSpan(1, 2))))
		synctest.Wait()
		require.Contains(t, next.traces(), traceID(1))
		assert.Len(t, spansOf(next.traces()[traceID(1)][0]), 2)
		time.Sleep(time.Second)
		assert.Len(t, next.traces()[traceID(1)], 2, "what comes after it is late")
		assert.Equal(t, int64(1), sum(p).Triggers[decision.BySize])
		assert.Equal(t, int64(1), p.Status().EarlyDecisions)
		shutdown(t, p)
	})
}

func TestShutdownDecidesPendingTraces(t *testing.T) {
	for _, drop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepErrors(testConfig())
			cfg.DropPendingTracesOnShutdown, cfg.Storage = drop, storageMemory
			cfg.DecisionWaitAfterRootReceived = time.Second
			var next sink
			p := start(t, cfg, &next)
			for n := range 100 {
				require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n%2 == 0)...)))
			}
			require.NoError(t, p.Shutdown(t.Context()))
			if drop {
				assert.Empty(t, next.traces())
			} else {
				assert.Len(t, next.traces(), 50)
			}
			assert.Equal(t, int64(100), sum(p).Triggers[decision.ByShutdown])
		})
	}
}

func TestTraceIDsOfTheTestDiffer(t *testing.T) {
	seen := map[pcommon.TraceID]bool{}
	for n := range 20_000 {
		seen[traceID(n)] = true
	}
	require.Len(t, seen, 20_000)
}
