package sli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// synctest's clock begins at midnight, on the grid.
var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// refuser is a metrics pipeline that refuses as configured, and records what it received as "at: value" by series.
type refuser struct {
	mu    sync.Mutex
	err   error
	calls int
	log   map[string][]string
}

// set makes it refuse with err, or accept everything, and returns the number of calls so far.
func (r *refuser) set(err error) (calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	return r.calls
}

// of returns the records of a series.
func (r *refuser) of(series string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log[series])
}

func (*refuser) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (r *refuser) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil {
		return r.err
	}
	if r.log == nil {
		r.log = map[string][]string{}
	}
	points(md, func(series string, p point) {
		value, _, _ := strings.Cut(p.value, " ")
		r.log[series] = append(r.log[series], fmt.Sprintf("%s: %s", p.at.Format("15:04:05.000"), value))
	})
	return nil
}

const durationOfPing = "traces.span.metrics.duration{service.name=a,span.kind=SPAN_KIND_UNSPECIFIED,span.name=ping,status.code=STATUS_CODE_UNSET}"

func TestGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, midnight, time.Now().UTC())
		time.Sleep(3 * time.Second)
		next := new(refuser)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t)
		send := func() { require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping))) }

		send() // 00:03
		time.Sleep(8 * time.Second)
		send() // 00:11
		time.Sleep(10 * time.Second)
		time.Sleep(4 * time.Second) // 00:25
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, slitest.Span{Service: "a", Name: "late"})))
		send()
		time.Sleep(2 * time.Second)
		p.shutdown(t) // 00:27

		want := []string{"00:00:03.000: 0", "00:00:10.000: 1", "00:00:20.000: 2", "00:00:27.000: 3"}
		assert.Equal(t, want, next.of(callsOfPing), "a zero when counting began, the grid, and the shutdown")
		assert.Equal(t, want, next.of(durationOfPing))
		late := strings.ReplaceAll(callsOfPing, "ping", "late")
		assert.Equal(t, []string{"00:00:20.000: 0", "00:00:27.000: 1"}, next.of(late), "a zero where it was not there yet")
	})
}

func TestZeroIsOneIntervalEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t, shop()[0])
		time.Sleep(95 * time.Second)
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		time.Sleep(10 * time.Second)
		p.shutdown(t)
		want := []string{"00:01:30.000: 0", "00:01:40.000: 1", "00:01:45.000: 1"}
		assert.Equal(t, want, next.of(callsOfPing))
		assert.Equal(t, want, next.of("slowburn.sli.events{objective=everything,service.name=a,service.version=,span.name=ping}"))
		assert.Equal(t, []string{"00:01:30.000: 0", "00:01:40.000: 0", "00:01:45.000: 0"},
			next.of("slowburn.sli.bad_events{objective=everything,reason=error,service.name=a,service.version=,span.name=ping}"),
			"defined before anything went wrong")
	})
}

// TestFrozenClock: all flushes are within one millisecond, yet no two points of a series have equal times.
func TestFrozenClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t)
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		p.shutdown(t)
		assert.Equal(t, []string{"00:00:00.000: 0", "00:00:00.001: 1"}, next.of(callsOfPing))
	})
}

func TestRetryableFailureLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &refuser{err: errors.New("busy")}
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t)
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		time.Sleep(35 * time.Second)
		assert.Equal(t, 3, next.set(errors.New("busy")), "one per interval")
		health := p.passing.(*passing).Probe(context.Background())
		assert.False(t, health.OK)
		assert.Contains(t, health.Message, "busy")
		next.set(nil)
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"00:00:00.000: 0", "00:00:40.000: 1"}, next.of(callsOfPing), "the zero comes again")
		assert.True(t, p.passing.(*passing).Probe(context.Background()).OK)
		p.shutdown(t)
	})
}

func TestPermanentFailureIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &refuser{err: consumererror.NewPermanent(errors.New("out of order"))}
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t, shop()[0])
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		time.Sleep(15 * time.Second)
		assert.Equal(t, 2, next.set(nil), "objectives and calls: what one is refused for need not hold for the other")
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"00:00:20.000: 1"}, next.of(callsOfPing))
		p.shutdown(t)
	})
}

func TestShutdownReportsLosses(t *testing.T) {
	next := &refuser{err: errors.New("busy")}
	p := newPair(t, nil, consumertest.NewNop(), next)
	p.start(t)
	require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
	require.ErrorContains(t, p.emitting.Shutdown(context.Background()), "counts since the last flush are sent after the next start: hand counts to the metrics pipeline: busy")
	require.NoError(t, p.passing.Shutdown(context.Background()))
}

