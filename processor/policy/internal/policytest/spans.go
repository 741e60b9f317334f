// Package policytest makes spans for tests of policies.
package policytest

import (
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Span is a span as data files write it.
type Span struct {
	Start      time.Duration  `mapstructure:"start"`
	End        time.Duration  `mapstructure:"end"`
	Status     string         `mapstructure:"status"`
	Attributes map[string]any `mapstructure:"attributes"`
	Twice      map[string]any `mapstructure:"twice"` // attributes that are repeated with another value
	Resource   map[string]any `mapstructure:"resource"`
	Scope      string         `mapstructure:"scope"`
	Name       string         `mapstructure:"name"`
	Kind       string         `mapstructure:"kind"`
	Flags      uint32         `mapstructure:"flags"`
	TraceState string         `mapstructure:"trace_state"`
	ID         byte           `mapstructure:"id"` // by default its place in the list, from 1
	Parent     byte           `mapstructure:"parent"`
	Events     []Event        `mapstructure:"events"`
}

// Event is an event of a span.
type Event struct {
	Name       string         `mapstructure:"name"`
	Attributes map[string]any `mapstructure:"attributes"`
}

// Epoch is the zero of Start and End, in nanoseconds since the Unix epoch.
const Epoch = 1_800_000_000_000_000_000

var kinds = map[string]ptrace.SpanKind{
	"internal": ptrace.SpanKindInternal, "server": ptrace.SpanKindServer, "client": ptrace.SpanKindClient,
	"producer": ptrace.SpanKindProducer, "consumer": ptrace.SpanKindConsumer,
}

// Views encodes the spans, each with a resource of its own.
func Views(tb testing.TB, spans ...Span) []rule.SpanView {
	td := ptrace.NewTraces()
	for i, s := range spans {
		add(tb, td, s, byte(i+1))
	}
	var m ptrace.ProtoMarshaler
	data, err := m.MarshalTraces(td)
	require.NoError(tb, err)
	var r wire.Request
	require.NoError(tb, r.Scan(data))
	views := make([]rule.SpanView, len(r.Spans))
	for i := range r.Spans {
		span := &r.Spans[i]
		views[i] = rule.SpanView{
			Span: span, Bytes: data, Body: span.Body.Of(data),
			Resource: r.Resources[span.Resource].Body.Of(data), Scope: r.Scopes[span.Scope].Body.Of(data),
		}
		if twice := spans[i].Twice; twice != nil {
			views[i].Body = append(views[i].Body, Views(tb, Span{Attributes: twice})[0].Body...)
		}
	}
	return views
}

func add(tb testing.TB, td ptrace.Traces, s Span, id byte) {
	rs := td.ResourceSpans().AppendEmpty()
	require.NoError(tb, rs.Resource().Attributes().FromRaw(s.Resource))
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(s.Scope)
	span := ss.Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{cmp.Or(s.ID, id)})
	if s.Parent != 0 {
		span.SetParentSpanID([8]byte{s.Parent})
	}
	span.SetName(s.Name)
	span.SetKind(kinds[s.Kind])
	span.SetFlags(s.Flags)
	span.TraceState().FromRaw(s.TraceState)
	span.SetStartTimestamp(Epoch + pcommon.Timestamp(s.Start))
	span.SetEndTimestamp(Epoch + pcommon.Timestamp(s.End))
	span.Status().SetCode(map[string]ptrace.StatusCode{"OK": 1, "ERROR": 2, "UNKNOWN": 7}[s.Status])
	require.NoError(tb, span.Attributes().FromRaw(s.Attributes))
	for _, e := range s.Events {
		event := span.Events().AppendEmpty()
		event.SetName(e.Name)
		require.NoError(tb, event.Attributes().FromRaw(e.Attributes))
	}
}
