package samples

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/spec"
)

// roundingAllowed is how far a ratio may be outside of 0 to 1 by the rounding of a division.
const roundingAllowed = 1e-6

// readRatio counts the minutes from from up to, but not including, to, each as slo.MinuteParts parts, of which the error ratio is bad.
// A minute without a value, as of 0/0, is not measured. Nor is one whose value is no ratio, or that has several: if the last minute
// with a value is such a one, the counts have a Problem.
func readRatio(ctx context.Context, q Querier, in slo.Indicator, from, to ledger.Minute) (*Counts, error) {
	values := make([][]float64, to-from)
	histogram := false
	err := eachSample(ctx, q, spec.ExpandWindow(in.RatioQuery, in.Resolution), from, to, func(m ledger.Minute, _ model.Metric, v model.SampleValue) {
		if m >= from && m < to && !math.IsNaN(float64(v)) {
			values[m-from] = append(values[m-from], float64(v))
		}
	}, func(ledger.Minute) { histogram = true })
	if err == nil && histogram {
		err = errors.New("gives a histogram; write what gives one number from 0 to 1")
	}
	if err != nil {
		return nil, fmt.Errorf("promql::error_ratio: %w", err)
	}
	c := newCounts(from, to)
	for i, list := range values {
		if len(list) == 0 {
			continue
		}
		v := list[0]
		switch {
		case len(list) > 1:
			c.Problem = fmt.Sprintf("gives %d series, of which one alone can be the ratio; write sum(bad) / sum(total), or avg or max of the ratios", len(list))
		case !(v >= -roundingAllowed && v <= 1+roundingAllowed):
			c.Problem = fmt.Sprintf("gives %v, which is no ratio from 0 to 1; divide bad by total events, or a percentage by 100", v)
		default:
			c.Problem = ""
			c.Deltas[i] = ledger.Delta{Total: slo.MinuteParts, Bad: slo.MinuteParts * min(max(v, 0), 1)}
			c.Measured[i] = true
			continue
		}
		c.Problem = fmt.Sprintf("At %s the query promql::error_ratio %s. Such minutes are not counted.", (from + ledger.Minute(i)).End().Format(time.RFC3339), c.Problem)
	}
	return c, nil
}

// foundRatio reports whether the indicator's ratio has a value in a window that ends with the minute before to. A query without
// {{.window}} is looked at each minute.
func foundRatio(ctx context.Context, q Querier, in slo.Indicator, window time.Duration, to ledger.Minute) (bool, error) {
	expr := spec.ExpandWindow(in.RatioQuery, window)
	if expr == in.RatioQuery {
		expr = fmt.Sprintf("count_over_time((%s)[%s:1m])", strings.TrimSpace(expr), slo.FormatDuration(window))
	}
	return found(ctx, q, expr, to)
}