// TestSlowPipeline: a call that does not return is cancelled at the next interval, and counting goes on meanwhile.
func TestSlowPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		stuck.Store(true)
		var sink consumertest.MetricsSink
		next, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
			if stuck.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return sink.ConsumeMetrics(ctx, md)
		})
		require.NoError(t, err)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t)
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		time.Sleep(15 * time.Second)
		require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
		time.Sleep(10 * time.Second)
		stuck.Store(false)
		time.Sleep(10 * time.Second)
		p.shutdown(t)
		assert.Equal(t, "2", values(sink.AllMetrics()...)[callsOfPing])
	})
}

// TestExpiry: an idle series expires, and restarts with a zero that is later than its last value.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		cfg := createDefaultConfig().(*Config)
		cfg.Expiry = 5 * time.Minute
		p := newPair(t, cfg, consumertest.NewNop(), next)
		p.start(t, shop()...)
		busy := slitest.Span{Service: "a", Name: "busy"}
		once := slitest.Span{Service: "b", Name: "ping", Version: "1", Status: ptrace.StatusCodeError, Attributes: map[string]any{"error.type": "x"}}
		time.Sleep(5 * time.Second) // off the grid
		for i := range 62 {
			require.NoError(t, p.consume(context.Background(), slitest.Traces(t, busy)))
			if i == 0 || i == 60 {
				require.NoError(t, p.consume(context.Background(), slitest.Traces(t, once)))
			}
			if i < 61 {
				time.Sleep(10 * time.Second)
			}
		}
		c := p.passing.(*passing).keeper.Counter()
		p.shutdown(t)
		events := next.of("slowburn.sli.bad_events{objective=everything,reason=x,service.name=b,service.version=1,span.name=ping}")
		assert.Equal(t, "00:00:00.000: 0", events[0])
		assert.Equal(t, "00:00:10.000: 1", events[1])
		last := len(events) - 4
		assert.Equal(t, "00:05:00.000: 1", events[last])
		assert.Equal(t, []string{"00:10:00.000: 0", "00:10:10.000: 1", "00:10:15.000: 1"}, events[last+1:])
		assert.Equal(t, []string{"a", "b"}, servicesOf(c))
	})
}

// servicesOf returns the services that have a series of calls.
func servicesOf(c *count.Counter) (services []string) {
	points := make([]count.CallPoint, 100)
	for _, p := range points[:c.ReadCalls(points, 0, 0)] {
		services = append(services, p.Series.Service())
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// TestExpiryFreesEverything: the tree is empty after the last series expired, and all slots are free again.
func TestExpiryFreesEverything(t *testing.T) {
	c := count.New(count.Limits{Services: 2, Operations: 2, Versions: 2, Reasons: 2}, shop(), nil)
	f := newFlusher(c, consumertest.NewNop(), pmetric.NewResourceMetrics().Resource(), &Config{Interval: 10 * time.Second, Expiry: 5 * time.Minute}, midnight)
	for i := range 5 {
		c.Count(slitest.Request(t, slitest.Traces(t, slitest.Span{Service: fmt.Sprint(i), Version: fmt.Sprint(i), Name: fmt.Sprint(i), Kind: ptrace.SpanKindServer,
			Status: ptrace.StatusCodeError, Attributes: map[string]any{"error.type": fmt.Sprint(i)}, Duration: time.Second})), count.RequestID{}, 0)
	}
	require.Equal(t, []string{"0", "1", count.Other}, servicesOf(c))
	at := midnight.UnixMilli()
	for range 32 {
		at += 10_000
		_, err := f.flush(context.Background(), at)
		require.NoError(t, err)
	}
	events, expired := c.ReadEvents(nil, 0)
	assert.Empty(t, events)
	assert.Zero(t, expired)
	assert.Empty(t, servicesOf(c))
	c.Count(slitest.Request(t, slitest.Traces(t, slitest.Span{Service: "7", Name: "x"}, slitest.Span{Service: "8", Name: "x"})), count.RequestID{}, 0)
	assert.Equal(t, []string{"7", "8"}, servicesOf(c))
}

// TestManySeries emits more than one batch of each kind.
func TestManySeries(t *testing.T) {
	c := count.New(count.Limits{Services: 10, Operations: 3000, Versions: 1, Reasons: 1}, shop()[:1], nil)
	next := new(refuser)
	f := newFlusher(c, next, pmetric.NewResourceMetrics().Resource(), &Config{Interval: 10 * time.Second}, midnight)
	for i := range 1000 {
		c.Count(slitest.Request(t, slitest.Traces(t, slitest.Span{Service: "a", Name: fmt.Sprint(i)})), count.RequestID{}, midnight.UnixMilli())
	}
	r, err := f.flush(context.Background(), midnight.UnixMilli()+10_000)
	require.NoError(t, err)
	assert.Equal(t, 4000, r.series)
	assert.Equal(t, 2+4, next.calls)
	assert.Len(t, next.log, 4000)
	for series, points := range next.log {
		require.Len(t, points, 2, series)
	}
}
