package sli

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// keepingStage stands for a sampler that keeps traces, with the fates that a test gives them.
type keepingStage struct {
	stage
	exemplars.Keeper

	mu    sync.Mutex
	most  int
	kept  []wire.TraceID
	fates map[wire.TraceID]exemplars.Fate // Kept where it is missing
}

func newKeepingStage(most int) *keepingStage {
	s := &keepingStage{most: most, fates: map[wire.TraceID]exemplars.Fate{}}
	s.Keeper = s.keeper()
	return s
}

func (s *keepingStage) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	exemplars.Accept(ctx, &s.Keeper)
	return s.stage.ConsumeTraces(ctx, td)
}

func (*keepingStage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *keepingStage) keeper() exemplars.Keeper { return (*stageKeeper)(s) }

type stageKeeper keepingStage

func (s *stageKeeper) PerMinute() int { return s.most }

func (s *stageKeeper) Keep(trace wire.TraceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, trace)
}

func (s *stageKeeper) Fate(trace wire.TraceID) exemplars.Fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fate, said := s.fates[trace]; said {
		return fate
	}
	return exemplars.Kept
}

// exemplarOf is an exemplar in the form that tests compare.
type exemplarOf struct {
	series     string
	trace      pcommon.TraceID
	span       pcommon.SpanID
	value      float64
	attributes map[string]any
}

// exemplarsIn returns all exemplars.
func exemplarsIn(all ...pmetric.Metrics) (found []exemplarOf) {
	add := func(series string, of pmetric.ExemplarSlice) {
		for _, e := range of.All() {
			value := e.DoubleValue()
			if e.ValueType() == pmetric.ExemplarValueTypeInt {
				value = float64(e.IntValue())
			}
			found = append(found, exemplarOf{series, e.TraceID(), e.SpanID(), value, e.FilteredAttributes().AsRaw()})
		}
	}
	for _, md := range all {
		for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			if m.Type() == pmetric.MetricTypeSum {
				for _, p := range m.Sum().DataPoints().All() {
					add(seriesName(m.Name(), p.Attributes()), p.Exemplars())
				}
				continue
			}
			for _, p := range m.ExponentialHistogram().DataPoints().All() {
				add(seriesName(m.Name(), p.Attributes()), p.Exemplars())
			}
		}
	}
	return found
}

var (
	slowObjective = slo.Objective{Name: "fast", Indicator: slo.Indicator{
		Type: slo.Latency, Threshold: 100 * time.Millisecond, Spans: slo.SpanSelector{Service: "a"}}}
	slowSpan = slitest.Span{Service: "a", Name: "ping", Duration: 250 * time.Millisecond}
)

const (
	badOfPing      = "slowburn.sli.bad_events{objective=fast,reason=latency,service.name=a,service.version=,span.name=ping}"
	durationOfSlow = "traces.span.metrics.duration{service.name=a,span.kind=SPAN_KIND_UNSPECIFIED,span.name=ping,status.code=STATUS_CODE_UNSET}"
)

// TestExemplars: a bad event whose trace the sampler keeps is an exemplar of the bad events and of the duration, by either door.
// Others are none, nor does the sampler hear of them.
func TestExemplars(t *testing.T) {
	for name, wirePath := range map[string]bool{"handed on": true, "decoded": false} {
		for _, most := range []int{10, 0} {
			t.Run(name, func(t *testing.T) {
				cfg := createDefaultConfig().(*Config)
				cfg.WirePath = wirePath
				next, sink := newKeepingStage(most), new(consumertest.MetricsSink)
				p := newPair(t, cfg, next, sink)
				p.start(t, slowObjective)
				td := slitest.Traces(t, ping, slowSpan, ping)
				bad := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1)
				trace, span := bad.TraceID(), bad.SpanID()
				require.NoError(t, p.consume(context.Background(), td))
				p.shutdown(t)
				if most == 0 {
					require.Empty(t, next.kept)
					require.Empty(t, exemplarsIn(sink.AllMetrics()...))
					return
				}
				require.Equal(t, []wire.TraceID{wire.TraceID(trace)}, next.kept)
				require.Equal(t, []exemplarOf{
					{badOfPing, trace, span, 1, map[string]any{"duration_ms": 250.0}}, {durationOfSlow, trace, span, 0.25, map[string]any{}},
				}, exemplarsIn(sink.AllMetrics()...))
			})
		}
	}
}

