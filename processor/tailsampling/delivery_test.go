package tailsampling

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// exporters is the next component with three exporters behind it: two that take wire bytes, and one that takes decoded spans.
type exporters struct {
	mu  sync.Mutex
	got map[string]map[pcommon.TraceID]int // spans by destination
	// answer returns a destination's answer to a request with these traces.
	answer func(to string, td ptrace.Traces) error
}

var threeDestinations = []destination.Destination{
	{ID: "store", Pipeline: "traces/sampled", Bytes: true, Exporters: []string{"store"}},
	{ID: "backend", Pipeline: "traces/sampled", Bytes: true, Exporters: []string{"backend"}},
	{ID: "traces/sampled", Pipeline: "traces/sampled", Exporters: []string{"kafka"}},
}

func (*exporters) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (e *exporters) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	k := wire.KeptOf(ctx)
	if td.SpanCount() == 0 {
		k.Take()
		var err error
		if td, err = k.Decode(); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answer != nil {
		if err := e.answer(k.To, td); err != nil {
			return err
		}
	}
	if e.got == nil {
		e.got = map[string]map[pcommon.TraceID]int{}
	}
	if e.got[k.To] == nil {
		e.got[k.To] = map[pcommon.TraceID]int{}
	}
	for _, s := range spansOf(td) {
		e.got[k.To][s.TraceID()]++
	}
	return nil
}

func (e *exporters) set(answer func(to string, td ptrace.Traces) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

// has reports whether a destination received each of n traces with two spans once, and no others.
func (e *exporters) has(t *testing.T, to string, n int) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Len(t, e.got[to], n, to)
	for id, spans := range e.got[to] {
		require.Equal(t, 2, spans, "%s %s", to, id)
	}
}

// failing returns the answers when one destination fails with an error.
func failing(destination string, err error) func(string, ptrace.Traces) error {
	return func(to string, _ ptrace.Traces) error {
		if to == destination {
			return err
		}
		return nil
	}
}

var errUnavailable = &answer.Error{Class: answer.Retry, Code: "UNAVAILABLE", Text: "down"}

// Each destination receives each trace once, whatever others do, and after a crash it is known which ones it
// has.
func TestDestinationsOverACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.Destinations = threeDestinations
		next := &exporters{answer: failing("backend", errUnavailable)}
		p := startWith(t, cfg, next)
		for n := range 20 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, n%2 == 0)...)))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		next.has(t, "store", 20)
		next.has(t, "traces/sampled", 20)
		next.has(t, "backend", 0)
		shown := p.Destinations()
		require.Equal(t, "retrying", shown.Destinations[1].State)
		require.EqualValues(t, 20, shown.Destinations[1].Backlog.Traces)
		require.Zero(t, shown.Destinations[0].Backlog.Traces)
		require.Regexp(t, "^20 kept traces wait for backend, which is (being )?tried again", p.Probe(t.Context()).Message)

		after := crash(t, cfg)
		end(t, p)
		next.set(nil)
		p = startWith(t, after, next)
		time.Sleep(time.Minute)
		for _, d := range threeDestinations {
			next.has(t, d.ID, 20)
		}
		require.True(t, p.Probe(t.Context()).OK)
		shutdown(t, p)
	})
}

// startWith starts a processor with a given next component.
func startWith(t *testing.T, cfg *Config, next consumer.Traces) *Sampler {
	t.Helper()
	p, err := newSamplerForTest(cfg)
	require.NoError(t, err)
	p.output.Next = next
	require.NoError(t, p.Start(t.Context(), nil))
	return p
}

