//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// countKills returns the number of kills while the gateway counts; E2E_COUNT_KILLS raises it, as `make soak` does.
func countKills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("E2E_COUNT_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "E2E_COUNT_KILLS")
	return n
}

// counts are the spans that some clients sent.
type counts struct {
	// waiting is set while the gateway is down: the clients do not send.
	waiting atomic.Bool

	mu sync.Mutex
	// acknowledged and doubtful are the spans whose requests succeeded, and those whose requests did not.
	acknowledged, doubtful tallied
}

type tallied struct{ spans, bad int }

// counting sends requests of 50 spans of one service, at spansPerSecond, until ctx ends. With repeats, clients send each request
// until it is acknowledged, also after ctx has ended.
func (g *gateway) counting(t *testing.T, ctx context.Context, wg *sync.WaitGroup, service string, spansPerSecond int, repeats bool) *counts {
	const clients, size = 4, 50
	sent := new(counts)
	for i := range clients {
		client, made := g.client(t), newTraffic(uint64(len(service)*100+i))
		wg.Go(func() {
			ticker := time.NewTicker(time.Second * clients * size / time.Duration(spansPerSecond))
			defer ticker.Stop()
			for ctx.Err() == nil {
				<-ticker.C
				if sent.waiting.Load() {
					continue
				}
				td, bad := made.orders(service, size)
				var ok bool
				if repeats {
					ok = deliver(context.WithoutCancel(ctx), client, td)
				} else {
					attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
					ok = export(attempt, client, td) == nil
					cancel()
				}
				sent.mu.Lock()
				to := &sent.acknowledged
				if !ok {
					to = &sent.doubtful
				}
				to.spans += size
				to.bad += bad
				sent.mu.Unlock()
			}
		})
	}
	return sent
}

// orders makes a request of server spans, a tenth of which fail on average, and returns the number of failed ones.
func (g traffic) orders(service string, size int) (td ptrace.Traces, bad int) {
	return g.ordersAt(time.Now(), service, size, 1)
}

// ordersAt makes such a request for a time, in which share of ten spans fail on average.
func (g traffic) ordersAt(start time.Time, service string, size, share int) (td ptrace.Traces, bad int) {
	td = ptrace.NewTraces()
	scope := newScope(td, service)
	for i := range size {
		span := scope.AppendEmpty()
		span.SetTraceID(g.id())
		span.SetSpanID([8]byte{1, byte(i), byte(g.rng.Uint32()), byte(g.rng.Uint32()), byte(g.rng.Uint32()), 1})
		span.SetName(fmt.Sprint("GET /orders/", g.rng.IntN(20)))
		span.SetKind(ptrace.SpanKindServer)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(g.rng.IntN(200)) * time.Millisecond)))
		if g.rng.IntN(10) < share {
			span.Status().SetCode(ptrace.StatusCodeError)
			bad++
		}
	}
	return td, bad
}

// kill ends the gateway by SIGKILL.
func (g *gateway) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, g.cmd.Process.Signal(syscall.SIGKILL))
	<-g.done
	g.awaitClosed(t)
}

// crashAgain starts the gateway and kills it soon, as in a crash loop, perhaps while it recovers its files.
func (g *gateway) crashAgain(t *testing.T, after time.Duration) {
	t.Helper()
	g.process = start(t, "gateway", g.env, g.program, g.configs...)
	time.Sleep(after)
	g.kill(t)
}

// counted returns a database's totals of a service, and the number of resets of its series.
func (g *gateway) counted(t *testing.T, service string) (calls, total, bad, resets int) {
	t.Helper()
	value := func(expression string) int { return int(g.query(t, expression, time.Now())) }
	of := fmt.Sprintf(`{service_name=%q}[2h]`, service)
	return value("sum(last_over_time(traces_span_metrics_calls_total" + of + "))"),
		value("sum(last_over_time(slowburn_sli_events_total" + of + "))"),
		value("sum(last_over_time(slowburn_sli_bad_events_total" + of + "))"),
		value("sum(resets(traces_span_metrics_calls_total" + of + ")) + sum(resets(slowburn_sli_events_total" + of + "))")
}

// Law 1: kills at any moment under 5,000 spans a second, restarts and crash loops neither lose nor repeat a count, nor reset a
// counter. If senders repeat requests until they are answered, the counts equal the sent spans; otherwise they are at least the
// acknowledged spans, and at most those and the spans in flight. This holds in the embedded database and its ledger, in the database
// of another gateway that gets the counts, and in a Prometheus that they are written to, with the ledger of a gateway that reads it.
func TestKillNineCounts(t *testing.T) {
	parallelHeavy(t)
	every := []time.Duration{0}
	if countKills(t) > 5 {
		every = append(every, 3*time.Second)
	}
	for _, every := range every {
		name := "at random"
		if every > 0 {
			name = fmt.Sprint("every ", every)
		}
		t.Run(name, func(t *testing.T) { killCounting(t, countKills(t), every) })
	}
}

