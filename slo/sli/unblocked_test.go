package sli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// hanging is a metrics pipeline that blocks until it is released, and then refuses.
type hanging struct {
	calls chan struct{}
	let   chan struct{}
}

func (*hanging) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (h *hanging) ConsumeMetrics(ctx context.Context, _ pmetric.Metrics) error {
	select {
	case h.calls <- struct{}{}:
	default:
	}
	select {
	case <-h.let:
		return errors.New("try again")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestMetricsNeverDelaySpans is law 7: a metrics pipeline that hangs or refuses does not delay spans.
func TestMetricsNeverDelaySpans(t *testing.T) {
	for name, let := range map[string]bool{"hanging": false, "refusing": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				metrics := &hanging{calls: make(chan struct{}, 1), let: make(chan struct{})}
				if let {
					close(metrics.let)
				}
				next := new(consumertest.TracesSink)
				p := newPair(t, nil, next, metrics)
				p.start(t)
				require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
				time.Sleep(time.Minute)
				<-metrics.calls // a flush has begun
				before := time.Now()
				for range 100 {
					require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
				}
				assert.Equal(t, before, time.Now(), "no span waited")
				assert.Equal(t, 101, next.SpanCount())

				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				require.NoError(t, p.passing.Shutdown(ctx))
				require.ErrorContains(t, p.emitting.Shutdown(ctx), "counts since the last flush are sent after the next start")
			})
		})
	}
}
