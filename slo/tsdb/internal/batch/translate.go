package batch

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
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
func Translate(
	ctx context.Context, md pmetric.Metrics, naming Naming, lookback time.Duration, to *Batch,
) (warnings []string, untranslatable error) {
	annotations, err := prometheusremotewrite.NewPrometheusConverter(to).FromMetrics(ctx, md, prometheusremotewrite.Settings{
		AddMetricSuffixes: naming.Suffixes,
		AllowUTF8:         !config.DefaultOTLPConfig.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: naming.Promote,
		}),
		LookbackDelta:                        lookback,
		LabelNameUnderscoreSanitization:      config.DefaultOTLPConfig.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: config.DefaultOTLPConfig.LabelNamePreserveMultipleUnderscores,
	})
	warnings, _ = annotations.AsStrings("", 0, 0)
	return warnings, err
}
