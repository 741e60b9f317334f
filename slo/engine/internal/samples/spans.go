package samples

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// The metrics of the connector sli, as Prometheus names them.
const (
	TotalMetric = "slowburn_sli_events_total"
	BadMetric   = "slowburn_sli_bad_events_total"
)

const (
	// lookback is how far before the watermark samples are read again: for late samples, and for the base value of a series
	// without a cursor.
	lookback = 5 * time.Minute
	// cursorsKept is how long the cursor of a series without new samples is kept.
	cursorsKept = 7 * 24 * time.Hour
)

// Cursor is how far a series was read: the time of its last sample, in Unix ms, and its value.
type Cursor struct {
	At    int64
	Value float64
}

// Old reports whether the series ended so long ago that its cursor can be deleted.
func (c Cursor) Old(now time.Time) bool { return c.At < now.Add(-cursorsKept).UnixMilli() }

// Cursors holds the cursors of all series of the connector sli.
type Cursors map[model.Fingerprint]Cursor

// Newest returns the time of the newest sample that was read, in Unix ms; 0 if none was.
func (cs Cursors) Newest() (at int64) {
	for _, c := range cs {
		at = max(at, c.At)
	}
	return at
}

// querySpans returns the samples of the minutes from from up to, but not including, to, and of the duration before.
func querySpans(ctx context.Context, q Querier, from, to ledger.Minute, before time.Duration) (model.Matrix, error) {
	v, err := q.Query(ctx, spanQuery(time.Duration(to-from)*time.Minute+before), (to - 1).End())
	if err != nil {
		return nil, err
	}
	matrix, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("the time series database answered with a %s to a query for samples", v.Type())
	}
	return matrix, nil
}

// spanQuery selects the samples of a window, which like a Minute excludes its start.
func spanQuery(window time.Duration) string {
	return fmt.Sprintf(`{__name__=~"%s|%s"}[%s]`, TotalMetric, BadMetric, slo.FormatDuration(window))
}

// EachMark separates, in the names that ReadSpans gives, an objective for each service from the service.
const EachMark = "\x00"

// ReadSpans counts the events of the minutes from from up to, but not including, to, per objective; per objective and service for those
// in each. It also returns the cursors
// that moved; the caller adopts them once the counts are stored.
//
// A new series without a zero in the lookback is searched for one further back, by births minutes: it may have been born while
// its samples could not be written, and all of them were written later. births must not reach back beyond the first minute of
// the ledger, which does not count what came before. No query of the search reads more minutes than one that reads batch of them.
//
// Events belong to the minute in which their spans ended, for up to window minutes before they arrived; older ones are late.
func ReadSpans(ctx context.Context, q Querier, known Cursors, from, to, births, batch, window ledger.Minute,
	each ...string) (map[string]*Counts, Cursors, error) {
	matrix, err := querySpans(ctx, q, from, to, lookback)
	if err != nil {
		return nil, nil, err
	}
	if err := findBirths(ctx, q, known, matrix, from, births, batch); err != nil {
		return nil, nil, err
	}
	counts := map[string]*Counts{}
	moved := Cursors{}
	beats := map[string][][]model.SamplePair{}
	for _, series := range matrix {
		name := string(series.Metric["objective"])
		if slices.Contains(each, name) {
			name += EachMark + string(series.Metric["service_name"])
		}
		c := counts[name]
		if c == nil {
			c = newCounts(from, to)
			counts[name] = c
		}
		if series.Metric[heartbeatLabel] != "" {
			beats[name] = append(beats[name], series.Values)
		}
		for _, s := range series.Values {
			c.measure(ledger.MinuteOf(s.Timestamp.Time()), from)
		}
		bad := series.Metric[model.MetricNameLabel] == BadMetric
		age, late := ageOf(series.Metric)
		id := series.Metric.Fingerprint()
		cursor, seen := known[id]
		part := partOf(series.Metric)
		if countSeries(&cursor, seen, series.Values, to, func(m ledger.Minute, n float64) {
			c.measure(max(m, from), from)
			c.part(part, c.add(m, from, age, window, late, bad, n), bad, n)
		}) {
			moved[id] = cursor
		}
	}
	for name, all := range beats {
		counts[name].Counting = countingOf(all, from, to)
	}
	return counts, moved, nil
}

// findBirths adds the earlier samples of new series that do not begin with a zero, if those do. It searches from the latest
// minutes back, until all have their zero.
func findBirths(ctx context.Context, q Querier, known Cursors, matrix model.Matrix, from, births, batch ledger.Minute) error {
	late := map[model.Fingerprint]*model.SampleStream{}
	for _, series := range matrix {
		id := series.Metric.Fingerprint()
		if _, seen := known[id]; !seen && len(series.Values) > 0 && series.Values[0].Value != 0 {
			late[id] = series
		}
	}
	earlier := map[model.Fingerprint][]model.SamplePair{}
	back := ledger.Minutes(lookback)
	for oldest, end := from-births, from-back; end > oldest && len(late) > 0; end -= batch + back {
		longer, err := querySpans(ctx, q, max(oldest, end-batch-back), end, 0)
		if err != nil {
			return err
		}
		for _, series := range longer {
			id := series.Metric.Fingerprint()
			s := late[id]
			if s == nil || len(series.Values) == 0 {
				continue
			}
			earlier[id] = slices.Concat(series.Values, earlier[id])
			if series.Values[0].Value == 0 {
				s.Values = slices.Concat(earlier[id], s.Values)
				delete(late, id)
			}
		}
	}
	return nil
}

// countSeries walks the samples behind the cursor, adds each increment to its minute, and reports whether the cursor moved.
// Minutes may be before those that are read.
func countSeries(c *Cursor, seen bool, samples []model.SamplePair, to ledger.Minute, add func(ledger.Minute, float64)) bool {
	moved := false
	for _, s := range samples {
		at, value := int64(s.Timestamp), float64(s.Value)
		if seen && at <= c.At || math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		m := ledger.MinuteOf(s.Timestamp.Time())
		if m >= to {
			break
		}
		if seen {
			step := value - c.Value
			if step < 0 { // the counter was reset to zero
				step = value
			}
			add(m, step)
		}
		*c, seen, moved = Cursor{at, value}, true, true
	}
	return moved
}
