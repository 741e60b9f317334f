package count

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// sums holds the counts that no limit changes: calls and durations by kind and status, total and bad events by objective.
func sums(c *Counter) map[string]string {
	t := fold(c)
	weights := map[string]Weight{}
	add := func(key string, n Weight) {
		sum := weights[key]
		sum.add(n)
		weights[key] = sum
	}
	nanos := uint64(0)
	for _, s := range t.calls {
		add(s.Kind()+s.Status(), s.durations().weight())
		nanos += s.durations().sumLow
	}
	for _, s := range t.events {
		_, bad := s.Reason()
		add(fmt.Sprint(s.Objective(), bad), countOf(s))
	}
	all := map[string]string{"nanoseconds": fmt.Sprint(nanos)}
	for key, n := range weights {
		all[key] = fmt.Sprint(n)
	}
	return all
}

func seriesOf(c *Counter) int {
	t := fold(c)
	return callSeries*len(t.calls) + len(t.events) + t.older
}

// TestSeriesLimit checks that above the limit on all series no event is lost, that names in objectives keep their series, and
// that there are no series but the limit's, those that objectives name, and one Other per service.
func TestSeriesLimit(t *testing.T) {
	objectives := []slo.Objective{
		{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}},
		{Name: "server", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Kind: "server"}}},
		{Name: "attribute", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Attributes: map[string]string{"error.type": "e1"}}}},
		{Name: "pay", Indicator: slo.Indicator{Type: slo.Latency, Threshold: 1e9, Spans: slo.SpanSelector{Service: "s0", Operations: []string{"pay"}}}},
	}
	for _, limit := range []int{1, 100, 400} {
		rng := rand.New(rand.NewPCG(uint64(limit), 7))
		free := New(limits, objectives, nil)
		bounded := limits
		bounded.Series = limit
		c := New(bounded, objectives, nil)
		var overflow [NumLabels]int64
		spans := int64(0)
		for range 60 {
			made := mixed(rng, 100)
			for i := range made {
				made[i].Name = fmt.Sprint("op", rng.IntN(90))
				made[i].State = "" // fractions are carried series by series
				if rng.IntN(20) == 0 {
					made[i].Service, made[i].Name, made[i].Kind = "s0", "pay", ptrace.SpanKindServer
				}
			}
			r := slitest.Request(t, slitest.Traces(t, made...))
			free.Count(r, RequestID{}, 0)
			n := c.Count(r, RequestID{}, 0)
			spans += n.Spans
			for l, n := range n.Overflow {
				overflow[l] += n
			}
		}
		require.Equal(t, sums(free), sums(c), "limit %d", limit)
		assert.Positive(t, overflow[AllSeries])
		assert.Zero(t, overflow[SpanName], "it is not the limit of a label")
		// 4 services and Other: each has an operation Other with 18 kinds and statuses, and for each of 3 objectives and 3
		// versions (and Other) a total and the default bad events; pay is named.
		const others = 5 * (18*callSeries + 3*4*2)
		const named = 18*callSeries + 4*4*2
		assert.LessOrEqual(t, seriesOf(c), limit+others+named, "limit %d", limit)
		assert.Greater(t, seriesOf(free), 2*(limit+others+named), "the test shows something")
		pay := Weight{}
		for _, s := range eventsOf(c) {
			if _, bad := s.Reason(); s.Objective() == "pay" && !bad {
				assert.Equal(t, "pay", s.Operation())
				pay.add(countOf(s))
			}
		}
		n, _ := pay.Integer()
		assert.Positive(t, n)
		assert.Positive(t, spans)
	}
}

// TestSlotsOfExpiredSeriesAreReused: the slots of expired series are reused.
func TestSlotsOfExpiredSeriesAreReused(t *testing.T) {
	bounded := limits
	bounded.Series = 10
	c := New(bounded, nil, nil)
	one := func(name string) Result {
		return c.Count(slitest.Request(t, slitest.Traces(t, slitest.Span{Service: "s", Name: name})), RequestID{}, 0)
	}
	for i := range 5 {
		assert.Zero(t, one(fmt.Sprint(i)).Overflow)
	}
	assert.EqualValues(t, 1, one("5").Overflow[AllSeries])
	assert.Zero(t, one("4").Overflow, "what has a series keeps it")
	_, _, _ = readAll(c, 1, 0)
	_, _, forgotten := readAll(c, 100, 50)
	assert.Equal(t, 6, forgotten)
	assert.Zero(t, one("7").Overflow)
}
