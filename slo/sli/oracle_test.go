package sli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// bruteForce counts spans without any optimization: a pass over all objectives for each.
func bruteForce(objectives []slo.Objective, spans []slitest.Span) map[string]string {
	sums := map[string]int{}
	for _, s := range spans {
		if s.Invalid {
			continue
		}
		weight := map[string]int{"ot=th:8": 2, "ot=th:c": 4}[s.State]
		if weight == 0 {
			weight = 1
		}
		service := s.Service
		if service == "" {
			service = "unknown_service"
		}
		sums[fmt.Sprintf("traces.span.metrics.calls{service.name=%s,span.kind=%s,span.name=%s,status.code=%s}",
			service, kindLabels[s.Kind], s.Name, statusLabels[s.Status])] += weight
		for _, o := range objectives {
			bad, reason, ok := judge(o, s, service)
			if !ok {
				continue
			}
			series := fmt.Sprintf("{objective=%s,%%sservice.name=%s,service.version=%s,span.name=%s}", o.Name, service, s.Version, s.Name)
			usual := "error"
			if o.Indicator.Type == slo.Latency {
				usual = "latency"
			}
			sums["slowburn.sli.events"+fmt.Sprintf(series, "")] += weight
			sums["slowburn.sli.bad_events"+fmt.Sprintf(series, "reason="+usual+",")] += 0
			if bad {
				sums["slowburn.sli.bad_events"+fmt.Sprintf(series, "reason="+reason+",")] += weight
			}
		}
	}
	out := map[string]string{}
	for k, v := range sums {
		out[k] = fmt.Sprint(v)
	}
	return out
}

// kindLabels and statusLabels are spanmetrics' words for kinds and statuses. OTLP does not define kind 6.
var (
	kindLabels = map[ptrace.SpanKind]string{
		ptrace.SpanKindUnspecified: "SPAN_KIND_UNSPECIFIED", ptrace.SpanKindInternal: "SPAN_KIND_INTERNAL",
		ptrace.SpanKindServer: "SPAN_KIND_SERVER", ptrace.SpanKindClient: "SPAN_KIND_CLIENT",
		ptrace.SpanKindProducer: "SPAN_KIND_PRODUCER", ptrace.SpanKindConsumer: "SPAN_KIND_CONSUMER", 6: "SPAN_KIND_UNSPECIFIED",
	}
	statusLabels = map[ptrace.StatusCode]string{
		ptrace.StatusCodeUnset: "STATUS_CODE_UNSET", ptrace.StatusCodeOk: "STATUS_CODE_OK", ptrace.StatusCodeError: "STATUS_CODE_ERROR",
	}
)

// judge reports whether the span is an event of the objective, and whether it is a bad one.
func judge(o slo.Objective, s slitest.Span, service string) (bad bool, reason string, ok bool) {
	in := o.Indicator
	if in.Type == slo.PromQL || in.Spans.Service != "" && in.Spans.Service != service {
		return false, "", false
	}
	if k := in.Spans.Kind; k != "" && !strings.EqualFold(k, s.Kind.String()) {
		return false, "", false
	}
	if ops := in.Spans.Operations; len(ops) > 0 && !slices.Contains(ops, s.Name) {
		return false, "", false
	}
	for key, want := range in.Spans.Attributes {
		v, has := s.Attributes[key]
		if !has {
			v, has = s.Resource[key]
		}
		if !has || fmt.Sprint(v) != want {
			return false, "", false
		}
	}
	if in.Spans.Where != nil && !meets(*in.Spans.Where, s, service) ||
		slices.ContainsFunc(in.Exclude, func(c match.Condition) bool { return meets(c, s, service) }) {
		return false, "", false
	}
	if in.Type == slo.Latency && s.Duration > in.Threshold {
		return true, "latency", true
	}
	if in.Bad != nil || in.Type == slo.Latency {
		reason = badness(in.Bad, s, service)
		return reason != "", reason, true
	}
	if s.Status == ptrace.StatusCodeError {
		return true, failureOf(s), true
	}
	if code := httpOf(s); s.Status != ptrace.StatusCodeOk && code >= 500 && code < 600 {
		return true, fmt.Sprint(code), true
	}
	server := []string{"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
	if code := rpcOf(s); s.Status != ptrace.StatusCodeOk && slices.Contains(server, code) {
		return true, code, true
	}
	return false, "", true
}

// TestCountsEqualBruteForce: the counts of random spans equal the oracle's, through either door, in any batching and order.
func TestCountsEqualBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		spans := randomSpans(rng, 1+rng.IntN(400))
		want := bruteForce(shop(), spans)

		rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		pdata := run(t, spans, 1+rng.IntN(50), pdataDoor)
		rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		wired := run(t, spans, 1+rng.IntN(50), wireDoor)
		slices.SortFunc(spans, func(a, b slitest.Span) int { return strings.Compare(a.Service+a.Version, b.Service+b.Version) })
		alone := run(t, spans, 1+rng.IntN(400), noPassing)

		require.Equal(t, pdata, wired, "round %d: histograms included", round)
		require.Equal(t, pdata, alone, "round %d: histograms included", round)
		for name := range pdata {
			if strings.HasPrefix(name, metricDuration) {
				delete(pdata, name)
			}
		}
		require.Equal(t, want, pdata, "round %d", round)
	}
}

func pdataDoor(t *testing.T, p pair, td ptrace.Traces) {
	require.NoError(t, p.consume(context.Background(), td))
}

func wireDoor(t *testing.T, p pair, td ptrace.Traces) {
	require.NoError(t, p.consume(wire.NewContext(context.Background(), slitest.Request(t, td)), ptrace.NewTraces()))
}

// noPassing stands for an sli that feeds a metrics pipeline only.
var noPassing func(*testing.T, pair, ptrace.Traces)

// run counts spans in batches and returns the emitted metrics.
func run(t *testing.T, spans []slitest.Span, batch int, door func(*testing.T, pair, ptrace.Traces)) map[string]string {
	return runWith(t, nil, shop(), spans, batch, door)
}

// runWith is run with a configuration, nil for the default, and for some objectives.
func runWith(t *testing.T, cfg *Config, objectives []slo.Objective, spans []slitest.Span, batch int, door func(*testing.T, pair, ptrace.Traces)) map[string]string {
	sink := new(consumertest.MetricsSink)
	var p pair
	if door == nil {
		p, door = newPair(t, cfg, nil, sink), pdataDoor
	} else {
		p = newPair(t, cfg, new(stage), sink)
	}
	p.start(t, objectives...)
	for part := range slices.Chunk(spans, batch) {
		door(t, p, slitest.Traces(t, part...))
	}
	p.shutdown(t)
	return values(sink.AllMetrics()...)
}

func TestUpstreamSamplingInFractions(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	p := newPair(t, nil, nil, sink)
	p.start(t, shop()[0])
	for range 3 {
		td := slitest.Traces(t, slitest.Span{Service: "a", Name: "b", Status: ptrace.StatusCodeError, State: "ot=th:4"})
		require.NoError(t, p.consume(context.Background(), td))
	}
	p.shutdown(t)
	got := values(sink.AllMetrics()...)
	assert.Equal(t, "4.000000", got["slowburn.sli.events{objective=everything,service.name=a,service.version=,span.name=b}"])
	assert.Equal(t, "4.000000", got["slowburn.sli.bad_events{objective=everything,reason=error,service.name=a,service.version=,span.name=b}"])
}
