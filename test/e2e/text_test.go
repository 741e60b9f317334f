//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const textRepaired = "slowburn.text.repaired"

// broken is text that strict decoders refuse.
const broken = "caf\xe9 \xff\xfe"

// Text that is not UTF-8, anywhere in a trace, loses neither the trace nor others: a backend that decodes with Google's protobuf gets
// all traces, with that text made valid and its span or scope marked.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	byGRPC, byHTTP, asINTERNAL := startStrict(t), startStrict(t), startStrict(t, "--internal")
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/strict", endpoint: byGRPC.grpc},
		exporter{id: "otlp_http/strict", endpoint: byHTTP.http},
		exporter{id: "otlp_grpc/internal", endpoint: asINTERNAL.grpc},
	))
	type place struct {
		name string
		// spoil puts broken into the trace's first span, its scope or its resource.
		spoil  func(ptrace.ResourceSpans, ptrace.ScopeSpans, ptrace.Span)
		shared bool // the mark is on the scope
	}
	places := []place{
		{name: "name", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) { s.SetName(broken) }},
		{name: "attribute", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			s.Attributes().PutStr("text", broken)
		}},
		{name: "key", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			s.Attributes().PutStr(broken, "text")
		}},
		{name: "deep in an attribute", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			s.Attributes().PutEmptySlice("list").AppendEmpty().SetEmptyMap().PutStr("text", broken)
		}},
		{name: "status", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) { s.Status().SetMessage(broken) }},
		{name: "tracestate", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			s.TraceState().FromRaw("a=" + broken)
		}},
		{name: "event", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			event := s.Events().AppendEmpty()
			event.SetName(broken)
			event.Attributes().PutStr("text", broken)
		}},
		{name: "link", spoil: func(_ ptrace.ResourceSpans, _ ptrace.ScopeSpans, s ptrace.Span) {
			s.Links().AppendEmpty().Attributes().PutStr("text", broken)
		}},
		{name: "scope", shared: true, spoil: func(_ ptrace.ResourceSpans, ss ptrace.ScopeSpans, _ ptrace.Span) { ss.Scope().SetName(broken) }},
		{name: "resource", shared: true, spoil: func(rs ptrace.ResourceSpans, _ ptrace.ScopeSpans, _ ptrace.Span) {
			rs.Resource().Attributes().PutStr("text", broken)
		}},
	}
	sent := newTraffic(65).traces(170, boring) // 2,040 spans
	spoiled := map[pcommon.TraceID]place{}
	for i, p := range places {
		td := sent[i*11]
		rs := td.ResourceSpans().At(0)
		p.spoil(rs, rs.ScopeSpans().At(0), rs.ScopeSpans().At(0).Spans().At(0))
		spoiled[traceID(td)] = p
	}
	g.sendAll(t, sent)
	for name, b := range map[string]*backend{"gRPC": byGRPC, "HTTP": byHTTP, "INTERNAL": asINTERNAL} {
		if !b.awaitAll(t, soon, sent) {
			continue
		}
		marks := map[pcommon.TraceID]int{}
		for _, rs := range b.spans(t).ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				onScope := marked(ss.Scope().Attributes())
				for _, span := range ss.Spans().All() {
					p, wrong := spoiled[span.TraceID()]
					switch {
					case onScope:
						assert.True(t, wrong && p.shared, "%s: the scope of the span %s is marked", name, span.SpanID())
						marks[span.TraceID()]++
					case marked(span.Attributes()):
						assert.True(t, wrong && !p.shared, "%s: the span %s is marked", name, span.SpanID())
						marks[span.TraceID()]++
					}
				}
			}
		}
		for id, p := range spoiled {
			assert.Positive(t, marks[id], "%s: the trace whose %s was made valid is not marked", name, p.name)
			if !p.shared {
				assert.Equal(t, 1, marks[id], "%s: only the span whose %s was made valid is marked", name, p.name)
			}
		}
		kept := find(t, b.spans(t), traceID(sent[11]), "text")
		assert.True(t, utf8.ValidString(kept) && strings.HasPrefix(kept, "caf"), "%s: %q", name, kept)
	}
	for _, d := range g.destinations(t).Destinations {
		assert.Zero(t, d.RefusedTraces, d.Destination)
	}
}

func marked(attributes pcommon.Map) bool {
	v, ok := attributes.Get(textRepaired)
	return ok && v.Bool()
}

// find returns the text attribute of a trace's span that has it.
func find(t *testing.T, td ptrace.Traces, id pcommon.TraceID, key string) (text string) {
	t.Helper()
	found := false
	each(td, func(span ptrace.Span) {
		if v, ok := span.Attributes().Get(key); ok && span.TraceID() == id {
			text, found = v.Str(), true
		}
	})
	require.True(t, found, "no span of %s has the attribute %s", id, key)
	return text
}
