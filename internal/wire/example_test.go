package wire_test

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// A Request is a view over the bytes of an export request: attributes are looked up in place.
func ExampleRequest_Scan() {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "checkout")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{15: 1})
	span.SetSpanID([8]byte{7: 2})
	span.SetName("POST /checkout")
	span.Attributes().PutInt("http.response.status_code", 503)
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		fmt.Println(err)
		return
	}

	var request wire.Request
	if err := request.Scan(body); err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range request.Spans {
		service, _ := wire.ResourceAttribute(request.Resources[s.Resource].Body.Of(body), "service.name")
		status, _ := wire.SpanAttribute(s.Body.Of(body), "http.response.status_code")
		fmt.Printf("%s: %s of %s answered %d\n", s.TraceID, s.Name.Of(body), service.AsString(), status.Int())
	}

	fmt.Println(request.Scan(body[:len(body)-1]))
	fmt.Println(len(request.Spans), "spans")
	// Output:
	// 00000000000000000000000000000001: POST /checkout of checkout answered 503
	// malformed OTLP trace request at byte 0: ExportTraceServiceRequest.resource_spans: length reaches beyond the enclosing message
	// 0 spans
}