func killCounting(t *testing.T, times int, every time.Duration) {
	remote := newGateway(t, builtGateway(t), nil, "testdata/sampling.yaml", "testdata/remote.yaml")
	remote.start(t)
	prometheus := startPrometheus(t)
	reader := newGateway(t, builtGateway(t), []string{"E2E_PROMETHEUS=" + prometheus}, "testdata/sampling.yaml", "testdata/prometheus.yaml")
	reader.start(t)
	g := startGateway(t, []string{"E2E_REMOTE=" + remote.grpc, "E2E_PROMETHEUS=" + prometheus}, "testdata/sampling.yaml", "testdata/counts.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	repeating := g.counting(t, ctx, &clients, "repeating", 3000, true)
	once := g.counting(t, ctx, &clients, "once", 2000, false)
	rng := rand.New(rand.NewPCG(3, 9))
	for n := range times {
		if every > 0 {
			time.Sleep(every)
		} else {
			time.Sleep(time.Duration(300+rng.IntN(2500)) * time.Millisecond) // a kill at a random moment
		}
		g.kill(t)
		once.waiting.Store(true)
		if n%2 == 1 {
			g.crashAgain(t, time.Duration(rng.IntN(1500))*time.Millisecond)
		}
		g.start(t)
		once.waiting.Store(false)
	}
	cancel()
	clients.Wait()
	require.Positive(t, repeating.acknowledged.spans)
	t.Logf("%d kills: with repeats %+v; without repeats %+v acknowledged and %+v in doubt",
		times, repeating.acknowledged, once.acknowledged, once.doubtful)

	for place, db := range map[string]*gateway{"embedded": g, "remote": remote, "Prometheus": reader} {
		var calls, total, bad, resets int
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			calls, total, bad, resets = db.counted(t, "repeating")
			assert.Equal(c, repeating.acknowledged.spans, calls, "calls")
			assert.Equal(c, repeating.acknowledged.spans, total, "events")
			assert.Equal(c, repeating.acknowledged.bad, bad, "bad events")
		}, time.Minute, time.Second, "%s: the counts of clients that repeat are wrong", place)
		assert.Zero(t, resets, "%s: counters went back", place)
		calls, total, bad, resets = db.counted(t, "once")
		assert.GreaterOrEqual(t, calls, once.acknowledged.spans, place)
		assert.LessOrEqual(t, calls, once.acknowledged.spans+once.doubtful.spans, place)
		assert.Equal(t, calls, total, place)
		assert.GreaterOrEqual(t, bad, once.acknowledged.bad, place)
		assert.LessOrEqual(t, bad, once.acknowledged.bad+once.doubtful.bad, place)
		assert.Zero(t, resets, place)
		assert.Zero(t, db.query(t, "count(min_over_time(slowburn_sli_events_total[2h]) > 0) or vector(0)", time.Now()),
			"%s: each series begins at zero, so that its increase over the run is its count", place)
		_, _, also, _ := db.counted(t, "repeating")
		db.awaitLedger(t, total+repeating.acknowledged.spans, bad+also)
	}
}

// awaitLedger waits until the ledger of the objective orders has these numbers of events.
func (g *gateway) awaitLedger(t *testing.T, total, bad int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		events := g.objective(t).Events
		assert.EqualValues(c, total, events.Total)
		assert.EqualValues(c, bad, events.Bad)
	}, patience, time.Second, "the events in the ledger differ from the counted ones")
}

// After kills, each just before a flush of counts, all acknowledged failing spans are in the ledger.
func TestKillNineBeforeEachFlush(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/remote.yaml")
	made := newTraffic(11)
	total, bad := 0, 0
	rounds := 4
	if soaking() {
		rounds = 11
	}
	for range rounds {
		now := time.Now()
		if left := now.Truncate(interval).Add(interval).Sub(now); left < 3*time.Second {
			time.Sleep(left) // a round does not straddle a flush
		}
		client := g.client(t)
		for range 7 {
			td, failed := made.orders("checkout", 50)
			send(t, client, td)
			total, bad = total+50, bad+failed
		}
		now = time.Now()
		time.Sleep(max(0, now.Truncate(interval).Add(interval).Sub(now)-500*time.Millisecond))
		g.kill(t)
		g.start(t)
	}
	require.Positive(t, bad)
	g.awaitLedger(t, total, bad)
	_, events, _, resets := g.counted(t, "checkout")
	assert.Equal(t, total, events)
	assert.Zero(t, resets)
}

// A repeated request, also after a kill, is acknowledged, and neither counted nor buffered again.
func TestRepeatedRequest(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/remote.yaml")
	trace := merged(newTraffic(12).trace(failing, time.Now())...)
	for range 3 {
		send(t, g.client(t), trace)
	}
	g.kill(t)
	g.start(t)
	send(t, g.client(t), trace)
	g.awaitSettled(t)
	assert.Equal(t, spansPerTrace, g.backend.spans(t).SpanCount())
	require.Eventually(t, func() bool {
		calls := g.query(t, "sum(last_over_time(traces_span_metrics_calls_total[1h]))", time.Now())
		require.LessOrEqual(t, int(calls), spansPerTrace)
		return int(calls) == spansPerTrace
	}, patience, time.Second)
}
