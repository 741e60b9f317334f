package sli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
	"github.com/slowburn/slowburn/slo/sli/internal/metadatatest"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

func repeating(t *testing.T) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = t.TempDir()
	return cfg
}

// TestRepeatedRequests: a repeat of an accepted request is acknowledged by either door, and neither counted nor passed on, for
// the whole window and across a restart.
func TestRepeatedRequests(t *testing.T) {
	for _, decoded := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg, next, sink := repeating(t), new(taker), new(consumertest.MetricsSink)
			td := slitest.Traces(t, ping, ping)
			r := slitest.Request(t, td)
			send := func(p pair) error {
				if decoded {
					return p.consume(t.Context(), td)
				}
				ctx := wire.NewContext(t.Context(), r)
				err := p.consume(ctx, ptrace.NewTraces())
				assert.Equal(t, err == nil, wire.Taken(ctx), "nobody sends it again, decoded")
				return err
			}
			p := newPairOf(t, cfg, next, sink)
			p.start(t)
			require.NoError(t, send(p))
			require.NoError(t, send(p))
			require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)), "another one")
			p.shutdown(t)
			assert.Equal(t, "3", values(sink.AllMetrics()...)[callsOfPing])

			p = newPairOf(t, cfg, next, sink)
			p.start(t)
			require.NoError(t, send(p))
			assert.Equal(t, 3, next.spans)
			time.Sleep(10*time.Minute + time.Second)
			require.NoError(t, send(p))
			assert.Equal(t, 5, next.spans, "so old a request is not remembered")
			p.shutdown(t)
			assert.Equal(t, "5", values(sink.AllMetrics()...)[callsOfPing])
		})
	}
}

// taker accepts spans by either door.
type taker struct {
	mu    sync.Mutex
	err   error
	spans int
	hold  chan struct{}
}

func (*taker) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *taker) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if n.hold != nil {
		<-n.hold
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return err
	}
	defer release()
	if n.err != nil {
		return n.err
	}
	n.spans += len(r.Spans)
	return nil
}

// TestPartlyAcceptedRequests: a request that was refused, temporarily or permanently, or that only one of several consumers accepted,
// is passed on when it is repeated, and is counted once it was accepted.
func TestPartlyAcceptedRequests(t *testing.T) {
	for name, refusal := range map[string]error{"for now": errors.New("busy"), "for good": consumererror.NewPermanent(errors.New("no"))} {
		t.Run(name, func(t *testing.T) {
			one, other, sink := new(taker), &taker{err: refusal}, new(consumertest.MetricsSink)
			p := newPairOf(t, repeating(t), fanOut{one, other}, sink)
			p.start(t)
			for range 3 {
				require.ErrorIs(t, p.consume(t.Context(), slitest.Traces(t, ping)), refusal)
			}
			other.err = nil
			require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)))
			require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)))
			assert.Equal(t, 1, other.spans)
			assert.Equal(t, 4, one.spans, "it is passed on to all, until all took it")
			p.shutdown(t)
			assert.Equal(t, "1", values(sink.AllMetrics()...)[callsOfPing])
		})
	}
}

// TestConcurrentRepeats: the second of two equal requests waits for the outcome of the first.
func TestConcurrentRepeats(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			next, sink := &taker{hold: make(chan struct{})}, new(consumertest.MetricsSink)
			if refused {
				next.err = errors.New("busy")
			}
			p := newPairOf(t, repeating(t), next, sink)
			p.start(t)
			answers := make(chan error, 2)
			for range 2 {
				go func() { answers <- p.consume(context.Background(), slitest.Traces(t, ping)) }()
			}
			synctest.Wait()
			close(next.hold)
			for range 2 {
				assert.Equal(t, refused, <-answers != nil)
			}
			p.shutdown(t)
			if refused {
				assert.Zero(t, next.spans)
			} else {
				assert.Equal(t, 1, next.spans)
				assert.Equal(t, "1", values(sink.AllMetrics()...)[callsOfPing])
			}
		})
	}
}

// TestRepeatsOfNumbersOnly: a connector that passes no spans on counts a repeat once, too, and warns of it.
func TestRepeatsOfNumbersOnly(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	sink := new(consumertest.MetricsSink)
	c, err := NewFactory().CreateTracesToMetrics(t.Context(), set, repeating(t), sink)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	for range 3 {
		require.NoError(t, c.ConsumeTraces(t.Context(), slitest.Traces(t, ping, ping)))
		require.NoError(t, c.ConsumeTraces(t.Context(), ptrace.NewTraces()), "no request of spans")
	}
	metadatatest.AssertEqualConnectorSliRepeatedRequests(t, tel, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorSliRepeatedSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 4}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorSliSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Equal(t, "2", values(sink.AllMetrics()...)[callsOfPing])
}

// TestNoPlaceForCounts: counting continues if counts cannot be stored, and health reports since when.
func TestNoPlaceForCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		cfg, sink := createDefaultConfig().(*Config), new(consumertest.MetricsSink)
		cfg.Directory = filepath.Join(file, "data")
		p := newPairOf(t, cfg, new(taker), sink)
		p.start(t)
		require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)))
		health := p.passing.(*passing).Probe(t.Context())
		assert.False(t, health.OK)
		assert.False(t, health.Blocking, "spans are taken")
		assert.Contains(t, health.Message, "counts since 2000-01-01 00:00 UTC would not survive a crash: cannot make the directory")
		require.NoError(t, os.Remove(file))
		time.Sleep(time.Minute)
		assert.True(t, p.passing.(*passing).Probe(t.Context()).OK)
		p.shutdown(t)
		assert.Equal(t, "1", values(sink.AllMetrics()...)[callsOfPing])
	})
}

// TestTwoProcesses: the second process on one directory does not start.
func TestTwoProcesses(t *testing.T) {
	cfg := repeating(t)
	p := newPairOf(t, cfg, new(taker), consumertest.NewNop())
	p.start(t)
	again := *cfg
	q := newPairOf(t, &again, new(taker), consumertest.NewNop())
	err := q.passing.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "directory: the counts of ")
	require.ErrorContains(t, err, "in use by another process (pid ")
	q.shutdown(t)
	p.shutdown(t)
}
