// Package load makes OTLP trace requests as SDKs do, and sends them at a steady rate or as fast as the target accepts.
//
// A trace has 12 spans over five services. A request comes from one service, and so holds that service's spans of many
// traces: a trace reaches the target in five requests. Requests are encoded once; what differs from one to the next
// (trace, span and parent IDs, times, status) is patched in the bytes, so that the generator costs little next to what
// it measures.
package load

import (
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// SpansPerTrace is the size of each generated trace.
const SpansPerTrace = 12

// spanPlan is one span of the trace: which service has it, and its parent's index.
type spanPlan struct {
	service, parent int
	kind            ptrace.SpanKind
	name            string
	startMs, endMs  int64 // after the trace's start
}

// plan is the trace: frontend calls cart and checkout; checkout calls payment and inventory, which ask their databases.
var plan = [SpansPerTrace]spanPlan{
	{0, -1, ptrace.SpanKindServer, "POST /checkout", 0, 120},
	{0, 0, ptrace.SpanKindInternal, "render template", 1, 5},
	{0, 0, ptrace.SpanKindClient, "GET", 6, 30},
	{1, 2, ptrace.SpanKindServer, "GET /cart/{id}", 8, 28},
	{1, 3, ptrace.SpanKindClient, "HGETALL carts", 10, 14},
	{0, 0, ptrace.SpanKindClient, "POST", 31, 118},
	{2, 5, ptrace.SpanKindServer, "POST /orders", 33, 116},
	{2, 6, ptrace.SpanKindClient, "POST", 35, 70},
	{3, 7, ptrace.SpanKindServer, "POST /charges", 37, 68},
	{3, 8, ptrace.SpanKindClient, "INSERT charges", 40, 44},
	{2, 6, ptrace.SpanKindClient, "POST", 71, 110},
	{4, 10, ptrace.SpanKindServer, "POST /reservations", 73, 108},
}

var services = [5]string{"frontend", "cart", "checkout", "payment", "inventory"}

// slot is where one span's changing fields are in an encoded request.
type slot struct {
	trace int // which of the request's traces
	span  int // index into plan
	// offsets of the fields' values; name is that of the digits behind the span's name, 0 where it has none
	traceID, spanID, parentID, start, end, status, name int
}

// template is one service's request, encoded once.
type template struct {
	body   []byte
	slots  []slot
	traces int
	// service is the offset of the digits behind the service's name, 0 where it has none.
	service int
	// replicas and operations are how many numbers there are for these, and for those of a span's name.
	replicas, operations uint64
}

// spansOf returns how many spans of a trace the service has.
func spansOf(service int) (own int) {
	for _, p := range plan {
		if p.service == service {
			own++
		}
	}
	return own
}

// newTemplate encodes a request of about that many spans of a service.
func newTemplate(service, spans int, names Names) template {
	own := spansOf(service)
	traces := max(1, spans/own)
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.37.0")
	res := rs.Resource().Attributes()
	res.PutStr("service.name", services[service]+names.serviceMark())
	res.PutStr("service.namespace", "shop")
	res.PutStr("service.version", "2.14.3")
	res.PutStr("service.instance.id", fmt.Sprintf("%s-7f9c6d5b8-x2k%d", services[service], service))
	res.PutStr("host.name", fmt.Sprintf("ip-10-0-%d-17", service))
	res.PutStr("k8s.pod.name", fmt.Sprintf("%s-7f9c6d5b8-x2k%d", services[service], service))
	res.PutStr("telemetry.sdk.language", "go")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	ss.Scope().SetVersion("0.69.0")

	var slots []slot
	for t := range traces {
		for i, p := range plan {
			if p.service == service {
				span := ss.Spans().AppendEmpty()
				fill(span, len(slots), p)
				span.SetName(p.name + names.operationMark())
				slots = append(slots, slot{trace: t, span: i})
			}
		}
	}
	tmpl := template{body: encode(td), slots: slots, traces: traces}
	tmpl.locate()
	tmpl.number(names, service)
	return tmpl
}

// encode writes a request as SDKs do, with fields in the order of their numbers; the Collector's own encoder goes backwards.
func encode(td ptrace.Traces) []byte {
	body, err := new(ptrace.ProtoMarshaler).MarshalTraces(td)
	if err == nil {
		var request tracepb.TracesData
		if err = proto.Unmarshal(body, &request); err == nil {
			body, err = proto.Marshal(&request)
		}
	}
	if err != nil {
		panic(err) // what was just built can be encoded
	}
	return body
}

// Marks that fill writes and locate finds again. Times are fixed64 fields, IDs have fixed lengths.
const (
	markTrace  = 0xA1A1A1A1_00000000
	markSpan   = 0xB2B2B2B2_00000000
	markParent = 0xC3C3C3C3_00000000
	markStart  = 0xD4D4D4D4_00000000
	markEnd    = 0xE5E5E5E5_00000000
)

// statusMark is the status of every template span, {message: "~", code: ERROR}; a span without an error has its code
// patched to UNSET, which costs the same bytes.
var statusMark = []byte{0x7a, 0x05, 0x12, 0x01, '~', 0x18, 0x02}

func fill(span ptrace.Span, n int, p spanPlan) {
	var trace pcommon.TraceID
	var id, parent pcommon.SpanID
	binary.LittleEndian.PutUint64(trace[:], markTrace|uint64(n))
	binary.LittleEndian.PutUint64(id[:], markSpan|uint64(n))
	binary.LittleEndian.PutUint64(parent[:], markParent|uint64(n))
	span.SetTraceID(trace)
	span.SetSpanID(id)
	if p.parent >= 0 {
		span.SetParentSpanID(parent)
	}
	span.SetName(p.name)
	span.SetKind(p.kind)
	span.SetFlags(0x101)
	span.SetStartTimestamp(pcommon.Timestamp(markStart | uint64(n)))
	span.SetEndTimestamp(pcommon.Timestamp(markEnd | uint64(n)))
	span.Status().SetMessage("~")
	span.Status().SetCode(ptrace.StatusCodeError)
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
