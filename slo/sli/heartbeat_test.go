package sli

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// TestHeartbeat checks that an objective of throughput has a sample at each flush that was accepted, without spans, with spans, and
// after the series of its events ended; and that no span is bad for it.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		cfg := createDefaultConfig().(*Config)
		cfg.Interval, cfg.Expiry = 30*time.Second, 5*time.Minute
		p := newPair(t, cfg, consumertest.NewNop(), next)
		p.start(t, slo.Objective{Name: "rate", Indicator: slo.Indicator{Type: slo.Throughput, Minimum: 1}},
			slo.Objective{Name: "errors", Indicator: slo.Indicator{Type: slo.Availability}})
		time.Sleep(70 * time.Second)
		synctest.Wait()
		const beat, other = "slowburn.sli.events{heartbeat=true,objective=rate}", "slowburn.sli.events{heartbeat=true,objective=errors}"
		assert.Equal(t, []string{"00:00:30.000: 0", "00:01:00.000: 0"}, next.of(beat))
		assert.Empty(t, next.of(other))

		require.NoError(t, p.consume(t.Context(), slitest.Traces(t,
			slitest.Span{Service: "a", Name: "ping", Status: ptrace.StatusCodeError, Duration: time.Hour})))
		next.set(errors.New("full"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		next.set(nil)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"00:00:30.000: 0", "00:01:00.000: 0", "00:02:00.000: 0"}, next.of(beat), "none says that refused counts were sent")
		const events = "slowburn.sli.events{objective=rate,service.name=a,service.version=,span.name=ping}"
		assert.Contains(t, next.of(events), "00:02:00.000: 1")

		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.NotContains(t, next.of(events), "00:12:00.000: 1", "it expired")
		assert.Contains(t, next.of(beat), "00:12:00.000: 0")
		for _, v := range next.of("slowburn.sli.bad_events{objective=rate,reason=latency,service.name=a,service.version=,span.name=ping}") {
			assert.Regexp(t, ": 0$", v)
		}
		assert.Contains(t, next.of("slowburn.sli.bad_events{objective=errors,reason=error,service.name=a,service.version=,span.name=ping}"), "00:02:00.000: 1")
		p.shutdown(t)
	})
}