// A destination whose backlog is over the budget gives up its oldest traces, those without an error first. Nothing is
// refused, no undecided trace is decided early, and no other destination loses anything.
func TestBacklogOverItsBudgetIsGivenUp(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepAll(testConfig())
			cfg.Destinations = threeDestinations
			cfg.DeliveryBudget = 256 << 10
			next := &exporters{answer: failing("backend", errUnavailable)}
			p := startWith(t, cfg, next)
			const traces = 600
			for n := range traces {
				spans := []spanOf{newSpan(n, 0).pad(500), newSpan(n, 1).pad(500)}
				if n%10 == 0 {
					spans[1].fail()
				}
				require.NoError(t, wireDoor(t, p, request(spans...)))
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(time.Minute)
			next.has(t, "store", traces)
			next.has(t, "traces/sampled", traces)
			shown := p.Destinations()
			backend := shown.Destinations[1]
			require.Positive(t, backend.UndeliveredTraces)
			require.Equal(t, 2*backend.UndeliveredTraces, backend.UndeliveredSpans)
			require.LessOrEqual(t, shown.UsedBytes, int64(cfg.DeliveryBudget)+64<<10)
			require.Contains(t, p.Probe(t.Context()).Message, "kept traces for backend were given up: delivery_budget is used up")
			require.False(t, p.Probe(t.Context()).Blocking)
			require.Zero(t, p.Status().EarlyDecisions)
			require.Zero(t, p.Status().RefusedSpans)

			next.set(nil)
			time.Sleep(time.Minute)
			next.has(t, "backend", traces-int(backend.UndeliveredTraces))
			for n := range traces / 10 {
				require.Contains(t, next.got["backend"], traceID(10*n), "those with an error are given up last")
			}
			require.Contains(t, next.got["backend"], traceID(traces-1), "the latest")
			shutdown(t, p)
		})
	})
}

// A trace that was refused for good is shown with the backend's message, and sent again on request.
func TestRefusedTraceIsSentAgainOnRequest(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepAll(testConfig())
			cfg.Destinations = threeDestinations
			next := &exporters{answer: func(to string, td ptrace.Traces) error {
				for _, s := range spansOf(td) {
					if to == "backend" && s.TraceID() == traceID(3) {
						return &answer.Error{Class: answer.Data, Code: "HTTP 400", Text: "span too odd"}
					}
				}
				return nil
			}}
			p := startWith(t, cfg, next)
			for n := range 8 {
				require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, false)...)))
			}
			time.Sleep(time.Minute)
			next.has(t, "store", 8)
			next.has(t, "backend", 7)
			shown := p.Destinations()
			require.EqualValues(t, 1, shown.RefusedTotal)
			require.EqualValues(t, 1, shown.Destinations[1].RefusedTraces)
			refused := shown.Refused[0]
			require.Equal(t, traceID(3).String(), refused.TraceID)
			require.Equal(t, []any{"backend", "traces/sampled", int64(2), "HTTP 400", "span too odd"},
				[]any{refused.Destination, refused.Pipeline, refused.Spans, refused.Code, refused.Text})
			require.Equal(t, "backend refused 1 trace for good: see slowburn retry", p.Probe(t.Context()).Message)

			third := [16]byte(traceID(3))
			require.Equal(t, 1, p.RetryRefused(&third, "backend"))
			time.Sleep(time.Minute)
			require.EqualValues(t, 1, p.Destinations().RefusedTotal, "and is refused again")
			next.set(nil)
			require.Equal(t, 1, p.RetryRefused(&third, ""))
			time.Sleep(time.Second)
			next.has(t, "backend", 8)
			require.Zero(t, p.Destinations().RefusedTotal)
			require.Zero(t, p.RetryRefused(&third, ""))
			shutdown(t, p)
		})
	})
}

// With when_full refuse spans are refused with a retryable error instead.
func TestBacklogOverItsBudgetRefuses(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepAll(testConfig())
			cfg.Destinations, cfg.WhenFull, cfg.DeliveryBudget = threeDestinations, fullRefuse, 128<<10
			next := &exporters{answer: failing("backend", errUnavailable)}
			p := startWith(t, cfg, next)
			accepted, refused := 0, 0
			for n := range 600 {
				if err := wireDoor(t, p, request(newSpan(n, 0).pad(500), newSpan(n, 1))); err == nil {
					accepted++
				} else {
					refused++
					requireRefusal(t, err)
					require.ErrorContains(t, err, "delivery_budget of 128KiB is used up")
				}
				time.Sleep(100 * time.Millisecond)
			}
			require.Positive(t, refused)
			require.True(t, p.Probe(t.Context()).Blocking)
			next.set(nil)
			time.Sleep(time.Minute)
			next.has(t, "backend", accepted)
			require.Zero(t, p.Destinations().Destinations[1].UndeliveredTraces)
			require.NoError(t, wireDoor(t, p, request(newTrace(1000, 2, false)...)))
			shutdown(t, p)
		})
	})
}
