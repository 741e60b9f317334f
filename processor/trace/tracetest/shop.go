// Package tracetest makes traces to measure with.
package tracetest

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
)

// plan is the trace of the benchmark in bench/.
var plan = [12]struct {
	service, parent int
	kind            ptrace.SpanKind
	name            string
	start, end      int64
}{
	{0, -1, ptrace.SpanKindServer, "POST /checkout", 0, 120},
	{0, 0, ptrace.SpanKindInternal, "render template", 1, 5},
	{0, 0, ptrace.SpanKindClient, "GET", 6, 30},
	{0, 0, ptrace.SpanKindClient, "POST", 31, 118},
	{1, 2, ptrace.SpanKindServer, "GET /cart/{id}", 8, 28},
	{1, 4, ptrace.SpanKindClient, "HGETALL carts", 10, 14},
	{2, 3, ptrace.SpanKindServer, "POST /orders", 33, 116},
	{2, 6, ptrace.SpanKindClient, "POST", 35, 70},
	{2, 6, ptrace.SpanKindClient, "POST", 71, 110},
	{3, 7, ptrace.SpanKindServer, "POST /charges", 37, 68},
	{3, 9, ptrace.SpanKindClient, "INSERT charges", 40, 44},
	{4, 8, ptrace.SpanKindServer, "POST /reservations", 73, 108},
}

var epoch = time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)

var services = [5]string{"frontend", "cart", "checkout", "payment", "inventory"}

// mix64 scatters numbers like random IDs.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendTrace adds a trace of 12 spans of five services, with typical attributes of instrumentations.
func appendTrace(td ptrace.Traces, seq int) {
	var id pcommon.TraceID
	binary.BigEndian.PutUint64(id[:], mix64(uint64(seq)))
	binary.BigEndian.PutUint64(id[8:], mix64(uint64(seq)+1e6))
	sid := func(i int) (s pcommon.SpanID) {
		if i >= 0 {
			binary.BigEndian.PutUint64(s[:], mix64(uint64(seq*12+i))|1)
		}
		return s
	}
	last := -1
	var ss ptrace.ScopeSpans
	base := epoch.Add(time.Duration(seq) * 4 * time.Millisecond).UnixNano()
	for i, p := range plan {
		n := seq*12 + i
		if p.service != last {
			last = p.service
			rs := td.ResourceSpans().AppendEmpty()
			rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.37.0")
			res := rs.Resource().Attributes()
			res.PutStr("service.name", services[last])
			res.PutStr("service.namespace", "shop")
			res.PutStr("service.version", "2.14.3")
			res.PutStr("service.instance.id", fmt.Sprintf("%s-7f9c6d5b8-x2k%d", services[last], last))
			res.PutStr("host.name", fmt.Sprintf("ip-10-0-%d-17", last))
			res.PutStr("k8s.pod.name", fmt.Sprintf("%s-7f9c6d5b8-x2k%d", services[last], last))
			res.PutStr("telemetry.sdk.language", "go")
			ss = rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
			ss.Scope().SetVersion("0.69.0")
			ss.Scope().Attributes().PutStr(attr.Policy, "rest")
		}
		span := ss.Spans().AppendEmpty()
		span.SetTraceID(id)
		span.SetSpanID(sid(i))
		span.SetParentSpanID(sid(p.parent))
		span.SetName(p.name)
		span.SetKind(p.kind)
		span.SetFlags(0x101)
		span.TraceState().FromRaw("ot=th:fd70a3d70a3d7")
		span.SetStartTimestamp(pcommon.Timestamp(base + p.start*1e6 + int64(mix64(uint64(n))%1000000)))
		span.SetEndTimestamp(pcommon.Timestamp(base + p.end*1e6 + int64(mix64(uint64(n)+5)%1000000)))
		span.Status().SetMessage("~")
		attrs := span.Attributes()
		switch p.kind {
		case ptrace.SpanKindServer:
			attrs.PutStr("http.request.method", "POST")
			attrs.PutStr("http.route", p.name)
			attrs.PutStr("url.scheme", "https")
			attrs.PutStr("url.path", fmt.Sprintf("/shop/v1/orders/%08d/lines", n*7919))
			attrs.PutInt("http.response.status_code", 200)
			attrs.PutStr("network.protocol.version", "1.1")
			attrs.PutStr("server.address", "shop.example.com")
			attrs.PutInt("server.port", 8443)
			attrs.PutStr("client.address", fmt.Sprintf("10.12.%d.%d", n%200, n%251))
			attrs.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36")
			attrs.PutInt("http.request.body.size", int64(n*37%4096))
			attrs.PutInt("http.response.body.size", int64(n*53%65536))
		case ptrace.SpanKindClient:
			attrs.PutStr("http.request.method", "POST")
			attrs.PutStr("url.full", fmt.Sprintf("https://inventory.shop.svc.cluster.local:8443/internal/v2/reservations/%08d", n*7919))
			attrs.PutInt("http.response.status_code", 200)
			attrs.PutStr("network.protocol.name", "http")
			attrs.PutStr("network.protocol.version", "1.1")
			attrs.PutStr("network.peer.address", fmt.Sprintf("10.12.%d.%d", n%200, n%251))
			attrs.PutInt("network.peer.port", 8443)
			attrs.PutStr("server.address", "inventory.shop.svc.cluster.local")
			attrs.PutInt("server.port", 8443)
		default:
			attrs.PutStr("code.function.name", "github.com/example/shop/internal/render.(*Renderer).RenderTemplate")
			attrs.PutStr("code.file.path", "/src/internal/render/renderer.go")
			attrs.PutInt("code.line.number", int64(100+n%400))
			attrs.PutStr("template.name", "checkout/confirmation.html.tmpl")
			attrs.PutBool("template.cached", n%2 == 0)
			attrs.PutInt("template.bytes", int64(n*97%100000))
			attrs.PutStr("thread.name", "render-worker-3")
			attrs.PutInt("thread.id", int64(n%64))
		}
	}
}

// Shop returns a batch of n traces as the sampler delivers them.
func Shop(from, n int) ptrace.Traces {
	td := ptrace.NewTraces()
	for i := range n {
		appendTrace(td, from+i)
	}
	return td
}
