package count

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// marked counts spans at a minute, and returns the marks as "objective reason".
func marked(t *testing.T, c *Counter, minute int64, most int, spans ...slitest.Span) (marks []string) {
	t.Helper()
	r := slitest.Request(t, slitest.Traces(t, spans...))
	for _, m := range Marking(c, r, RequestID{}, minute*60_000+59_999, most).Marks {
		reason, bad := m.Series.Reason()
		require.True(t, bad)
		require.Equal(t, minute*60_000+59_999, m.At)
		found := false
		for _, s := range r.Spans {
			found = found || s.TraceID == m.Trace && s.ID == m.Span && s.End-s.Start == m.Duration
		}
		require.True(t, found, "the mark is of a span of the request")
		marks = append(marks, m.Series.Objective()+" "+reason)
	}
	return marks
}

// The first bad events of an objective and minute become marks: so many, of which a reason has a third.
func TestMarks(t *testing.T) {
	objectives := []slo.Objective{
		{Name: "ok", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "a"}}},
		{Name: "fast", Indicator: slo.Indicator{Type: slo.Latency, Spans: slo.SpanSelector{Service: "a"}, Threshold: time.Millisecond}},
	}
	c := New(limits, objectives, func(RequestID, int64) {})
	good := slitest.Span{Service: "a", Name: "x", Duration: time.Microsecond}
	slow := slitest.Span{Service: "a", Name: "x", Duration: time.Second}
	broken := func(reason string) slitest.Span {
		s := good
		s.Status, s.Attributes = ptrace.StatusCodeError, map[string]any{"error.type": reason}
		return s
	}
	require.Empty(t, marked(t, c, 1, 10, good, good))
	require.Empty(t, marked(t, c, 1, 0, slow, broken("r")), "no sampler keeps traces")
	require.Equal(t, []string{"fast latency", "ok r"}, marked(t, c, 1, 10, good, slow, good, broken("r")))
	for i := range 10 {
		require.Equal(t, i < 9, len(marked(t, c, 1, 10, slow)) == 1, "a latency objective has one reason, which gets all")
		marked(t, c, 1, 10, broken("r"))
	}
	require.Empty(t, marked(t, c, 1, 10, slow, broken("r")), "this minute has its exemplars of these reasons")
	var all []string
	for i := range 20 {
		all = append(all, marked(t, c, 1, 10, broken(fmt.Sprint(i)))...)
	}
	require.Equal(t, []string{"ok 0", "ok 1", "ok 2", "ok 3", "ok 4", "ok 5"}, all[:6])
	require.Len(t, all, 6, "10 of the objective, with those of r")
	require.Equal(t, []string{"fast latency", "ok r"}, marked(t, c, 2, 10, slow, broken("r")), "in the next minute there is room")
	require.Equal(t, []string(nil), marked(t, c, 2, 1, slow, broken("r")), "a smaller number counts those that are there")
}
