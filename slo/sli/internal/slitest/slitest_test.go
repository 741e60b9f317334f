package slitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// TestTraces checks what tests depend on: which spans share a resource, that IDs differ, and that each threshold is honoured.
func TestTraces(t *testing.T) {
	zone := map[string]any{"zone": "a"}
	td := slitest.Traces(t,
		slitest.Span{Service: "s", Version: "1", Resource: zone, Name: "x", Kind: ptrace.SpanKindServer, Duration: time.Second},
		slitest.Span{Service: "s", Version: "1", Resource: zone, Name: "y", Status: ptrace.StatusCodeError, Attributes: map[string]any{"k": "v"}},
		slitest.Span{Service: "s", Version: "2", Resource: zone, State: "ot=th:8"},
		slitest.Span{Invalid: true, Duration: -time.Second},
	)
	require.Equal(t, 3, td.ResourceSpans().Len())
	attributes := func(i int) map[string]any { return td.ResourceSpans().At(i).Resource().Attributes().AsRaw() }
	assert.Equal(t, map[string]any{"service.name": "s", "service.version": "1", "zone": "a"}, attributes(0))
	assert.Equal(t, map[string]any{"service.name": "s", "service.version": "2", "zone": "a"}, attributes(1))
	assert.Empty(t, attributes(2))

	r := slitest.Request(t, td)
	require.Len(t, r.Spans, 4)
	x, y := &r.Spans[0], &r.Spans[1]
	assert.Equal(t, uint64(time.Second), x.End-x.Start)
	assert.EqualValues(t, ptrace.SpanKindServer, x.Kind)
	assert.EqualValues(t, ptrace.StatusCodeError, y.Status)
	assert.Equal(t, "y", string(y.Name.Of(r.Bytes)))
	assert.Equal(t, "ot=th:8", string(r.Spans[2].TraceState.Of(r.Bytes)))
	assert.Equal(t, x.Resource, y.Resource)
	assert.True(t, r.Spans[3].ID.IsZero())
	assert.Less(t, r.Spans[3].End, r.Spans[3].Start)
	ids := map[any]bool{}
	for i := range 3 {
		s := &r.Spans[i]
		ids[s.TraceID], ids[s.ID] = true, true
		assert.Equal(t, tracestate.MaxAdjustedCount-1, tracestate.Resolve(s.TraceID, tracestate.Parse("").Randomness))
	}
	assert.Len(t, ids, 6)
}
