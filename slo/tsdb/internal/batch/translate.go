package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Naming is how series are named and labelled.
type Naming struct {
	// Promote are the resource attributes that become labels of every series.
	Promote []string
	// Suffixes are added to names: the unit, and _total to counters.
	Suffixes bool
}

// Translate writes the metrics to the batch as Prometheus translates them: names with dots as
// underscores, and with units and _total where naming says so, exponential histograms as native ones, target_info for the other resource attributes. It returns what
// was doubtful, and as a joined error what could not be translated, which hinders nothing else.
//
// Prometheus makes a target_info for every half of the lookback between the points of a resource: of two points that are a
// month apart, ten thousand. Where the points are wide apart there is one for each resource, at the time of its newest point.
func Translate(
	ctx context.Context, md pmetric.Metrics, wide bool, naming Naming, lookback time.Duration, to *Batch,
) (warnings []string, untranslatable error) {
	warnings, untranslatable = translate(ctx, md, converterSettings(naming, lookback, wide), to)
	if wide {
		to.onlyInfo = true
		_, err := translate(ctx, newest(md), converterSettings(naming, lookback, false), to)
		to.onlyInfo = false
		untranslatable = errors.Join(untranslatable, err)
	}
	return warnings, untranslatable
}

func converterSettings(naming Naming, lookback time.Duration, withoutInfo bool) prometheusremotewrite.Settings {
	return prometheusremotewrite.Settings{
		AddMetricSuffixes: naming.Suffixes,
		AllowUTF8:         !config.DefaultOTLPConfig.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: naming.Promote,
		}),
		DisableTargetInfo:                    withoutInfo,
		LookbackDelta:                        lookback,
		LabelNameUnderscoreSanitization:      config.DefaultOTLPConfig.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: config.DefaultOTLPConfig.LabelNamePreserveMultipleUnderscores,
	}
}

// translate is the work of Prometheus' code, whose panics end the request.
func translate(
	ctx context.Context, md pmetric.Metrics, settings prometheusremotewrite.Settings, to *Batch,
) (warnings []string, untranslatable error) {
	defer func() {
		if p := recover(); p != nil {
			untranslatable = fmt.Errorf("translation panicked: %v", p)
		}
	}()
	annotations, err := prometheusremotewrite.NewPrometheusConverter(to).FromMetrics(ctx, md, settings)
	const most = 10
	warnings, _ = annotations.AsStrings("", most, most)
	return warnings, err
}

// newest returns the resources of metrics, each with one point at the time of its newest.
func newest(md pmetric.Metrics) pmetric.Metrics {
	all := pmetric.NewMetrics()
	for _, rm := range md.ResourceMetrics().All() {
		at := pcommon.Timestamp(0)
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				at = max(at, newestOf(m))
			}
		}
		if at == 0 {
			continue
		}
		of := all.ResourceMetrics().AppendEmpty()
		rm.Resource().CopyTo(of.Resource())
		m := of.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("newest")
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(at)
	}
	return all
}

func newestOf(m pmetric.Metric) (at pcommon.Timestamp) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return newestIn(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return newestIn(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		return newestIn(m.Histogram().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		return newestIn(m.ExponentialHistogram().DataPoints())
	case pmetric.MetricTypeSummary:
		return newestIn(m.Summary().DataPoints())
	default:
		return 0
	}
}

func newestIn[P interface{ Timestamp() pcommon.Timestamp }](points interface {
	Len() int
	At(i int) P
}) (at pcommon.Timestamp) {
	for i := range points.Len() {
		at = max(at, points.At(i).Timestamp())
	}
	return at
}
