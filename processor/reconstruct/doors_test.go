package reconstruct

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadatatest"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

func keptOf(t testing.TB, td ptrace.Traces) *wire.Kept {
	t.Helper()
	k := new(wire.Kept)
	require.NoError(t, fill(t.Context(), k, td))
	return k
}

// keep sends traces through the processor as wire bytes.
func (r running) keep(t *testing.T, k *wire.Kept) {
	t.Helper()
	require.NoError(t, r.ConsumeTraces(wire.NewKeptContext(t.Context(), k), ptrace.NewTraces()))
}

// canonical returns the spans of td, each with its resource and scope, attributes sorted by key, sorted by their bytes.
func canonical(t *testing.T, td ptrace.Traces) (all []string) {
	t.Helper()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				one := ptrace.NewTraces()
				to := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				to.SetSchemaUrl(rs.SchemaUrl())
				scope := to.ScopeSpans().AppendEmpty()
				ss.Scope().CopyTo(scope.Scope())
				scope.SetSchemaUrl(ss.SchemaUrl())
				span.CopyTo(scope.Spans().AppendEmpty())
				scope.Spans().At(0).Attributes().Clear()
				all = append(all, fmt.Sprint(string(marshal(t, one)), span.Attributes().AsRaw()))
			}
		}
	}
	slices.Sort(all)
	return all
}

// random returns a few traces of every shape, with copies, other versions of spans, skewed clocks, and our own attributes on some
// spans already.
func random(rng *rand.Rand) ptrace.Traces {
	td := ptrace.NewTraces()
	for range 1 + rng.IntN(40) {
		start := rng.IntN(50)
		host := string(rune('a' + rng.IntN(3)))
		if host == "b" {
			start += 5000
		}
		s := add(td, byte(1+rng.IntN(3)), byte(1+rng.IntN(12)), byte(rng.IntN(12)), ptrace.SpanKind(rng.IntN(6)), host, start, start+rng.IntN(100))
		s.Attributes().PutStr("k", "v")
		switch rng.IntN(8) {
		case 0:
			s.CopyTo(td.ResourceSpans().At(td.ResourceSpans().Len() - 1).ScopeSpans().At(0).Spans().AppendEmpty())
		case 1:
			s.Attributes().PutStr(attr.SpanFlags, "from before")
		case 2:
			s.Attributes().PutInt(attr.ClockOffset, 7)
		case 3:
			td.ResourceSpans().At(td.ResourceSpans().Len()-1).ScopeSpans().At(0).Scope().Attributes().PutBool(attr.CachedDecision, true)
		case 4:
			s.Attributes().PutBool(attr.CachedDecision, true)
		case 5:
			l := s.Links().AppendEmpty()
			l.SetTraceID(s.TraceID())
			l.SetSpanID(pcommon.SpanID{byte(rng.IntN(12))})
		}
	}
	return td
}

// Wire bytes and decoded traces give the same result.
func TestBothDoors(t *testing.T) {
	for seed := range uint64(300) {
		td := random(rand.New(rand.NewPCG(seed, 5)))
		k := keptOf(t, td)
		bytes, decoded := start(t, defaultConfig()), start(t, defaultConfig())
		bytes.keep(t, k)
		got, err := k.Decode()
		require.NoError(t, err)
		want := decoded.through(t, td)
		require.Equal(t, canonical(t, want), canonical(t, got), "seed %d", seed)
	}
}

// Spans in any order give the same bytes, trace by trace.
func TestAnyOrder(t *testing.T) {
	r := start(t, defaultConfig())
	requests := func(td ptrace.Traces) map[wire.TraceID]string {
		k := keptOf(t, td)
		r.keep(t, k)
		out := map[wire.TraceID]string{}
		for _, kept := range k.Traces {
			out[kept.ID] = string(k.AppendRequest(nil, kept.From, kept.To))
		}
		return out
	}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 6))
		td := random(rng)
		want := requests(td)
		for range 3 {
			shuffled := ptrace.NewTraces()
			for _, i := range rng.Perm(td.ResourceSpans().Len()) {
				td.ResourceSpans().At(i).CopyTo(shuffled.ResourceSpans().AppendEmpty())
			}
			require.Equal(t, want, requests(shuffled), "seed %d", seed)
		}
	}
}

