//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const twoWays = `yaml:{
  processors: {
    tail_sampling/decoded: {directory: "${env:SLOWBURN_DATA_DIR}/decoded", decision_wait: 2s, decision_wait_after_root_received: 1s, policies: %[1]s},
    tail_sampling/mixed: {directory: "${env:SLOWBURN_DATA_DIR}/mixed", decision_wait: 2s, decision_wait_after_root_received: 1s, policies: %[1]s},
    tail_sampling: {decision_wait: 2s, decision_wait_after_root_received: 1s, policies: %[1]s},
    attributes/nothing: {actions: [{key: nothing.has.it, action: delete}]},
  },
  exporters: {
    debug: {},
    otlp_grpc/bytes: {endpoint: %[2]s, tls: {insecure: true}, headers: {tenant: grpc-bytes}},
    otlp_http/bytes: {endpoint: "http://%[3]s", headers: {tenant: http-bytes}},
    otlp_grpc/mixed: {endpoint: %[2]s, tls: {insecure: true}, headers: {tenant: mixed}},
    otlp_grpc/decoded: {endpoint: %[2]s, tls: {insecure: true}, headers: {tenant: grpc-decoded}},
    otlp_http/decoded: {endpoint: "http://%[3]s", headers: {tenant: http-decoded}},
  },
  service: {pipelines: {
    traces/sampled: {receivers: [sli], processors: [tail_sampling, reconstruct], exporters: [trace_store, otlp_grpc/bytes, otlp_http/bytes]},
    traces/mixed: {receivers: [sli], processors: [tail_sampling/mixed, reconstruct], exporters: [otlp_grpc/mixed, debug]},
    traces/decoded: {receivers: [sli], processors: [tail_sampling/decoded, reconstruct, attributes/nothing], exporters: [otlp_grpc/decoded, otlp_http/decoded]},
  }},
}`

// One pipeline sends a load as bytes, another one as ptrace.Traces, because it has a processor that is not ours. After decoding, both
// are equal, with all marks of the gateway, and have each span once.
func TestBytesAndDecodedSpansAreEqual(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	policies := `[{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
      {name: slow, type: latency, latency: {threshold_ms: 1000}}, {name: rest, type: probabilistic, probabilistic: {sampling_percentage: 50}}]`
	g := startExporting(t, fmt.Sprintf(twoWays, policies, b.grpc, b.http))
	made := newTraffic(73)
	var sent, late []ptrace.Traces
	oddityOf := map[pcommon.TraceID]string{}
	for i := range 400 {
		td := merged(made.trace([]flavour{boring, boring, failing, slow}[i%4], time.Now())...)
		odd := oddities[i%len(oddities)]
		if odd.make != nil {
			odd.make(td)
		}
		oddityOf[traceID(td)] = odd.name
		sent = append(sent, td)
	}
	g.sendAll(t, sent)
	for _, td := range sent[:20] {
		more := ptrace.NewTraces()
		span := newScope(more, "late").AppendEmpty()
		made.fill(span, 1, time.Now(), time.Millisecond)
		span.SetTraceID(traceID(td))
		span.SetSpanID(pcommon.SpanID{7, 7, 7})
		late = append(late, more)
	}
	time.Sleep(5 * time.Second) // by then the traces are decided
	g.sendAll(t, late)
	g.awaitSettled(t)

	tenants := []string{"http-bytes", "mixed", "grpc-decoded", "http-decoded"}
	before, spans := -1, 0
	require.Eventually(t, func() bool {
		before, spans = spans, b.state(t, "grpc-bytes").Spans
		return spans == before && !slices.ContainsFunc(tenants, func(tenant string) bool { return b.state(t, tenant).Spans != spans })
	}, soon, time.Second, "the tenants have different numbers of spans")
	want := exact(t, b.spans(t, "grpc-bytes"))
	require.Greater(t, len(want), 250)
	for _, tenant := range tenants {
		got := exact(t, b.spans(t, tenant))
		assert.Len(t, got, len(want), tenant)
		differ := 0
		for id, spans := range want {
			if slices.Equal(spans, got[id]) {
				continue
			}
			if differ++; differ <= 3 {
				only := func(a, b []string) []string {
					return slices.DeleteFunc(slices.Clone(a), func(span string) bool { return slices.Contains(b, span) })
				}
				t.Logf("the trace %s, sent with %s, differs\nby grpc-bytes: %s\nby %s: %s", id, oddityOf[id],
					only(spans, got[id]), tenant, only(got[id], spans))
			}
		}
		assert.Zero(t, differ, "traces that differ between grpc-bytes and %s", tenant)
	}
	for id, spans := range want {
		for i, span := range spans {
			require.False(t, i > 0 && span == spans[i-1], "a span of %s arrived twice", id)
		}
	}
}

// oddities are faults and rare features of a trace.
var oddities = []struct {
	name string
	make func(ptrace.Traces)
}{
	{name: "nothing"},
	{"a span sent twice", func(td ptrace.Traces) {
		spans := td.ResourceSpans().At(1).ScopeSpans().At(0).Spans()
		spans.At(0).CopyTo(spans.AppendEmpty())
	}},
	{"a span sent before it ended", func(td ptrace.Traces) {
		spans := td.ResourceSpans().At(1).ScopeSpans().At(0).Spans()
		again := spans.AppendEmpty()
		spans.At(0).CopyTo(again)
		again.SetEndTimestamp(again.EndTimestamp() + 1000)
		again.Attributes().PutStr("more", "of it")
	}},
	{"a span without a parent", func(td ptrace.Traces) {
		td.ResourceSpans().At(2).ScopeSpans().At(0).Spans().At(0).SetParentSpanID(pcommon.SpanID{1, 2, 3})
	}},
	{"no root", func(td ptrace.Traces) {
		td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetParentSpanID(pcommon.SpanID{1, 2, 3})
	}},
	{"a span that is its own parent", func(td ptrace.Traces) {
		span := td.ResourceSpans().At(2).ScopeSpans().At(0).Spans().At(0)
		span.SetParentSpanID(span.SpanID())
	}},
	{"a clock that is ahead", func(td ptrace.Traces) {
		each(td, func(span ptrace.Span) {
			if span.Kind() == ptrace.SpanKindClient {
				span.SetStartTimestamp(span.StartTimestamp() + pcommon.Timestamp(5*time.Second))
				span.SetEndTimestamp(span.EndTimestamp() + pcommon.Timestamp(5*time.Second))
			}
		})
	}},
	{"no end", func(td ptrace.Traces) {
		td.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0).SetEndTimestamp(0)
	}},
	{"a weight from the sender", func(td ptrace.Traces) {
		each(td, func(span ptrace.Span) { span.TraceState().FromRaw("vendor=x,ot=th:8;rv:fedcba98765432,other=y") })
	}},
	{"our attributes", func(td ptrace.Traces) {
		each(td, func(span ptrace.Span) {
			span.Attributes().PutStr("tailsampling.policy", "of another")
			span.Attributes().PutStr("slowburn.span.flags", "of another")
			span.Attributes().PutInt("slowburn.clock.offset_ns", 5)
		})
		scope := td.ResourceSpans().At(0).ScopeSpans().At(0).Scope()
		scope.Attributes().PutStr("tailsampling.policy", "of another")
		scope.Attributes().PutBool("slowburn.text.repaired", false)
	}},
	{"text that is not UTF-8", func(td ptrace.Traces) {
		td.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0).SetName(broken)
		td.ResourceSpans().At(2).Resource().Attributes().PutStr("text", broken)
	}},
	{"values of every kind", func(td ptrace.Traces) {
		rs := td.ResourceSpans().At(1)
		rs.Resource().SetDroppedAttributesCount(3)
		rs.ScopeSpans().At(0).Scope().SetDroppedAttributesCount(2)
		rs.ScopeSpans().At(0).Scope().Attributes().PutStr("of", "the scope")
		span := rs.ScopeSpans().At(0).Spans().At(0)
		span.SetDroppedAttributesCount(1)
		span.SetDroppedEventsCount(2)
		span.SetDroppedLinksCount(3)
		attrs := span.Attributes()
		attrs.PutEmpty("empty")
		attrs.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
		attrs.PutEmptySlice("list").AppendEmpty().SetEmptyMap().PutDouble("deep", 0.5)
		attrs.PutInt("negative", -1)
		attrs.PutStr("", "no key")
	}},
	{"more scopes, and an empty one", func(td ptrace.Traces) {
		rs := td.ResourceSpans().At(1)
		scope := rs.ScopeSpans().AppendEmpty()
		rs.ScopeSpans().At(0).Spans().At(0).CopyTo(scope.Spans().AppendEmpty())
		scope.Spans().At(0).SetSpanID(pcommon.SpanID{5, 5, 5})
		rs.ScopeSpans().AppendEmpty().Scope().SetName("empty")
		td.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("service.name", "nobody")
	}},
}

// exact renders every span with its scope and resource, by trace. Attributes are sorted, as they have no order.
func exact(t *testing.T, td ptrace.Traces) map[pcommon.TraceID][]string {
	t.Helper()
	byTrace := map[pcommon.TraceID][]string{}
	for _, rs := range td.ResourceSpans().All() {
		inOrder(t, rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			inOrder(t, ss.Scope().Attributes())
			for _, span := range ss.Spans().All() {
				inOrder(t, span.Attributes())
				one := ptrace.NewTraces()
				r := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(r.Resource())
				r.SetSchemaUrl(rs.SchemaUrl())
				s := r.ScopeSpans().AppendEmpty()
				ss.Scope().CopyTo(s.Scope())
				s.SetSchemaUrl(ss.SchemaUrl())
				span.CopyTo(s.Spans().AppendEmpty())
				body, err := new(ptrace.JSONMarshaler).MarshalTraces(one)
				require.NoError(t, err)
				byTrace[span.TraceID()] = append(byTrace[span.TraceID()], string(body))
			}
		}
	}
	for _, spans := range byTrace {
		sort.Strings(spans)
	}
	return byTrace
}

// inOrder sorts attributes by their keys. A repeated key fails the test.
func inOrder(t *testing.T, attributes pcommon.Map) {
	t.Helper()
	values := map[string]pcommon.Value{}
	for key, value := range attributes.All() {
		require.NotContains(t, values, key, "an attribute is repeated")
		values[key] = pcommon.NewValueEmpty()
		value.CopyTo(values[key])
	}
	attributes.Clear()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		values[key].CopyTo(attributes.PutEmpty(key))
	}
}
