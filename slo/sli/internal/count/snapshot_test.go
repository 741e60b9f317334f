package count

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// readAll does what a flush at the time does: it marks all series as emitted, and expires idle ones.
func readAll(c *Counter, at, since int64) (events []EventPoint, calls []CallPoint, forgotten int) {
	c.Age(at, at)
	events, expired := c.ReadEvents(nil, since)
	for _, p := range events {
		p.Age.ZeroEmitted = true
		p.Age.Seen(p.N, at)
	}
	points := make([]CallPoint, 3)
	for from := 0; ; {
		n := c.ReadCalls(points, from, since)
		if n == 0 {
			break
		}
		from += n
		for _, p := range points[:n] {
			if p.Expired {
				expired++
				continue
			}
			p.Series.ZeroEmitted = true
			p.Series.Seen(p.N, at)
			p.Duration.Buckets = append([]uint64{}, p.Duration.Buckets...)
			calls = append(calls, p)
		}
	}
	if expired > 0 {
		forgotten = c.Expire(since)
	}
	return events, calls, forgotten
}

func failing(service, version, name, reason string) slitest.Span {
	return slitest.Span{Service: service, Version: version, Name: name, Kind: ptrace.SpanKindServer, Duration: time.Second,
		Status: ptrace.StatusCodeError, Attributes: map[string]any{"error.type": reason}}
}

var anything = []slo.Objective{{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}}}

// TestExpiryFreesEverything checks that the tree is empty after the last series expired, and all slots are free again.
func TestExpiryFreesEverything(t *testing.T) {
	c := New(Limits{Services: 2, Operations: 2, Versions: 2, Reasons: 2}, anything, nil)
	for i := range 5 {
		n := fmt.Sprint(i)
		c.Count(slitest.Request(t, slitest.Traces(t, failing(n, n, n, n))), RequestID{}, 0)
	}
	require.Zero(t, c.tree.services.free)
	events, calls, _ := readAll(c, 10, 0)
	require.Len(t, events, 5*3, "of each span the total, the usual reason and its own")
	require.Len(t, calls, 5)
	_, _, forgotten := readAll(c, 20, 10)
	assert.Equal(t, len(events)+len(calls), forgotten)
	assert.Empty(t, c.tree.calls)
	assert.Empty(t, c.tree.events)
	assert.Zero(t, c.tree.services.len)
	assert.Equal(t, 2, c.tree.services.free)
}

// TestExpiryBySeries checks which series expire: a total stays while any of its reasons does, and a series that was not emitted stays.
func TestExpiryBySeries(t *testing.T) {
	c := New(limits, anything, nil)
	count := func(spans ...slitest.Span) { c.Count(slitest.Request(t, slitest.Traces(t, spans...)), RequestID{}, 0) }
	names := func(events []EventPoint) (list []string) {
		for _, p := range events {
			reason, bad := p.Series.Reason()
			if !bad {
				reason = "total"
			}
			n, _ := p.N.Integer()
			list = append(list, fmt.Sprint(p.Series.Objective(), " ", p.Series.Service(), " ", p.Series.Operation(), " ", p.Series.Version(), " ", reason, " ", n))
		}
		return list
	}
	count(failing("a", "1", "x", "r"), failing("a", "1", "x", "s"), slitest.Span{Service: "b", Name: "y"})
	events, calls, forgotten := readAll(c, 10, 0)
	assert.Equal(t, []string{"all a x 1 total 2", "all a x 1 error 0", "all a x 1 r 1", "all a x 1 s 1", "all b y  total 1", "all b y  error 0"}, names(events))
	require.Len(t, calls, 2)
	assert.Equal(t, []string{"a", "x", "SPAN_KIND_SERVER", "STATUS_CODE_ERROR"},
		[]string{calls[0].Series.Service(), calls[0].Series.Operation(), calls[0].Series.Kind(), calls[0].Series.Status()})
	assert.EqualValues(t, 2, calls[0].Duration.Count)
	assert.InDelta(t, 2, calls[0].Duration.Seconds(), 1e-9)
	assert.EqualValues(t, 1, calls[1].Duration.Zero)
	assert.Zero(t, forgotten)

	_, _, forgotten = readAll(c, 20, 9)
	assert.Zero(t, forgotten, "idle, but not for long enough")

	count(failing("a", "1", "x", "s"))
	events, calls, _ = readAll(c, 30, 9)
	assert.Len(t, events, 6)
	assert.Len(t, calls, 2)
	events, calls, forgotten = readAll(c, 40, 10)
	assert.Equal(t, []string{"all a x 1 total 3", "all a x 1 error 0", "all a x 1 s 2"}, names(events), "what changed at 30 keeps its total")
	assert.Len(t, calls, 1)
	assert.Equal(t, 1+2+1, forgotten, "a reason of a, the events of b, and the calls of b")
	assert.Nil(t, c.tree.services.get([]byte("b")))

	count(slitest.Span{Service: "b", Name: "y"}, failing("a", "1", "x", "r"))
	events, _, forgotten = readAll(c, 50, 10)
	assert.Equal(t, []string{"all a x 1 total 4", "all a x 1 error 0", "all a x 1 s 2", "all b y  total 1", "all b y  error 0", "all a x 1 r 1"},
		names(events), "what was forgotten begins anew")
	assert.Zero(t, forgotten)
	for range 2 { // an expired reason has left the tally, too
		events, _, _ = readAll(c, 60, 50)
	}
	assert.Empty(t, events)
	assert.Zero(t, c.tree.services.len)
	assert.Equal(t, limits.Services, c.tree.services.free)
}

// TestSeriesExpiresAfterItsZero checks that a series does not expire before its zero was accepted.
func TestSeriesExpiresAfterItsZero(t *testing.T) {
	c := New(limits, anything, nil)
	c.Count(slitest.Request(t, slitest.Traces(t, failing("a", "", "x", "r"))), RequestID{}, 0)
	assert.Zero(t, c.Expire(1<<62))
	assert.Len(t, c.tree.events, 3)
	assert.Len(t, c.tree.calls, 1)
}
