// Package slitest makes spans for the tests of the connector sli and of its parts.
package slitest

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// Span describes a span of a test.
type Span struct {
	Service, Version string
	Resource         map[string]any // beside name and version
	Name             string
	Kind             ptrace.SpanKind
	Status           ptrace.StatusCode
	Duration         time.Duration // negative: it ends before it starts
	Ended            time.Time     // zero: in November 2023
	Attributes       map[string]any
	State            string
	Invalid          bool // its span ID is zero
}

// Traces returns the spans, with one resource for each run of spans that share it. Trace IDs have the highest randomness, so
// that they pass any threshold.
func Traces(t testing.TB, spans ...Span) ptrace.Traces {
	t.Helper()
	td := ptrace.NewTraces()
	var last string
	var dst ptrace.SpanSlice
	for i, s := range spans {
		if key := fmt.Sprint(s.Service, "\x00", s.Version, s.Resource); i == 0 || key != last {
			rs := td.ResourceSpans().AppendEmpty()
			require.NoError(t, rs.Resource().Attributes().FromRaw(s.Resource))
			if s.Service != "" {
				rs.Resource().Attributes().PutStr("service.name", s.Service)
			}
			if s.Version != "" {
				rs.Resource().Attributes().PutStr("service.version", s.Version)
			}
			dst = rs.ScopeSpans().AppendEmpty().Spans()
			last = key
		}
		span := dst.AppendEmpty()
		id := pcommon.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 255, 255, 255, 255, 255, 255}
		binary.BigEndian.PutUint32(id[:], uint32(i))
		span.SetTraceID(id)
		if !s.Invalid {
			span.SetSpanID(pcommon.SpanID{1, byte(i), byte(i >> 8)})
		}
		span.SetName(s.Name)
		span.SetKind(s.Kind)
		span.Status().SetCode(s.Status)
		start := int64(1_700_000_000_000_000_000)
		if !s.Ended.IsZero() {
			start = s.Ended.UnixNano() - int64(s.Duration)
		}
		span.SetStartTimestamp(pcommon.Timestamp(start))
		span.SetEndTimestamp(pcommon.Timestamp(start + int64(s.Duration)))
		require.NoError(t, span.Attributes().FromRaw(s.Attributes))
		span.TraceState().FromRaw(s.State)
	}
	return td
}

// Request returns the scanned form of traces.
func Request(t testing.TB, td ptrace.Traces) *wire.Request {
	t.Helper()
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	r := new(wire.Request)
	require.NoError(t, r.Scan(b))
	return r
}
