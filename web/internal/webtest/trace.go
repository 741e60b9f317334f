package webtest

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// The trace that Store holds, and two that it links to.
var (
	ExampleID = pcommon.TraceID{15: 0xab}
	KeptID    = pcommon.TraceID{15: 0xcd}
	GoneID    = pcommon.TraceID{15: 0xef}
	ExampleAt = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

// ExampleHex is ExampleID as text.
const ExampleHex = "000000000000000000000000000000ab"

// ExampleSummary is the summary of ExampleTrace.
func ExampleSummary() tracestore.Summary {
	return tracestore.Summary{
		TraceID: ExampleHex, RootService: "shop", RootOperation: "GET /cart", Start: ExampleAt,
		StartUnixNano: uint64(ExampleAt.UnixNano()), DurationMS: 100, SpanCount: 4, ErrorCount: 1,
		Services: []tracestore.ServiceSummary{{Name: "shop", Spans: 2}, {Name: "checkout", Spans: 2, Errors: 1}},
		Policy:   "errors", AdjustedCount: 2, Complete: false,
	}
}

// ExampleTrace is a call between two services, with all that is hard to write as JSON, and a span whose parent is
// missing:
//
//	01 shop GET /cart (server) ─ 02 shop call (client) ─ 03 checkout POST /checkout (server, error)
//	?? missing ─ 04 checkout pay (of a kind and status that OTLP does not know)
func ExampleTrace() ptrace.Traces {
	td := ptrace.NewTraces()
	shop := td.ResourceSpans().AppendEmpty()
	shop.Resource().Attributes().PutStr("service.name", "shop")
	shop.Resource().Attributes().PutStr("service.instance.id", "s1")
	scope := shop.ScopeSpans().AppendEmpty()
	scope.Scope().SetName("http")
	scope.Scope().SetVersion("1.2")
	scope.Scope().Attributes().PutStr("tailsampling.policy", "errors")
	scope.Scope().Attributes().PutStr("library", "not of the span")

	root := ExampleSpan(scope.Spans(), 1, 0, "GET /cart", 0, 100)
	root.SetKind(ptrace.SpanKindServer)
	root.TraceState().FromRaw("ot=th:8")
	a := root.Attributes()
	a.PutStr("http.route", "/cart </script>")
	a.PutInt("small", 42)
	a.PutInt("large", math.MaxInt64)
	a.PutDouble("ratio", 0.5)
	a.PutDouble("nan", math.NaN())
	a.PutDouble("infinite", math.Inf(-1))
	a.PutBool("cached", true)
	a.PutEmpty("empty")
	a.PutEmptyBytes("raw").FromRaw([]byte{0xff, 0})
	list := a.PutEmptySlice("list")
	list.AppendEmpty().SetInt(math.MinInt64)
	list.AppendEmpty().SetStr("x")
	a.PutEmptyMap("map").PutDouble("deep", math.Inf(1))

	client := ExampleSpan(scope.Spans(), 2, 1, "call", 10, 90)
	client.SetKind(ptrace.SpanKindClient)
	for _, to := range []pcommon.TraceID{KeptID, GoneID, KeptID, ExampleID} {
		link := client.Links().AppendEmpty()
		link.SetTraceID(to)
		link.SetSpanID(pcommon.SpanID{7: 9})
		link.Attributes().PutStr("why", "batch")
	}

	checkout := td.ResourceSpans().AppendEmpty()
	checkout.Resource().Attributes().PutStr("service.name", "checkout")
	checkout.Resource().Attributes().PutStr("service.instance.id", "c1")
	spans := checkout.ScopeSpans().AppendEmpty().Spans()
	server := ExampleSpan(spans, 3, 2, "POST /checkout", 5_000, 5_060) // its clock is 5 s ahead
	server.SetKind(ptrace.SpanKindServer)
	server.Status().SetCode(ptrace.StatusCodeError)
	server.Status().SetMessage("no stock")
	event := server.Events().AppendEmpty()
	event.SetName("exception")
	event.SetTimestamp(At(5_050))
	event.Attributes().PutStr("exception.type", "OutOfStock")
	odd := ExampleSpan(spans, 4, 0x77, "pay", 5_020, 5_030)
	odd.SetKind(42)
	odd.Status().SetCode(7)
	return td
}

// ExampleSpan adds a span of the trace ExampleID, with times in milliseconds.
func ExampleSpan(spans ptrace.SpanSlice, id, parent byte, name string, start, end int64) ptrace.Span {
	s := spans.AppendEmpty()
	s.SetTraceID(ExampleID)
	s.SetSpanID(pcommon.SpanID{7: id})
	if parent != 0 {
		s.SetParentSpanID(pcommon.SpanID{7: parent})
	}
	s.SetName(name)
	s.SetStartTimestamp(At(start))
	s.SetEndTimestamp(At(end))
	return s
}

// At is a time in milliseconds after ExampleAt.
func At(ms int64) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(ExampleAt.Add(time.Duration(ms) * time.Millisecond))
}
