package tailsampling

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// 1,000 traces with errors among 10,000 boring ones, under a budget for a tenth of them: all errors are kept, whole.
func TestErrorsSurviveMemoryPressure(t *testing.T) {
	withEitherStorage(t, testErrorsSurviveMemoryPressure)
}

func testErrorsSurviveMemoryPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		const traces, spans, pad = 11_000, 3, 300
		var next sink
		p := start(t, cfg, &next)
		var m ptrace.ProtoMarshaler
		one := int64(m.TracesSize(request(newSpan(1, 0).pad(pad))))
		shutdown(t, p)

		squeeze(cfg, cfg.NumShards, units.Size(one*spans*traces/10))
		next = sink{}
		p = start(t, cfg, &next)
		peak := int64(0)
		send := func(td ptrace.Traces) {
			for {
				err := wireDoor(t, p, td)
				if err == nil {
					return
				}
				requireRefusal(t, err)
				time.Sleep(time.Second) // as a client does
			}
		}
		for n := range traces {
			// The error is in the first span, and the rest of the trace follows much later than the boring ones next to it.
			first := newSpan(n, 0).pad(pad)
			if n%11 == 0 {
				first.fail()
			}
			send(request(first))
			if n >= 50 {
				send(request(newSpan(n-50, 1).pad(pad), newSpan(n-50, 2).pad(pad)))
			}
			peak = max(peak, p.buffer.Pool.Used())
		}
		for n := traces - 50; n < traces; n++ {
			send(request(newSpan(n, 1).pad(pad), newSpan(n, 2).pad(pad)))
		}
		early := p.Status().EarlyDecisions
		shutdown(t, p)
		got := next.traces()
		assert.Len(t, got, traces/11)
		for n := 0; n < traces; n += 11 {
			require.Len(t, got[traceID(n)], 1, "trace %d", n)
			require.Len(t, spansOf(got[traceID(n)][0]), spans, "trace %d is whole", n)
		}
		assert.Positive(t, early)
		assert.LessOrEqual(t, peak, int64(cfg.MemoryBudget))
		st := p.Status()
		assert.Equal(t, int64(traces), st.Decided.Sampled+st.Decided.NotSampled, "none is gone without a decision")
	})
}

// If errors alone exceed the budget, they are decided early and delivered, not refused, while the next stage accepts
// them.
func TestErrorsAloneOverTheBudgetAreDelivered(t *testing.T) {
	withEitherStorage(t, testErrorsAloneOverTheBudgetAreDelivered)
}

func testErrorsAloneOverTheBudgetAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		squeeze(cfg, 2, 1<<20)
		var next sink
		p := start(t, cfg, &next)
		for n := range 3000 {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(500).fail())))
			synctest.Wait() // the senders have all the time there is
		}
		shutdown(t, p)
		assert.Len(t, next.traces(), 3000)
		assert.Positive(t, p.Status().EarlyDecisions)
		assert.Zero(t, p.Status().RefusedSpans)
	})
}

// A refused request leaves nothing behind: sending it again duplicates nothing.
func TestRefusedRequestLeavesNoTrace(t *testing.T) {
	withEitherStorage(t, testRefusedRequestLeavesNoTrace)
}

func testRefusedRequestLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		squeeze(cfg, 4, 2<<20)
		works := make(chan struct{})
		next := sink{accept: func(context.Context, int, ptrace.Traces) error {
			select {
			case <-works:
				return nil
			default:
				return errors.New("down")
			}
		}}
		p := start(t, cfg, &next)
		n := 0
		for ; ; n++ { // fill the buffer
			if err := wireDoor(t, p, request(newSpan(n, 0).pad(2000))); err != nil {
				requireRefusal(t, err)
				break
			}
		}
		before := p.Status()
		traces := sum(p).Traces
		var many []spanOf
		for i := range 100 {
			many = append(many, newSpan(100_000+i, 0).pad(100), newSpan(i, 1))
		}
		requireRefusal(t, wireDoor(t, p, request(many...)))
		requireRefusal(t, pdataDoor(t, p, request(many...)))
		after := p.Status()
		assert.Equal(t, before.SpansBuffered, after.SpansBuffered)
		assert.Equal(t, traces, sum(p).Traces)
		assert.Equal(t, before.RefusedSpans+400, after.RefusedSpans)

		close(works)
		time.Sleep(time.Minute)
		require.NoError(t, wireDoor(t, p, request(many...)))
		shutdown(t, p)
		got := next.traces()
		assert.Len(t, got, n+100)
		assert.Equal(t, n+200, next.spans())
	})
}

// While the backend is down and kept traces wait, boring ones are decided early before spans are refused.
func TestBoringTracesMakeRoomWhileKeptOnesWait(t *testing.T) {
	withEitherStorage(t, testBoringTracesMakeRoomWhileKeptOnesWait)
}

