// Package wiretest creates OTLP requests for the tests of package wire and its subpackages: realistic ones, and unusual
// ones.
package wiretest

import (
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Realistic returns a request with one trace as an instrumented shop would send it: n spans of about 520 bytes with
// ten attributes each, two scopes.
func Realistic(n int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.26.0")
	ra := rs.Resource().Attributes()
	ra.PutStr("service.name", "checkout")
	ra.PutStr("service.version", "1.42.0")
	ra.PutStr("service.instance.id", "checkout-7d9f8b6c5-x2x7p")
	ra.PutStr("k8s.namespace.name", "shop")
	for i := range 2 {
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(fmt.Sprintf("go.opentelemetry.io/contrib/instrumentation/%d", i))
		ss.Scope().SetVersion("0.60.0")
		ss.Scope().Attributes().PutBool("short", true)
	}
	for i := range n {
		s := rs.ScopeSpans().At(i % 2).Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{0xa1, 0xb2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
		s.SetSpanID(SpanID(i + 1))
		s.SetParentSpanID(SpanID(i))
		s.SetName("POST /api/v1/checkout")
		s.SetKind(ptrace.SpanKindServer)
		s.SetFlags(0x101)
		s.SetStartTimestamp(1_700_000_000_000_000_000 + pcommon.Timestamp(i))
		s.SetEndTimestamp(1_700_000_000_050_000_000)
		a := s.Attributes()
		a.PutStr("http.request.method", "POST")
		a.PutStr("http.route", "/api/v1/checkout")
		a.PutStr("url.path", "/api/v1/checkout/9f1c2a7e4b/confirm")
		a.PutStr("url.scheme", "https")
		a.PutStr("server.address", "checkout.shop.svc.cluster.local")
		a.PutInt("server.port", 8443)
		a.PutInt("http.response.status_code", 200)
		a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0")
		a.PutBool("cart.has_coupon", i%2 == 0)
		a.PutDouble("cart.total", 42.5)
		if i%6 == 0 {
			s.Status().SetCode(ptrace.StatusCodeError)
			s.Status().SetMessage("payment declined")
			e := s.Events().AppendEmpty()
			e.SetName("exception")
			e.SetTimestamp(1_700_000_000_040_000_000)
			e.Attributes().PutStr("exception.type", "PaymentError")
		}
	}
	return td
}

// Everything returns a request with every field and every kind of value.
func Everything() ptrace.Traces {
	td := Realistic(3)
	rs := td.ResourceSpans().At(0)
	rs.Resource().SetDroppedAttributesCount(3)
	s := rs.ScopeSpans().At(0).Spans().At(0)
	s.TraceState().FromRaw("ot=th:8;rv:0123456789abcd")
	s.SetDroppedAttributesCount(1)
	s.SetDroppedEventsCount(2)
	s.SetDroppedLinksCount(3)
	putEveryKind(s.Attributes())
	putEveryKind(rs.Resource().Attributes())
	putEveryKind(rs.ScopeSpans().At(0).Scope().Attributes())
	e := s.Events().AppendEmpty()
	e.SetDroppedAttributesCount(9)
	putEveryKind(e.Attributes())
	l := s.Links().AppendEmpty()
	l.SetTraceID(pcommon.TraceID{1})
	l.SetSpanID(SpanID(7))
	l.SetFlags(1)
	l.TraceState().FromRaw("a=b")
	l.SetDroppedAttributesCount(4)
	putEveryKind(l.Attributes())
	return td
}

func putEveryKind(m pcommon.Map) {
	m.PutEmpty("empty")
	m.PutStr("string", "a <b> & 'c' \xff")
	m.PutStr("", "no key")
	m.PutBool("bool", true)
	m.PutInt("int", -1)
	m.PutInt("big", 1<<62)
	m.PutDouble("double", 1e21)
	m.PutDouble("small", 1.5e-7)
	m.PutEmptyBytes("bytes").FromRaw([]byte{0, 1, 254})
	arr := m.PutEmptySlice("array")
	arr.AppendEmpty().SetStr("<x>")
	arr.AppendEmpty().SetInt(3)
	arr.AppendEmpty().SetEmptyMap().PutStr("k", "v")
	kv := m.PutEmptyMap("map")
	kv.PutDouble("pi", 3.25)
	kv.PutEmptySlice("nested").AppendEmpty().SetBool(false)
}

// SpanID returns the ID with that number.
func SpanID(i int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

// Marshal encodes td as an ExportTraceServiceRequest.
func Marshal(td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	if err != nil {
		panic(err)
	}
	return b
}

// AsSDK rewrites the request as SDKs encode it: fields in ascending order, while the Collector's are in descending
// order within some messages.
func AsSDK(b []byte) []byte {
	var td tracepb.TracesData
	if err := proto.Unmarshal(b, &td); err != nil {
		panic(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&td)
	if err != nil {
		panic(err)
	}
	return b
}
