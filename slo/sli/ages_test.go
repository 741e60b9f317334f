package sli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/slowburn/slowburn/slo/sli/internal/metadatatest"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

const (
	eventsOfAge0 = "slowburn.sli.events{objective=everything,service.name=a,service.version=,span.name=ping}"
	eventsOfAge1 = "slowburn.sli.events{age=1,objective=everything,service.name=a,service.version=,span.name=ping}"
)

// pingAt is a span that ended at a time.
func pingAt(at time.Time) slitest.Span {
	s := ping
	s.Ended = at
	return s
}

// TestAgesOnTheGrid checks that the minute of a sample, less its age, is that in which the spans ended: at the end of a minute, and where
// spans are counted between the end of a minute and its flush.
func TestAgesOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t, shop()[0])
		send := func(ended time.Time) {
			require.NoError(t, p.consume(context.Background(), slitest.Traces(t, pingAt(ended))))
		}
		time.Sleep(59*time.Second + 500*time.Millisecond)
		send(time.Now())
		time.Sleep(800 * time.Millisecond) // 01:00.3
		send(midnight.Add(59 * time.Second))
		send(time.Now())
		time.Sleep(10 * time.Second)
		p.shutdown(t) // 01:10.3
		assert.Equal(t, []string{"00:00:50.000: 0", "00:01:00.000: 1", "00:01:10.000: 2", "00:01:10.300: 2"}, next.of(eventsOfAge0))
		assert.Equal(t, []string{"00:01:00.000: 0", "00:01:10.000: 1", "00:01:10.300: 1"}, next.of(eventsOfAge1))
	})
}

// TestFailedFlushIsSentWithItsTime checks that events keep their minute when the pipeline refuses for a while: what had its age already is
// sent with the time of the flush that failed, and the rest gets its age when the pipeline accepts again.
func TestFailedFlushIsSentWithItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		refuses    time.Duration
		age0, age1 []string
	}{
		"for two flushes": {23 * time.Second,
			[]string{"00:00:40.000: 0", "00:00:50.000: 1", "00:01:10.000: 2", "00:01:13.000: 2"},
			[]string{"00:01:00.000: 0", "00:01:10.000: 1", "00:01:13.000: 1"}},
		"for longer than samples may be late": {6*time.Minute + 13*time.Second,
			[]string{"00:00:40.000: 0", "00:07:00.000: 1", "00:07:03.000: 1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := new(refuser)
				p := newPair(t, nil, consumertest.NewNop(), next)
				p.start(t, shop()[0])
				time.Sleep(45 * time.Second)
				next.set(errors.New("busy"))
				send := func() {
					require.NoError(t, p.consume(context.Background(), slitest.Traces(t, pingAt(time.Now()))))
				}
				send() // 00:45, sent with 00:50
				time.Sleep(10 * time.Second)
				send() // 00:55
				time.Sleep(8 * time.Second)
				send() // 01:03
				time.Sleep(c.refuses - 18*time.Second)
				next.set(nil)
				time.Sleep(5 * time.Second)
				p.shutdown(t)
				assert.Equal(t, c.age0, next.of(eventsOfAge0))
				assert.Equal(t, c.age1, next.of(eventsOfAge1))
			})
		})
	}
}

// TestFutureSpans checks that spans that end in the future are counted by service, and have age 0.
func TestFutureSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		tel := componenttest.NewTelemetry()
		defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
		f := NewFactory()
		set := connectortest.NewNopSettings(f.Type())
		set.TelemetrySettings = tel.NewTelemetrySettings()
		cfg := f.CreateDefaultConfig().(*Config)
		cfg.Directory, cfg.Repeats.Window = t.TempDir(), 0
		c, err := f.CreateTracesToMetrics(context.Background(), set, cfg, next)
		require.NoError(t, err)
		require.NoError(t, c.Start(context.Background(), hostOf{shop()[:1]}))
		for _, ahead := range []time.Duration{0, 500 * time.Millisecond, 2 * time.Second, 3 * time.Hour} {
			require.NoError(t, c.ConsumeTraces(context.Background(), slitest.Traces(t, pingAt(time.Now().Add(ahead)))))
		}
		time.Sleep(10*time.Second + time.Millisecond)
		metadatatest.AssertEqualConnectorSliFutureSpans(t, tel, []metricdata.DataPoint[int64]{
			{Value: 2, Attributes: attribute.NewSet(attribute.String("service_name", "a"))}}, metricdatatest.IgnoreTimestamp())
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, "00:00:10.000: 4", next.of(eventsOfAge0)[1])
	})
}
