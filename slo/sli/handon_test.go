package sli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
	"github.com/slowburn/slowburn/slo/sli/internal/metadatatest"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// stage stands for a sampler: it reads requests, and keeps their scans. A scan of decoded spans has bytes of its own, so requests
// with different bytes are different scans.
type stage struct {
	bytes []*byte
	names []string
}

func (*stage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *stage) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return err
	}
	defer release()
	n.bytes = append(n.bytes, &r.Bytes[0])
	for i := range r.Spans {
		n.names = append(n.names, string(r.Spans[i].Name.Of(r.Bytes)))
	}
	return nil
}

// blind stands for batch: it reads the spans, and not the context.
type blind struct{ names []string }

func (*blind) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *blind) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				n.names = append(n.names, s.Name())
			}
		}
	}
	return nil
}

// fanOut passes the same spans to all consumers.
type fanOut []consumer.Traces

func (fanOut) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (f fanOut) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	for _, next := range f {
		if err := next.ConsumeTraces(ctx, td); err != nil {
			return err
		}
	}
	return nil
}

func withWirePath(on bool) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Repeats.Window = 0
	cfg.WirePath = on
	return cfg
}

// TestOneScanPerRequest counts the scans of a request behind sli. On the wire path all consumers read the same one.
func TestOneScanPerRequest(t *testing.T) {
	for _, test := range []struct {
		wirePath, decoded bool
		scans             int
	}{
		{wirePath: true, decoded: true, scans: 1},
		{wirePath: true, decoded: false, scans: 1},
		{wirePath: false, decoded: true, scans: 3},
		{wirePath: false, decoded: false, scans: 1},
	} {
		t.Run(fmt.Sprintf("wire_path=%t,decoded=%t", test.wirePath, test.decoded), func(t *testing.T) {
			stages := []*stage{{}, {}, {}}
			sink := new(consumertest.MetricsSink)
			p := newPair(t, withWirePath(test.wirePath), fanOut{stages[0], stages[1], stages[2]}, sink)
			p.start(t)
			td := slitest.Traces(t, ping, ping)
			r := slitest.Request(t, td)
			if test.decoded {
				require.NoError(t, p.consume(t.Context(), td))
				assert.Equal(t, 2, td.SpanCount(), "the caller's spans stay")
			} else {
				require.NoError(t, p.consume(wire.NewContext(t.Context(), r), ptrace.NewTraces()))
			}
			scans := map[*byte]struct{}{}
			for _, stage := range stages {
				require.Equal(t, []string{"ping", "ping"}, stage.names)
				require.Len(t, stage.bytes, 1)
				scans[stage.bytes[0]] = struct{}{}
			}
			assert.Len(t, scans, test.scans)
			if !test.decoded {
				assert.Contains(t, scans, &r.Bytes[0], "the very request that came in")
			}
			p.shutdown(t)
			assert.Equal(t, "2", values(sink.AllMetrics()...)[callsOfPing])
		})
	}
}

