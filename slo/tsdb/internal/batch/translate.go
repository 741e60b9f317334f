package batch

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Translate writes the metrics to the batch as Prometheus translates them: names with units and _total, dots as
// underscores, exponential histograms as native ones, target_info for the other resource attributes. It returns what
// was doubtful, and as a joined error what could not be translated, which hinders nothing else.
func Translate(
	ctx context.Context, md pmetric.Metrics, promote []string, lookback time.Duration, to *Batch,
) (warnings []string, untranslatable error) {
	annotations, err := prometheusremotewrite.NewPrometheusConverter(to).FromMetrics(ctx, md, prometheusremotewrite.Settings{
		AddMetricSuffixes: config.DefaultOTLPConfig.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:         !config.DefaultOTLPConfig.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: promote,
		}),
		LookbackDelta:                        lookback,
		LabelNameUnderscoreSanitization:      config.DefaultOTLPConfig.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: config.DefaultOTLPConfig.LabelNamePreserveMultipleUnderscores,
	})
	warnings, _ = annotations.AsStrings("", 0, 0)
	return warnings, err
}