// TestRefusedSpansAreNoExemplars: of a request that was not accepted nothing is marked.
func TestRefusedSpansAreNoExemplars(t *testing.T) {
	next := newKeepingStage(10)
	p := newPair(t, nil, &refusingStage{next}, new(consumertest.MetricsSink))
	p.start(t, slowObjective)
	require.Error(t, p.consume(context.Background(), slitest.Traces(t, slowSpan)))
	p.shutdown(t)
	require.Empty(t, next.kept)
}

type refusingStage struct{ *keepingStage }

func (s *refusingStage) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return errors.Join(s.keepingStage.ConsumeTraces(ctx, td), errors.New("full"))
}

// failing is a metrics pipeline that fails on request.
type failing struct {
	consumertest.MetricsSink
	fails bool
}

func (f *failing) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if f.fails {
		return errors.New("away")
	}
	return f.MetricsSink.ConsumeMetrics(ctx, md)
}

// TestExemplarsWait: an exemplar waits for the decision about its trace and for the metrics pipeline, is sent once, and not at all where
// the trace was not kept or the wait takes too long.
func TestExemplarsWait(t *testing.T) {
	c := count.New(count.Limits{Services: 9, Operations: 9, Versions: 9, Reasons: 9}, []slo.Objective{slowObjective}, nil)
	next, sampler := new(failing), newKeepingStage(10)
	f := newFlusher(c, next, pmetric.NewResourceMetrics().Resource(), &Config{Interval: 10 * time.Second}, midnight)
	f.evidence = new(evidence)
	at := midnight.UnixMilli()
	r := slitest.Request(t, slitest.Traces(t, slowSpan, slowSpan, slowSpan))
	kept, gone, lasting := r.Spans[0].TraceID, r.Spans[1].TraceID, r.Spans[2].TraceID
	for _, s := range r.Spans {
		sampler.fates[s.TraceID] = exemplars.Undecided
	}
	f.evidence.add(sampler.Keeper, count.Marking(c, r, count.RequestID{}, at+5, 10).Marks)
	flush := func() (traces []pcommon.TraceID) {
		at += 10_000
		next.Reset()
		_, err := f.flush(context.Background(), at)
		assert.Equal(t, next.fails, err != nil)
		for _, e := range exemplarsIn(next.AllMetrics()...) {
			if e.series == badOfPing {
				traces = append(traces, e.trace)
			}
		}
		return traces
	}
	require.Empty(t, flush(), "nothing is decided")
	sampler.fates[kept], sampler.fates[gone] = exemplars.Kept, exemplars.Gone
	next.fails = true
	require.Empty(t, flush())
	next.fails = false
	require.Equal(t, []pcommon.TraceID{pcommon.TraceID(kept)}, flush())
	require.Empty(t, flush(), "it was sent")
	require.Len(t, f.evidence.waiting, 1)
	at += maxWait.Milliseconds()
	sampler.fates[lasting] = exemplars.Kept
	require.Empty(t, flush())
	require.Empty(t, f.evidence.waiting)
}

// TestWaitingExemplarsAreBounded: beyond a limit the newest are left out.
func TestWaitingExemplarsAreBounded(t *testing.T) {
	var v evidence
	sampler := newKeepingStage(10).Keeper
	marks := make([]count.Mark, 4000)
	for range 4 {
		v.add(sampler, marks)
	}
	require.Len(t, v.waiting, maxWaiting)
}
