package sli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// reader keeps samples as a TSDB does, earlier ones first, and takes exact differences: a value below the last one begins a new
// series. At random it refuses.
type reader struct {
	consumertest.Consumer
	t       *testing.T
	rng     *rand.Rand
	refuses float64 // the probability of a refusal
	last    map[string]point
	sum     map[string]int
}

func (*reader) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (r *reader) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	if r.rng.Float64() < r.refuses {
		return errors.New("busy")
	}
	points(md, func(series string, p point) {
		value, _, _ := strings.Cut(p.value, " ")
		var n, before int
		_, err := fmt.Sscan(value, &n)
		require.NoError(r.t, err)
		last, known := r.last[series]
		if known {
			require.True(r.t, p.at.After(last.at), "%s: %v after %v", series, p, last)
			_, err := fmt.Sscan(last.value, &before)
			require.NoError(r.t, err)
		}
		require.False(r.t, p.start.After(p.at), "%s: %v", series, p)
		require.Zero(r.t, p.at.UnixMilli()%10_000, "off the grid")
		if !known || n < before || p.start.After(last.start) {
			require.Zero(r.t, n, "%s begins with %v after %v", series, p, last)
			before = 0
		}
		r.sum[series] += n - before
		r.last[series] = point{p.start, p.at, value}
	})
	return nil
}

// TestDifferencesAddUp: whatever fails and whenever series expire and return, the differences between samples sum up to the
// counted events, and no sample is out of order.
func TestDifferencesAddUp(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := &reader{t: t, rng: rng, refuses: 0.3, last: map[string]point{}, sum: map[string]int{}}
		c := count.New(count.Limits{Services: 4, Operations: 3, Versions: 2, Reasons: 2}, shop()[:1], nil)
		f := newFlusher(c, r, pcommon.NewResource(), &Config{Interval: 10 * time.Second, Expiry: 5 * time.Minute}, midnight)
		at := midnight.UnixMilli()
		want := map[string]int{}
		for range 300 {
			var spans []slitest.Span
			for range rng.IntN(4) {
				s := slitest.Span{Service: fmt.Sprint("s", rng.IntN(5)), Name: fmt.Sprint("op", rng.IntN(4)), Version: fmt.Sprint("v", rng.IntN(3))}
				want["calls"]++
				if rng.IntN(2) == 0 {
					s.Status = ptrace.StatusCodeError
					s.Attributes = map[string]any{"error.type": fmt.Sprint("e", rng.IntN(4))}
					want["bad"]++
				}
				spans = append(spans, s)
			}
			c.Count(slitest.Request(t, slitest.Traces(t, spans...)), count.RequestID{}, 0)
			at += 10_000
			if rng.IntN(20) == 0 {
				at += 10_000 * rng.Int64N(40) // the machine was suspended
			}
			_, err := f.flush(context.Background(), at)
			if err != nil {
				require.EqualError(t, err, "hand counts to the metrics pipeline: busy")
			}
		}
		r.refuses = 0
		_, err := f.flush(context.Background(), at+10_000)
		require.NoError(t, err)

		got := map[string]int{}
		for series, n := range r.sum {
			switch name, _, _ := strings.Cut(series, "{"); name {
			case metricCalls:
				got["calls"] += n
			case metricDuration:
				got["durations"] += n
			case metricEvents:
				got["total"] += n
			case metricBadEvents:
				got["bad"] += n
			}
		}
		want["total"], want["durations"] = want["calls"], want["calls"]
		require.Equal(t, want, got, "seed %d", seed)
	}
}
