package assemble

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// content is everything that arrived with the span, as bytes, but for what the gateway itself wrote on it: a copy that
// comes after the decision is still a copy.
func content(in *trace.Input) []byte {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl(in.ResourceSchemaURL)
	in.Resource.CopyTo(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl(in.ScopeSchemaURL)
	in.Scope.CopyTo(ss.Scope())
	span := ss.Spans().AppendEmpty()
	in.Span.CopyTo(span)
	span.Attributes().RemoveIf(func(k string, _ pcommon.Value) bool {
		return strings.HasPrefix(k, "tailsampling.") || strings.HasPrefix(k, "slowburn.")
	})
	bytes, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil { // protobuf encoding of a value in memory has no error to return
		panic(err)
	}
	return bytes
}

// merge adds to the first span the attributes, events and links that only the others have.
func merge(distinct []trace.Span) trace.Span {
	s := distinct[0]
	s.Flags |= trace.FlagMerged
	data := ptrace.NewSpan()
	s.Data.CopyTo(data)
	events, links := make(map[string]bool), make(map[string]bool)
	for _, e := range data.Events().All() {
		events[eventKey(e)] = true
	}
	for _, l := range data.Links().All() {
		links[linkKey(l)] = true
	}
	for _, other := range distinct[1:] {
		s.Others = append(s.Others, other.Source)
		s.Flags |= other.Flags
		for k, v := range other.Data.Attributes().All() {
			if _, ok := data.Attributes().Get(k); !ok {
				v.CopyTo(data.Attributes().PutEmpty(k))
			}
		}
		for _, e := range other.Data.Events().All() {
			if key := eventKey(e); !events[key] {
				events[key] = true
				e.CopyTo(data.Events().AppendEmpty())
			}
		}
		for _, l := range other.Data.Links().All() {
			if key := linkKey(l); !links[key] {
				links[key] = true
				l.CopyTo(data.Links().AppendEmpty())
			}
		}
	}
	slices.Sort(s.Others)
	s.Data = data
	return s
}

func eventKey(e ptrace.SpanEvent) string {
	return e.Timestamp().String() + e.Name() + describe.Map(e.Attributes())
}

func linkKey(l ptrace.SpanLink) string {
	return l.TraceID().String() + l.SpanID().String() + l.TraceState().AsRaw() + describe.Map(l.Attributes())
}
