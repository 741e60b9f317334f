//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/api"
)

// A request of 17 seconds is kept as slow with the shipped waits. Its child ends and is sent at once, its root when it ends: the trace
// without a root waits, and is decided two seconds after the root came.
func TestSlowRequestIsKept(t *testing.T) {
	const took = 17 * time.Second
	clock := newTestClock(t, `{"rate": 20}`)
	g := startProgram(t, buildWithTestClock(t), []string{clock.env()})
	client := g.client(t)
	begin := time.Now().Add(-took)
	id := newTraffic(7).id()
	span := func(service string, spanID, parent pcommon.SpanID, duration time.Duration) ptrace.Traces {
		td := ptrace.NewTraces()
		s := newScope(td, service).AppendEmpty()
		s.SetTraceID(id)
		s.SetSpanID(spanID)
		s.SetParentSpanID(parent)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(begin.Add(duration)))
		return td
	}
	rootID := pcommon.SpanID{1}
	send(t, client, span("cart", pcommon.SpanID{2}, rootID, 5*time.Millisecond))
	var status api.SamplingStatus
	require.Eventually(t, func() bool {
		g.get(t, "/api/sampling/v1/status", &status)
		return status.TracesPending == 0 || status.OldestUndecidedSeconds >= took.Seconds()
	}, patience, 10*time.Millisecond)
	require.EqualValues(t, 1, status.TracesPending, "the trace waits for its root")
	send(t, client, span("frontend", rootID, pcommon.SpanID{}, took))
	g.awaitSettled(t)

	received := g.backend.spans(t)
	assert.Equal(t, 2, received.SpanCount())
	assert.Equal(t, map[pcommon.TraceID]string{id: "slow"}, mark(t, received, "tailsampling.policy"))
	var decision api.Decision
	g.get(t, "/api/sampling/v1/decisions/"+id.String(), &decision)
	assert.Equal(t, "root_received", decision.Trigger)
	assert.Less(t, decision.DecidedAt.Sub(*decision.FirstSpanAt), time.Minute, "the trace is decided before decision_wait is over")
}
