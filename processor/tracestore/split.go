package tracestore

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// marshal is the OTLP message of one trace's spans, with their resources and scopes, without those left out.
func marshal(spans trace.Spans, leftOut []int) ([]byte, error) {
	out := map[int]bool{}
	for _, i := range leftOut {
		out[i] = true
	}
	td := ptrace.NewTraces()
	var rs ptrace.ResourceSpans
	var ss ptrace.ScopeSpans
	var last *trace.Input
	for i := range spans.Inputs {
		if out[i] {
			continue
		}
		in := &spans.Inputs[i]
		newResource := last == nil || in.Resource != last.Resource
		if newResource {
			rs = td.ResourceSpans().AppendEmpty()
			rs.SetSchemaUrl(in.ResourceSchemaURL)
			in.Resource.CopyTo(rs.Resource())
		}
		if newResource || in.Scope != last.Scope {
			ss = rs.ScopeSpans().AppendEmpty()
			ss.SetSchemaUrl(in.ScopeSchemaURL)
			in.Scope.CopyTo(ss.Scope())
		}
		in.Span.CopyTo(ss.Spans().AppendEmpty())
		last = in
	}
	return (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
}
