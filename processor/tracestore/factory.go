package tracestore

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
)

// NewFactory returns the factory of the exporter `trace_store`.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config {
			return &Config{Directory: "slowburn-data", Retention: 24 * time.Hour, MaxBytes: 1 << 30}
		},
		exporter.WithTraces(newTraces, metadata.TracesStability),
	)
}

func newTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	s, err := newStore(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	// The helper has no queue and no retries: the sender keeps the traces until they are on the disk, and retries.
	e, err := exporterhelper.NewTraces(ctx, set, cfg, s.consume,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithStart(s.start),
		exporterhelper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	counted, err := items.NewExporter(set.TelemetrySettings, set.ID)
	return doors{e, s, counted}, err
}

// doors is the exporter. Traces that come as bytes bypass the helper, which would count and log empty ones.
type doors struct {
	exporter.Traces // for decoded traces
	store           *store
	items           *items.Exporter // counts spans that come as bytes
}

func (d doors) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	k := wire.KeptOf(ctx)
	if k == nil || td.ResourceSpans().Len() > 0 {
		return d.Traces.ConsumeTraces(ctx, td)
	}
	if !k.For(d.store.id.String()) {
		return nil
	}
	spans := items.Waiting(k)
	if err := d.store.consume(ctx, td); err != nil {
		d.items.Failed(ctx, spans)
		return err
	}
	d.items.Sent(ctx, spans)
	return nil
}
