// Package storetest makes spans to store in tests.
package storetest

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
)

// T0 is the time at which the tests begin.
var T0 = time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)

// Spec specifies a span; the zero value is a root at T0 without duration.
type Spec struct {
	Trace, ID, Parent int
	Service, Name     string
	Start, Duration   time.Duration
	Failed            bool
	Policy            string
	Late              bool
	Link              int
}

// TraceID returns the trace ID for a number.
func TraceID(n int) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// NumberOf returns the number of a trace ID in hex.
func NumberOf(id string) int {
	var n int
	for _, c := range id[16:] {
		n = n*16 + map[bool]int{true: int(c - '0'), false: int(c-'a') + 10}[c <= '9']
	}
	return n
}

// Spans returns the specified spans, each with a resource of its own.
func Spans(specs ...Spec) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, p := range specs {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://example.test/resource")
		rs.Resource().Attributes().PutStr("service.name", p.Service)
		rs.Resource().Attributes().PutStr("host.name", p.Service+"-host")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.SetSchemaUrl("https://example.test/scope")
		ss.Scope().SetName("scope")
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(TraceID(p.Trace))
		s.SetSpanID(SpanID(p.ID))
		s.SetParentSpanID(SpanID(p.Parent))
		s.SetName(p.Name)
		s.SetKind(ptrace.SpanKindInternal)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(T0.Add(p.Start)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(T0.Add(p.Start + p.Duration)))
		if p.Failed {
			s.Status().SetCode(ptrace.StatusCodeError)
		}
		if p.Policy != "" {
			s.Attributes().PutStr(attr.Policy, p.Policy)
		}
		if p.Late {
			s.Attributes().PutBool(attr.CachedDecision, true)
		}
		if p.Link != 0 {
			l := s.Links().AppendEmpty()
			l.SetTraceID(TraceID(p.Link))
			l.SetSpanID(SpanID(1))
		}
	}
	return td
}

// SpanID returns the span ID for a number.
func SpanID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// Bytes returns td as an OTLP message.
func Bytes(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// Decoded decodes an OTLP message.
func Decoded(t testing.TB, message []byte) ptrace.Traces {
	t.Helper()
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(message)
	require.NoError(t, err)
	return td
}

// Kept returns the traces of td.
func Kept(t testing.TB, td ptrace.Traces) *wire.Kept {
	t.Helper()
	var r wire.Request
	require.NoError(t, r.Scan(Bytes(t, td)))
	k := new(wire.Kept)
	_, err := k.Fill(&r)
	for i := range k.Spans {
		k.Spans[i].Omitted = false // a copy is a part of the trace that is put together
	}
	require.NoError(t, err)
	return k
}

// Sized returns a trace of one span whose OTLP message has this size. Most of it compresses well.
func Sized(tb testing.TB, trace, span, bytes int) ptrace.Traces {
	tb.Helper()
	td := Spans(Spec{Trace: trace, ID: span, Service: "s", Name: "op"})
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	padding := bytes
	for range 3 { // until the lengths in front of the message are stable
		s.Attributes().PutEmptyBytes("padding").FromRaw(make([]byte, padding))
		padding += bytes - (&ptrace.ProtoMarshaler{}).TracesSize(td)
	}
	require.Equal(tb, bytes, (&ptrace.ProtoMarshaler{}).TracesSize(td))
	return td
}
