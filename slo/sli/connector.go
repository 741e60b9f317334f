package sli

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
)

// Connector is what the two components of one `sli` share, and what other components are shown of it. Its exported
// methods may be called concurrently.
type Connector struct {
	id        component.ID
	cfg       *Config
	set       component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	// metrics and passesOn say which of the two components exist. They are set before any of them starts.
	metrics  consumer.Metrics
	passesOn bool
	forget   func()

	startOnce, stopOnce sync.Once
	startErr            error
	host                component.Host
	// counter is nil where there is no metrics pipeline to tell: then nothing is counted.
	counter *count.Counter
	failure atomic.Pointer[error]      // of the last flush
	told    [count.NumLabels]sync.Once // the overflow of a label was logged
}

func newConnector(set connector.Settings, cfg *Config) (*Connector, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &Connector{id: set.ID, cfg: cfg, set: set.TelemetrySettings, telemetry: telemetry}, nil
}

// start is called by each of the components, and does its work for the first.
func (c *Connector) start(h component.Host) error {
	c.startOnce.Do(func() { c.startErr = c.open(h) })
	return c.startErr
}

func (c *Connector) open(h component.Host) error {
	if c.metrics == nil {
		c.set.Logger.Warn("Spans pass uncounted: name this connector under receivers of a metrics pipeline",
			zap.Stringer("connector", c.id))
	} else {
		var objectives []slo.Objective
		source, ok, err := host.Find[slo.ObjectiveSource](h)
		if err != nil {
			return fmt.Errorf("find the objectives: %w", err)
		}
		if ok {
			objectives = source.Objectives()
		}
		c.counter = count.New(c.cfg.Limits.count(), objectives)
	}
	c.host = h
	host.Announce(h, c.id, c)
	return nil
}

// stop is called by each of the components, and does its work for the first.
func (c *Connector) stop() {
	c.stopOnce.Do(func() {
		if c.host != nil {
			host.Retract(c.host, c.id, c)
		}
		c.telemetry.Shutdown()
		c.forget()
	})
}

// Probe tells whether the numbers get to where they are kept. Spans are taken in any case.
func (c *Connector) Probe(context.Context) host.Health {
	switch err := c.failure.Load(); {
	case c.metrics == nil:
		return host.Health{Message: "nothing is counted: name " + c.id.String() + " under receivers of a metrics pipeline"}
	case err != nil:
		return host.Health{Message: "counts are kept but do not get out: " + (*err).Error()}
	default:
		return host.Health{OK: true, Message: "counts every accepted span"}
	}
}

// count counts the spans of an accepted request.
func (c *Connector) count(ctx context.Context, r *wire.Request) {
	n := c.counter.Count(r)
	c.telemetry.SliSpans.Add(ctx, n.Spans)
	for l, spans := range n.Overflow {
		if spans > 0 {
			c.overflowed(ctx, count.Label(l), spans)
		}
	}
}

// labelNames has what telemetry calls the label, and the key of its limit.
var labelNames = [count.NumLabels]struct{ label, key string }{
	count.ServiceName:    {"service_name", "services"},
	count.SpanName:       {"span_name", "operations"},
	count.ServiceVersion: {"service_version", "versions"},
	count.Reason:         {"reason", "reasons"},
}

func (c *Connector) overflowed(ctx context.Context, l count.Label, spans int64) {
	c.telemetry.SliOverflowSpans.Add(ctx, spans, metric.WithAttributeSet(attribute.NewSet(attribute.String("label", labelNames[l].label))))
	c.told[l].Do(func() {
		c.set.Logger.Warn("More values of a label than its limit: spans with further ones are counted under "+count.Other+
			". Raise the limit, or make the label vary less, such as by leaving IDs out of span names",
			zap.String("label", labelNames[l].label), zap.String("limit", "limits::"+labelNames[l].key))
	})
}