// TestDecodedOffTheWirePath checks that off the wire path the next component, which may change the spans, gets them unchanged.
func TestDecodedOffTheWirePath(t *testing.T) {
	td := slitest.Traces(t, ping)
	last := new(stage)
	next, err := consumer.NewTraces(func(ctx context.Context, passed ptrace.Traces) error {
		assert.Equal(t, td, passed)
		_, ok := wire.FromContext(ctx)
		assert.False(t, ok, "what was scanned here would be stale")
		passed.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetName("changed")
		return last.ConsumeTraces(ctx, passed)
	}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
	require.NoError(t, err)
	p := newPair(t, withWirePath(false), next, consumertest.NewNop())
	p.start(t)
	require.NoError(t, p.consume(t.Context(), td))
	p.shutdown(t)
	assert.Equal(t, []string{"changed"}, last.names)
}

// TestNothingToHandOn checks that a request without spans is passed on unchanged.
func TestNothingToHandOn(t *testing.T) {
	calls := 0
	next, err := consumer.NewTraces(func(ctx context.Context, passed ptrace.Traces) error {
		calls++
		_, ok := wire.FromContext(ctx)
		assert.False(t, ok)
		return nil
	})
	require.NoError(t, err)
	p := newPair(t, withWirePath(true), next, consumertest.NewNop())
	p.start(t)
	require.NoError(t, p.consume(t.Context(), ptrace.NewTraces()))
	p.shutdown(t)
	assert.Equal(t, 1, calls)
}

// TestSpansThatNoConsumerTakes checks that spans that no consumer takes as wire bytes are passed on decoded, and counted once. Of a request of
// wire bytes the sender does that: it sends the spans again decoded.
func TestSpansThatNoConsumerTakes(t *testing.T) {
	for _, decoded := range []bool{true, false} {
		t.Run(fmt.Sprintf("decoded=%t", decoded), func(t *testing.T) {
			core, logs := observer.New(zapcore.ErrorLevel)
			tel := componenttest.NewTelemetry()
			set := connectortest.NewNopSettings(metadata.Type)
			set.TelemetrySettings = tel.NewTelemetrySettings()
			set.Logger = zap.New(core)
			f, cfg, next, sink := NewFactory(), withWirePath(true), new(blind), new(consumertest.MetricsSink)
			cfg.Directory = t.TempDir()
			emitting, err := f.CreateTracesToMetrics(t.Context(), set, cfg, sink)
			require.NoError(t, err)
			passing, err := f.CreateTracesToTraces(t.Context(), set, cfg, next)
			require.NoError(t, err)
			p := pair{set: set, passing: passing, emitting: emitting}
			p.start(t)
			for range 2 {
				td := slitest.Traces(t, ping)
				if !decoded {
					ctx := wire.NewContext(t.Context(), slitest.Request(t, td))
					require.NoError(t, p.consume(ctx, ptrace.NewTraces()))
					require.False(t, wire.Taken(ctx))
				}
				require.NoError(t, p.consume(t.Context(), td))
			}
			metadatatest.AssertEqualConnectorSliUntakenSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
			p.shutdown(t)
			assert.Equal(t, []string{"ping", "ping"}, next.names)
			assert.Equal(t, "2", values(sink.AllMetrics()...)[callsOfPing])
			require.Equal(t, 1, logs.Len(), "the second comes within a minute")
			assert.Contains(t, logs.All()[0].Message, "wire_path")
			require.NoError(t, tel.Shutdown(t.Context()))
		})
	}
}

// TestSpansThatNoConsumerTakesAreRefused checks that the answer is that of the component that took the decoded spans.
func TestSpansThatNoConsumerTakesAreRefused(t *testing.T) {
	full := errors.New("full")
	next, err := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error {
		if td.SpanCount() == 0 {
			return nil
		}
		return full
	})
	require.NoError(t, err)
	sink := new(consumertest.MetricsSink)
	p := newPair(t, withWirePath(true), next, sink)
	p.start(t)
	require.ErrorIs(t, p.consume(t.Context(), slitest.Traces(t, ping)), full)
	p.shutdown(t)
	assert.Empty(t, values(sink.AllMetrics()...))
}

// TestBehindASampler checks that kept traces for the exporters beside sli do not pass through it, and that decoded ones pass
// through it for all.
func TestBehindASampler(t *testing.T) {
	kept := &wire.Kept{To: "otlp_grpc"}
	ctx := wire.NewKeptContext(t.Context(), kept)
	for _, numbers := range []consumer.Metrics{nil, consumertest.NewNop()} {
		spans := 0
		next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
			assert.Nil(t, wire.KeptOf(ctx))
			spans += td.SpanCount()
			return nil
		})
		require.NoError(t, err)
		p := newPair(t, withWirePath(false), next, numbers)
		p.start(t)
		require.NoError(t, p.passing.ConsumeTraces(ctx, ptrace.NewTraces()))
		assert.Zero(t, spans)
		require.NoError(t, p.passing.ConsumeTraces(ctx, slitest.Traces(t, ping)))
		p.shutdown(t)
		assert.Equal(t, 1, spans)
		assert.False(t, kept.Taken())
	}
}
