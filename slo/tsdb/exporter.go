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
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
)

// maxDeltaStreams bounds the memory of the running sums of delta metrics; points of further streams are dropped, and
// counted in otelcol_deltatocumulative_datapoints.
const maxDeltaStreams = 100_000

// store is the extension as the exporter sees it.
type store interface {
	// canStore returns why metrics cannot be appended, ever, or nil.
	canStore() error
	// append stores the metrics, named so, and returns what hindered it.
	append(ctx context.Context, md pmetric.Metrics, naming batch.Naming) error
}

// metricsExporter appends metrics to the extension. It never changes the metrics that it is given.
type metricsExporter struct {
	config *ExporterConfig
	store  store
	// deltas turns delta metrics into cumulative ones, the only ones that the database has. It calls appendSums.
	deltas processor.Metrics
}

func newExporter(ctx context.Context, settings exporter.Settings, config component.Config) (exporter.Metrics, error) {
	e := &metricsExporter{config: config.(*ExporterConfig)}
	sums, err := consumer.NewMetrics(e.appendSums)
	if err != nil {
		return nil, err
	}
	factory := deltatocumulativeprocessor.NewFactory()
	deltaConfig := factory.CreateDefaultConfig().(*deltatocumulativeprocessor.Config)
	deltaConfig.MaxStreams = maxDeltaStreams
	e.deltas, err = factory.CreateMetrics(ctx, processor.Settings{
		ID:                component.NewIDWithName(factory.Type(), settings.ID.String()),
		TelemetrySettings: settings.TelemetrySettings,
		BuildInfo:         settings.BuildInfo,
	}, deltaConfig, sums)
	if err != nil {
		return nil, err
	}
	// Neither a queue nor retries nor a timeout: an append takes milliseconds, and its error goes back to the sender,
	// who has the metrics still.
	return exporterhelper.NewMetrics(ctx, settings, config, e.push,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.deltas.Shutdown),
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
	return e.deltas.Start(ctx, h)
}

func (e *metricsExporter) push(ctx context.Context, md pmetric.Metrics) error {
	if !hasDelta(md) {
		return e.store.append(ctx, md, e.config.naming())
	}
	own := pmetric.NewMetrics()
	md.CopyTo(own)
	return e.deltas.ConsumeMetrics(ctx, own)
}

// appendSums stores metrics whose deltas are in the running sums already. Its error is permanent, as the same deltas
// must not be added again; the next point of each stream brings the sum.
func (e *metricsExporter) appendSums(ctx context.Context, md pmetric.Metrics) error {
	if err := e.store.append(ctx, md, e.config.naming()); err != nil {
		return consumererror.NewPermanent(fmt.Errorf("delta metrics are summed up but not stored, their next points bring the sums: %w", err))
	}
	return nil
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
