package meaning

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// nameOf returns the name of the metric that a selector selects, empty if it may be several.
func nameOf(selector *parser.VectorSelector) string {
	if selector.Name != "" {
		return selector.Name
	}
	for _, m := range selector.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// units are the units that Prometheus' and OpenTelemetry's conventions put into the names of metrics and that are no number of
// something.
var units = []string{
	"seconds", "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "bytes", "kilobytes", "megabytes",
	"kibibytes", "mebibytes", "gibibytes", "bits", "ratio", "percent", "celsius", "joules", "watts", "volts", "amperes", "meters", "grams",
}

// unitOf returns the unit in which a metric counts by its name, empty if that may be events.
func unitOf(metric string) string {
	stem, ok := strings.CutSuffix(metric, "_total")
	if !ok {
		stem = strings.TrimSuffix(metric, "_sum")
	}
	if i := strings.LastIndexByte(stem, '_'); i >= 0 && slices.Contains(units, stem[i+1:]) {
		return stem[i+1:]
	}
	return ""
}

// countOf returns the name of the counter beside a metric that counts seconds or bytes.
func countOf(metric string) string {
	if stem, ok := strings.CutSuffix(metric, "_sum"); ok {
		return stem + "_count"
	}
	return "metric"
}

// isCounter reports whether a name is that of a counter by the conventions.
func isCounter(metric string) bool {
	for _, suffix := range []string{"_total", "_count", "_bucket", "_sum"} {
		if strings.HasSuffix(metric, suffix) {
			return true
		}
	}
	return false
}

var wordRE = regexp.MustCompile(`[a-z]+`)

// operations returns the words of a recording rule's operations: those behind the last colon, as level:metric:operations has them.
func operations(metric string) []string {
	i := strings.LastIndexByte(metric, ':')
	if i < 0 {
		return nil
	}
	return wordRE.FindAllString(strings.ToLower(metric[i+1:]), -1)
}

// isShare reports whether a metric is a recording rule of rates or ratios.
func isShare(metric string) bool {
	return slices.ContainsFunc(operations(metric), func(word string) bool {
		return slices.Contains([]string{"rate", "irate", "ratio", "burnrate", "avg", "mean", "quantile", "percent"}, word)
	})
}

// noCounter says why a recording rule holds no counter, empty if it may.
func noCounter(metric string) string {
	words := operations(metric)
	switch {
	case isShare(metric):
		return "is the increase of recorded rates or ratios"
	case slices.Contains(words, "increase"):
		return "is the increase of recorded increases"
	case slices.Contains(words, "sum"):
		return "is the increase of a recorded sum, in which a counter that begins anew looks like all of them"
	}
	return ""
}

// isOneBound reports whether a matcher selects one bucket, in one or several spellings of its bound: "1" and "1.0".
func isOneBound(m *labels.Matcher) bool {
	switch m.Type {
	case labels.MatchEqual:
		return m.Value != ""
	case labels.MatchRegexp:
		var bounds []float64
		for text := range strings.SplitSeq(strings.Trim(m.Value, "()"), "|") {
			bound, err := strconv.ParseFloat(strings.ReplaceAll(text, `\.`, "."), 64)
			if err != nil {
				return false
			}
			bounds = append(bounds, bound)
		}
		return slices.Min(bounds) == slices.Max(bounds)
	default:
		return false
	}
}