func testBoringTracesMakeRoomWhileKeptOnesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		squeeze(cfg, 2, 2<<20)
		cfg.DecisionWait = time.Hour
		cfg.DecisionWaitAfterRootReceived = time.Second
		next := sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }}
		p := start(t, cfg, &next)
		n := 0
		for ; p.buffer.Pool.Pressure() < 0.6; n++ {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(500).fail())))
		}
		time.Sleep(time.Minute)
		require.Equal(t, int64(n), p.Status().TracesUndelivered)
		for range 5000 {
			n++
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 1).pad(500))))
		}
		assert.Positive(t, p.Status().EarlyDecisions)
		assert.Positive(t, p.Status().TracesPending, "only as many as needed")
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

// If each segment has a trace that waits for the backend, compressed or not, room is made without deciding all traces.
func TestEarlyDecisionsAreAsManyAsNeeded(t *testing.T) {
	withEitherStorage(t, testEarlyDecisionsAreAsManyAsNeeded)
}

func testEarlyDecisionsAreAsManyAsNeeded(t *testing.T) {
	for _, compression := range []string{compressNever, compressAuto, compressAlways} {
		t.Run(compression, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { decidesAsManyAsNeeded(t, compression) })
		})
	}
}

func decidesAsManyAsNeeded(t *testing.T, compression string) {
	cfg := keepErrors(testConfig())
	squeeze(cfg, 2, 16<<20)
	cfg.Compression = compression
	cfg.DecisionWait = time.Hour
	cfg.DecisionWaitAfterRootReceived = time.Hour
	next := sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }}
	p := start(t, cfg, &next)
	rnd := rand.New(rand.NewPCG(1, 1))
	most := int64(0)
	for n := 0; p.Status().EarlyDecisions < 2000; n++ {
		span, noise := newSpan(n, 0).pad(3000), make([]byte, 100*8)
		for at := 0; at < len(noise); at += 8 {
			binary.LittleEndian.PutUint64(noise[at:], rnd.Uint64())
		}
		span.span().Attributes().PutEmptyBytes("noise").FromRaw(noise)
		if n%20 == 0 {
			span = span.fail()
		}
		require.NoError(t, wireDoor(t, p, request(span)))
		pending := p.Status().TracesPending
		most = max(most, pending)
		require.Greater(t, pending, most/2, "after %d traces", n)
	}
	require.NoError(t, p.Shutdown(t.Context()))
}

// A request larger than the whole budget can never be accepted; it is refused permanently, and changes nothing.
func TestRequestLargerThanTheBudget(t *testing.T) {
	withEitherStorage(t, testRequestLargerThanTheBudget)
}

func testRequestLargerThanTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		squeeze(cfg, 1, 256<<10)
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
		err := wireDoor(t, p, request(newSpan(2, 0).pad(300<<10)))
		require.True(t, consumererror.IsPermanent(err), "%v", err)
		require.ErrorContains(t, err, "memory_budget")
		shutdown(t, p)
		assert.Equal(t, 1, next.spans())
	})
}

func TestNumTraces(t *testing.T) { withEitherStorage(t, testNumTraces) }

func testNumTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.NumTraces = 100
		var next sink
		p := start(t, cfg, &next)
		for n := range 1000 {
			tr := newTrace(n, 1, n%10 == 0)
			require.NoError(t, wireDoor(t, p, request(tr...)))
			require.LessOrEqual(t, p.Status().TracesPending, int64(100+cfg.NumShards))
		}
		synctest.Wait()
		st := p.Status()
		assert.GreaterOrEqual(t, st.EarlyDecisions, int64(900-cfg.NumShards))
		assert.Equal(t, sum(p).Triggers[decision.ByCount], st.EarlyDecisions)
		assert.Less(t, len(next.traces()), 50, "boring traces go first")
		shutdown(t, p)
		assert.Len(t, next.traces(), 100, "and no error is lost")
	})
}

// The oldest boring trace goes first, then interesting ones, then errors.
func TestOrderOfEarlyDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Policies = cfg.Policies[:2] // errors, slow
		cfg.NumShards, cfg.Storage = 1, storageMemory
		p, err := newSamplerForTest(cfg)
		require.NoError(t, err)
		slow := func(n int) spanOf {
			s := newSpan(n, 0)
			s.span().SetEndTimestamp(s.span().StartTimestamp() + 2e9)
			return s
		}
		require.NoError(t, wireDoor(t, p, request(
			newSpan(0, 0).fail(), newSpan(1, 0), slow(2), newSpan(3, 0), newSpan(4, 0), newSpan(5, 0).fail(), slow(6))))
		require.NoError(t, wireDoor(t, p, request(newSpan(3, 1).fail()))) // no longer boring
		var order []int
		var gone [8]bool
		for maxRank := range shard.Ranks {
			for p.buffer.Members[0].DecideEarly(maxRank, decision.ByMemory, p.buffer.Now()) > 0 {
				for n := range gone {
					if state, _ := p.Explain(traceID(n)); state.State == StateDecided && !gone[n] {
						gone[n] = true
						order = append(order, n)
					}
				}
				if len(order) == 1 { // requests in between get their turn
					require.NoError(t, wireDoor(t, p, request(newSpan(7, 0))))
				}
			}
		}
		assert.Equal(t, []int{1, 4, 7, 2, 6, 0, 3, 5}, order)
		assert.Zero(t, p.Status().TracesPending)
	})
}
