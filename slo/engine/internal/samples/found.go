package samples

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/spec"
)

// FoundSpans reports whether the database has a sample of the connector sli in the minutes from from up to, but not including,
// to. The database reads all of them and returns one number.
func FoundSpans(ctx context.Context, q Querier, from, to ledger.Minute) (bool, error) {
	return found(ctx, q, foundQuery(time.Duration(to-from)*time.Minute), to)
}

// foundQuery counts the series with a sample in a window, which like a Minute excludes its start.
func foundQuery(window time.Duration) string {
	return fmt.Sprintf(`count(present_over_time({__name__=~"%s|%s"}[%s]))`, TotalMetric, BadMetric, slo.FormatDuration(window))
}

// FoundPromQL reports whether one of the indicator's queries has a value over the minutes from from up to, but not including,
// to, and the resolution before them. If not, none of these minutes has a value.
func FoundPromQL(ctx context.Context, q Querier, in slo.Indicator, from, to ledger.Minute) (bool, error) {
	window := time.Duration(to-from)*time.Minute + in.Resolution
	if in.RatioQuery != "" {
		return foundRatio(ctx, q, in, window, to)
	}
	for _, query := range []string{in.TotalQuery, in.BadQuery} {
		if ok, err := found(ctx, q, spec.ExpandWindow(query, window), to); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func found(ctx context.Context, q Querier, expr string, to ledger.Minute) (bool, error) {
	v, err := q.Query(ctx, expr, (to - 1).End())
	if err != nil {
		return false, err
	}
	vector, ok := v.(model.Vector)
	return !ok || len(vector) > 0, nil
}
