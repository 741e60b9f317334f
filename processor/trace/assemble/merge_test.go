package assemble_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

// A merged span has everything that any of its copies had, each once.
func TestMergedSpanIsTheUnion(t *testing.T) {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	for i, end := range []pcommon.Timestamp{0, 90, 50} {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(lawtest.TraceID)
		s.SetSpanID(lawtest.Numbered(1))
		s.SetStartTimestamp(10)
		s.SetEndTimestamp(end)
		s.Attributes().PutInt("same", int64(i))
		s.Attributes().PutInt(fmt.Sprint("only", i), 1)
		for _, name := range []string{"shared", fmt.Sprint("event", i)} {
			e := s.Events().AppendEmpty()
			e.SetName(name)
			e.SetTimestamp(20)
		}
		for _, id := range []int{7, 10 + i} {
			l := s.Links().AppendEmpty()
			l.SetTraceID(pcommon.TraceID{1})
			l.SetSpanID(lawtest.Numbered(id))
		}
	}
	tr := lawtest.Only(td, assemble.Options{})
	require.Len(t, tr.Spans, 1)
	s := tr.Spans[0]
	require.Len(t, s.Others, 2)
	require.Equal(t, uint64(80), s.Duration(), "the ended and longest is preferred")
	require.Equal(t, map[string]any{"same": int64(1), "only0": int64(1), "only1": int64(1), "only2": int64(1)},
		wire.AttributeMap(wire.SpanAttributes(s.Data.Body)).AsRaw())
	events := 0
	for range wire.SpanEvents(s.Data.Body) {
		events++
	}
	require.Equal(t, 4, events)
	require.Len(t, s.Links, 4)
	lawtest.RequireLaws(t, td, assemble.Options{}, rand.New(rand.NewPCG(1, 1)))
}

// Which of two equally good copies is kept does not depend on their order.
func TestCopiesThatDifferAreMergedInAnyOrder(t *testing.T) {
	names := []string{"GET /a", "GET /b", "GET /c"}
	merged := func(order ...int) trace.Span {
		td := ptrace.NewTraces()
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for _, i := range order {
			s := ss.Spans().AppendEmpty()
			s.SetTraceID(lawtest.TraceID)
			s.SetSpanID(lawtest.Numbered(1))
			s.SetStartTimestamp(10)
			s.SetEndTimestamp(20)
			s.SetName(names[i])
		}
		tr := lawtest.Only(td, assemble.Options{})
		require.Len(t, tr.Spans, 1)
		return tr.Spans[0]
	}
	want := merged(0, 1, 2)
	for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		got := merged(order...)
		require.Equal(t, want.Data.Name, got.Data.Name, order)
	}
}
