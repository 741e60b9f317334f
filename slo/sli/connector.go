package sli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/keep"
	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
	"github.com/slowburn/slowburn/slo/sli/internal/place"
	"github.com/slowburn/slowburn/slo/sli/internal/repeats"
)

// Connector is the shared part of the two components of one `sli`, and what it announces to other components. Its exported
// methods may be called concurrently.
type Connector struct {
	id        component.ID
	cfg       *Config
	set       component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	// metrics and passesOn say which of the two components exist. They are set before either starts.
	metrics  consumer.Metrics
	passesOn bool
	forget   func()

	startOnce, stopOnce sync.Once
	startErr            error
	host                component.Host
	// keeper has the counter. It is nil without a metrics pipeline: then nothing is counted.
	keeper *keep.Keeper
	// window is nil if no repeats are recognized.
	window   *repeats.Window
	evidence evidence
	out      outlet
	warned   [count.NumLabels]sync.Once // logs the overflow of a label once
}

func newConnector(set connector.Settings, cfg *Config) (*Connector, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &Connector{id: set.ID, cfg: cfg, set: set.TelemetrySettings, telemetry: telemetry}, nil
}

// start opens the connector on its first call, by either component.
func (c *Connector) start(h component.Host) error {
	c.startOnce.Do(func() { c.startErr = c.open(h) })
	return c.startErr
}

func (c *Connector) open(h component.Host) error {
	if c.metrics == nil {
		c.set.Logger.Warn("spans pass uncounted: name this connector under receivers of a metrics pipeline")
	} else {
		var objectives []slo.Objective
		source, ok, err := host.Find[slo.ObjectiveSource](h)
		if err != nil {
			return fmt.Errorf("find the objectives: %w", err)
		}
		if ok {
			objectives = source.Objectives()
			c.out.heartbeats = heartbeats(objectives)
			c.out.evaluator, _ = source.(slo.Evaluator)
		}
		c.window = repeats.New(c.cfg.Repeats.Window, int64(c.cfg.Repeats.Memory))
		c.keeper, err = keep.Start(keep.Settings{
			Open:       func() (place.Place, error) { return place.Open(c.cfg.Directory, c.id.String()) },
			Limits:     c.cfg.Limits.count(),
			Objectives: objectives,
			Window:     c.window,
			Name:       func() string { return newName(c.set.Resource, c.id) },
			Logger:     c.set.Logger,
		})
		if err != nil {
			return fmt.Errorf("directory: %w", err)
		}
	}
	c.host = h
	host.Announce(h, c.id, c)
	return nil
}

// stop closes the connector on its first call, by either component.
func (c *Connector) stop() {
	c.stopOnce.Do(func() {
		if c.host != nil {
			host.Retract(c.host, c.id, c)
		}
		c.telemetry.Shutdown()
		c.forget()
	})
}

// Probe implements host.Prober: it reports whether counts survive a crash and are sent. Spans are accepted in any case.
func (c *Connector) Probe(context.Context) host.Health {
	if c.metrics == nil {
		return host.Health{Message: "nothing is counted: name " + c.id.String() + " under receivers of a metrics pipeline"}
	}
	var problems []string
	if v := c.Volatile(); v != "" {
		problems = append(problems, v)
	}
	if why := c.out.hindered(clock.Now()); why != "" {
		problems = append(problems, "counts are kept but not sent on: "+why)
	}
	if len(problems) > 0 {
		if l := c.Lost(); l != "" {
			problems = append(problems, l)
		}
		return host.Health{Message: strings.Join(problems, "; ")}
	}
	message := "counts every accepted span"
	if l := c.Lost(); l != "" {
		message += "; " + l
	}
	return host.Health{OK: true, Message: message}
}

// Volatile implements slo.Counts.
func (c *Connector) Volatile() string {
	if c.keeper == nil {
		return ""
	}
	v := c.keeper.Volatile()
	if v == nil {
		return ""
	}
	return fmt.Sprintf("counts since %s would not survive a crash: %s", minuteText(v.Since), v.Reason)
}

// Lost implements slo.Counts.
func (c *Connector) Lost() string {
	if c.keeper == nil {
		return ""
	}
	l := c.keeper.Loss()
	if l == nil {
		return ""
	}
	return fmt.Sprintf("counting began anew at %s; counts that no metrics database had by then are missing: %s", minuteText(l.At), l.Reason)
}

func minuteText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

var _ slo.Counts = (*Connector)(nil)

// once passes a request on and counts it if it was taken; a repeat is only acknowledged. pass reports whether the spans were
// taken; on an error they were not. offer is nil where no sampler follows.
func (c *Connector) once(ctx context.Context, r *wire.Request, offer *exemplars.Offer, pass func() (taken bool, err error)) error {
	var id count.RequestID
	if c.window != nil && len(r.Spans) > 0 {
		id = repeats.Of(r.Bytes)
		repeat, err := c.window.Begin(ctx, id, clock.Wall().UnixMilli())
		if err != nil {
			return err
		}
		if repeat {
			c.telemetry.ConnectorSliRepeatedRequests.Add(ctx, 1)
			c.telemetry.ConnectorSliRepeatedSpans.Add(ctx, int64(len(r.Spans)))
			wire.Take(ctx) // this is the answer for its spans
			return c.keeper.Await(ctx, c.keeper.Counter().Refused())
		}
		defer c.window.End(id)
	}
	taken, err := pass()
	if err != nil || !taken {
		return err
	}
	return c.count(ctx, r, id, offer.Keeper())
}

// count counts the spans of a taken request, and asks the sampler, which may be nil, to keep traces with bad events. An error means that they are counted, but ctx ended before they would survive a
// crash.
func (c *Connector) count(ctx context.Context, r *wire.Request, id count.RequestID, sampler exemplars.Keeper) error {
	marks := 0
	if sampler != nil {
		marks = sampler.PerMinute()
	}
	n := count.Marking(c.keeper.Counter(), r, id, clock.Wall().UnixMilli(), marks)
	if len(n.Marks) > 0 {
		c.evidence.add(sampler, n.Marks)
	}
	witness(r)
	c.telemetry.ConnectorSliSpans.Add(ctx, n.Spans)
	for l, spans := range n.Overflow {
		if spans > 0 {
			c.overflowed(ctx, count.Label(l), spans)
		}
	}
	return c.keeper.Await(ctx, n.Refused)
}

// labelNames maps a label to its name in telemetry and the key of its limit.
var labelNames = [count.NumLabels]struct{ label, key string }{
	count.ServiceName:    {"service_name", "services"},
	count.SpanName:       {"span_name", "operations"},
	count.ServiceVersion: {"service_version", "versions"},
	count.Reason:         {"reason", "reasons"},
	count.AllSeries:      {"series", "series"},
}

func (c *Connector) overflowed(ctx context.Context, l count.Label, spans int64) {
	c.telemetry.ConnectorSliOverflowSpans.Add(ctx, spans, metric.WithAttributeSet(attribute.NewSet(attribute.String("label", labelNames[l].label))))
	c.warned[l].Do(func() {
		c.set.Logger.Warn("limit of series or of values of a label exceeded: further ones are counted under "+count.Other+
			". Raise the limit, or make the label vary less, such as by leaving IDs out of span names",
			zap.String("label", labelNames[l].label), zap.String("limit", "limits::"+labelNames[l].key))
	})
}
