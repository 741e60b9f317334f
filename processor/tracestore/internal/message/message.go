// Package message writes the spans of single traces as OTLP messages: a Message is that of a request, of which Of is the part
// that is one trace's. It is pure.
package message

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slowburn/slowburn/processor/trace"
)

// Message is an OTLP message, and where in it the ResourceSpans of each trace are. A message of several traces is the
// messages of each, one after the other, where no two share a ResourceSpans; so one call marshals them all.
type Message struct {
	bytes []byte
	parts map[pcommon.TraceID][]extent
	mixed map[pcommon.TraceID]bool // traces with spans in a ResourceSpans that is not theirs alone
}

// extent is a range of bytes.
type extent struct{ from, to int }

// Marshal returns the OTLP message of td.
func Marshal(td ptrace.Traces) (Message, error) {
	bytes, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return Message{}, err
	}
	m := Message{bytes: bytes, parts: make(map[pcommon.TraceID][]extent), mixed: make(map[pcommon.TraceID]bool)}
	at := 0
	for _, rs := range td.ResourceSpans().All() {
		_, _, n := protowire.ConsumeField(bytes[at:])
		if n < 0 {
			return Message{}, protowire.ParseError(n)
		}
		m.add(rs, extent{at, at + n})
		at += n
	}
	return m, nil
}

// add notes whose the ResourceSpans is.
func (m *Message) add(rs ptrace.ResourceSpans, at extent) {
	var owner pcommon.TraceID
	spans := 0
	for _, ss := range rs.ScopeSpans().All() {
		for _, span := range ss.Spans().All() {
			id := span.TraceID()
			if spans > 0 && id != owner {
				m.mixed[owner], m.mixed[id] = true, true
			}
			owner = id
			spans++
		}
	}
	if spans == 0 {
		return
	}
	parts := m.parts[owner]
	if n := len(parts); n > 0 && parts[n-1].to == at.from {
		parts[n-1].to = at.to
		return
	}
	m.parts[owner] = append(parts, at)
}

// Of returns the part of the message that is the trace's. It may share memory with the message.
func (m *Message) Of(spans trace.Spans) ([]byte, error) {
	parts := m.parts[spans.ID]
	switch {
	case len(parts) == 0 || m.mixed[spans.ID]:
		return MarshalSpans(spans, nil)
	case len(parts) == 1:
		return m.bytes[parts[0].from:parts[0].to], nil
	}
	var otlp []byte
	for _, p := range parts {
		otlp = append(otlp, m.bytes[p.from:p.to]...)
	}
	return otlp, nil
}

// MarshalSpans returns the OTLP message of one trace's spans, with their resources and scopes, without those left out.
func MarshalSpans(spans trace.Spans, leftOut []int) ([]byte, error) {
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
