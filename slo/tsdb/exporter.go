package tsdb

import (
	"context"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/tsdb/internal/admit"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
)

// maxDeltaStreams bounds the memory of the running sums of delta metrics; points of further streams are dropped, and
// counted in otelcol_deltatocumulative_datapoints. Where max_series is small it is a quarter of that.
const maxDeltaStreams = 100_000

// store is the part of the extension that the exporter uses.
type store interface {
	// canStore returns why metrics cannot be appended, ever, or nil.
	canStore() error
	// maxSeries returns how many series of other senders there is room for.
	maxSeries() int
	// admit calls yield with the parts of the metrics that are within its limits.
	admit(ctx context.Context, md pmetric.Metrics, naming batch.Naming, yield func(admit.Part) error) error
	// append stores a part of metrics under names by naming. It returns an error if that could not be written.
	append(ctx context.Context, part admit.Part, naming batch.Naming) error
}

// metricsExporter appends metrics to the extension. It never changes the metrics that it is given.
type metricsExporter struct {
	config   *ExporterConfig
	settings exporter.Settings
	store    store
	// deltas turns delta metrics into cumulative ones, the only ones that the database has. It calls appendSums. It is nil before
	// the start.
	deltas processor.Metrics
}

func newExporter(ctx context.Context, settings exporter.Settings, config component.Config) (exporter.Metrics, error) {
	e := &metricsExporter{config: config.(*ExporterConfig), settings: settings}
	// Neither a queue nor retries nor a timeout: an append takes milliseconds, and its error goes back to the sender,
	// who has the metrics still.
	return exporterhelper.NewMetrics(ctx, settings, config, e.push,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: time.Duration(0)}),
	)
}

func (e *metricsExporter) start(ctx context.Context, h component.Host) error {
	found, err := host.Lookup[store](h, e.config.Extension)
	if err != nil {
		return err
	}
	if err := found.canStore(); err != nil {
		return fmt.Errorf("extension %q cannot serve here: %w", e.config.Extension, err)
	}
	e.store = found
	if e.deltas, err = e.newDeltas(ctx, min(maxDeltaStreams, found.maxSeries()/4)); err != nil {
		return err
	}
	return e.deltas.Start(ctx, h)
}

func (e *metricsExporter) newDeltas(ctx context.Context, streams int) (processor.Metrics, error) {
	sums, err := consumer.NewMetrics(e.appendSums)
	if err != nil {
		return nil, err
	}
	factory := deltatocumulativeprocessor.NewFactory()
	config := factory.CreateDefaultConfig().(*deltatocumulativeprocessor.Config)
	config.MaxStreams = streams
	return factory.CreateMetrics(ctx, processor.Settings{
		ID:                component.NewIDWithName(factory.Type(), e.settings.ID.String()),
		TelemetrySettings: e.settings.TelemetrySettings,
		BuildInfo:         e.settings.BuildInfo,
	}, config, sums)
}

func (e *metricsExporter) shutdown(ctx context.Context) error {
	if e.deltas == nil {
		return nil
	}
	return e.deltas.Shutdown(ctx)
}

func (e *metricsExporter) push(ctx context.Context, md pmetric.Metrics) error {
	summed := false
	err := e.store.admit(ctx, md, e.config.naming(), func(part admit.Part) error {
		if !hasDelta(part.Metrics) {
			return e.store.append(ctx, part, e.config.naming())
		}
		if !part.Own {
			mine := pmetric.NewMetrics()
			part.CopyTo(mine)
			part.Metrics = mine
		}
		summed = true
		return e.deltas.ConsumeMetrics(ctx, part.Metrics)
	})
	if err != nil && summed && !consumererror.IsPermanent(err) {
		return permanent(err)
	}
	return err
}

// appendSums stores metrics whose deltas are in the running sums already. Its error is permanent, as the same deltas
// must not be added again; the next point of each stream brings the sum.
func (e *metricsExporter) appendSums(ctx context.Context, md pmetric.Metrics) error {
	// A part of a request became these, so they are within the limits; where they were wide they may still be.
	if err := e.store.append(ctx, admit.Part{Metrics: md, Own: true, Wide: true}, e.config.naming()); err != nil {
		return permanent(err)
	}
	return nil
}

func permanent(err error) error {
	return consumererror.NewPermanent(fmt.Errorf("delta metrics were summed up but not stored; their next points bring the sums: %w", err))
}

func hasDelta(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if temporality(m) == pmetric.AggregationTemporalityDelta {
					return true
				}
			}
		}
	}
	return false
}

func temporality(m pmetric.Metric) pmetric.AggregationTemporality {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality()
	default: // gauges and summaries have none
		return pmetric.AggregationTemporalityUnspecified
	}
}