// Findings travel beside the wire bytes, and a repeated call does not reconstruct again.
func TestKept(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	add(td, 1, 3, 2, ptrace.SpanKindServer, "b", -300, -240)
	add(td, 1, 3, 2, ptrace.SpanKindServer, "b", -300, -240)
	k := keptOf(t, td)
	tel := componenttest.NewTelemetry()
	calls := 0
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		calls++
		require.Same(t, k, wire.KeptOf(ctx))
		require.Zero(t, td.ResourceSpans().Len())
		require.True(t, k.Traces[0].Reconstructed)
		require.Equal(t, 3, k.Traces[0].Found.(*trace.Trace).Real())
		return errors.New("away")
	})
	require.NoError(t, err)
	p, err := NewFactory().CreateTraces(t.Context(), metadatatest.NewSettings(tel), defaultConfig(), next)
	require.NoError(t, err)
	var first []byte
	for n := range 3 {
		require.ErrorContains(t, p.ConsumeTraces(wire.NewKeptContext(t.Context(), k), ptrace.NewTraces()), "away")
		require.Equal(t, n+1, calls)
		request := k.AppendRequest(nil, 0, len(k.Spans))
		if n == 0 {
			first = request
		}
		require.Equal(t, first, request)
	}
	got, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{
		attr.SpanFlags: []any{"duplicate"}, attr.ClockOffset: int64(320 * ms), attr.ClockUncertainty: int64(10 * ms), attr.ClockStatus: "bounded",
	}}, find(got, 3))
	metadatatest.AssertEqualProcessorReconstructSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 4}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorReconstructDuplicateSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(context.Background()))
}

// Copies that differ only in their encoding or in the gateway's own attributes are left out as well.
func TestKeptLeavesCopiesOut(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90).Attributes().PutBool(attr.CachedDecision, true)
	k := keptOf(t, td)
	start(t, defaultConfig()).keep(t, k)
	got, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{attr.SpanFlags: []any{"duplicate"}}}, find(got, 2))
}

// A copy that the sampler left out before is no finding: consumers of decoded spans do not get it either.
func TestKeptIgnoresOmittedSpans(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	k := keptOf(t, td)
	k.Spans[1].Omitted = true
	start(t, defaultConfig()).keep(t, k)
	got, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, 2, got.SpanCount())
	require.Equal(t, []map[string]any{{}}, find(got, 2))
}

// The sampler marks a late part; the rest of its trace is elsewhere, so its spans are no orphans.
func TestKeptLatePart(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 3, 9, ptrace.SpanKindInternal, "a", 10, 20)
	k := keptOf(t, td)
	k.Traces[0].Late = true
	before := k.AppendRequest(nil, 0, len(k.Spans))
	start(t, defaultConfig()).keep(t, k)
	require.Equal(t, before, k.AppendRequest(nil, 0, len(k.Spans)))
	require.Equal(t, trace.CauseLate, k.Traces[0].Found.(*trace.Trace).Spans[0].Cause)
}

// For decoded traces the Kept in the context only names the destination.
func TestDecodedBesideAKeptWithoutTraces(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 3, 9, ptrace.SpanKindInternal, "a", 10, 20)
	r := start(t, defaultConfig())
	require.NoError(t, r.ConsumeTraces(wire.NewKeptContext(t.Context(), &wire.Kept{To: "traces"}), td))
	require.Equal(t, []map[string]any{{attr.SpanFlags: []any{"orphan"}}}, find(r.sink.AllTraces()[0], 3))
}

// BenchmarkReconstructKept measures the cost per kept span, as the sampler passes traces on: one by one, or many at a time.
func BenchmarkReconstructKept(b *testing.B) {
	for name, traces := range map[string]int{"one": 1, "many": 100} {
		b.Run(name, func(b *testing.B) {
			next, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error { return nil })
			require.NoError(b, err)
			tel := componenttest.NewTelemetry()
			p, err := NewFactory().CreateTraces(b.Context(), metadatatest.NewSettings(tel), defaultConfig(), next)
			require.NoError(b, err)
			k := keptOf(b, tracetest.Shop(0, traces))
			ctx, td := wire.NewKeptContext(b.Context(), k), ptrace.NewTraces()
			b.ReportAllocs()
			for b.Loop() {
				for i := range k.Traces {
					k.Traces[i].Reconstructed = false
				}
				_ = p.ConsumeTraces(ctx, td)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(k.Spans)), "ns/span")
		})
	}
}
