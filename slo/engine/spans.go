package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	// The metrics of the connector sli, as Prometheus names them.
	totalMetric = "slowburn_sli_events_total"
	badMetric   = "slowburn_sli_bad_events_total"

	// lookback is how far before the watermark samples are read again: for the value that a series counts on from where
	// that is not known, and for samples that came late.
	lookback = 5 * time.Minute
	// cursorsKept is how long it is remembered how far a series was read, that has no more samples.
	cursorsKept = 7 * 24 * time.Hour
)

// cursor is how far a series was read: the time of its last sample, in Unix ms, and its value.
type cursor struct {
	at    int64
	value float64
}

// cursors are those of all series of the connector sli.
type cursors map[model.Fingerprint]cursor

// querySpans asks for the samples of the minutes from one up to, and not including, another, and of some time before.
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

// spanQuery selects the samples of a window. Like a Minute, it excludes its start.
func spanQuery(window time.Duration) string {
	return fmt.Sprintf(`{__name__=~"%s|%s"}[%s]`, totalMetric, badMetric, slo.FormatDuration(window))
}

// readSpans counts the events of the minutes from one up to, and not including, another, per objective. It returns how
// far each series was read, for the caller to take over once the counts are stored.
//
// A new series whose zero is not in the lookback is looked for further back, by births minutes: it may have been born
// while its samples could not be written, and they came together when they could.
func readSpans(ctx context.Context, q Querier, known cursors, from, to, births ledger.Minute) (map[string][]ledger.Delta, cursors, error) {
	matrix, err := querySpans(ctx, q, from, to, lookback)
	if err != nil {
		return nil, nil, err
	}
	if err := findBirths(ctx, q, known, matrix, from, to, births); err != nil {
		return nil, nil, err
	}
	counts := map[string][]ledger.Delta{}
	moved := cursors{}
	for _, series := range matrix {
		name := string(series.Metric["objective"])
		deltas := counts[name]
		if deltas == nil {
			deltas = make([]ledger.Delta, to-from)
			counts[name] = deltas
		}
		bad := series.Metric[model.MetricNameLabel] == badMetric
		id := series.Metric.Fingerprint()
		c, seen := known[id]
		if countSeries(&c, seen, series.Values, from, to, func(m ledger.Minute, n float64) {
			if bad {
				deltas[m-from].Bad += n
			} else {
				deltas[m-from].Total += n
			}
		}) {
			moved[id] = c
		}
	}
	return counts, moved, nil
}

// findBirths completes the series that are new and do not begin with a zero by their earlier samples, if those do. Where
// no series is known nothing is new: it is the ledger that is.
func findBirths(ctx context.Context, q Querier, known cursors, matrix model.Matrix, from, to, births ledger.Minute) error {
	late := map[model.Fingerprint]*model.SampleStream{}
	for _, series := range matrix {
		id := series.Metric.Fingerprint()
		if _, seen := known[id]; !seen && len(series.Values) > 0 && series.Values[0].Value != 0 {
			late[id] = series
		}
	}
	if len(late) == 0 || len(known) == 0 || births <= ledger.Minutes(lookback) {
		return nil
	}
	longer, err := querySpans(ctx, q, from, to, time.Duration(births)*time.Minute)
	if err != nil {
		return err
	}
	for _, series := range longer {
		if s := late[series.Metric.Fingerprint()]; s != nil && len(series.Values) > 0 && series.Values[0].Value == 0 {
			s.Values = series.Values
		}
	}
	return nil
}

// countSeries walks the samples behind the cursor, adds each step to its minute, and says whether the cursor moved.
// Steps into minutes before the first one come late and count in the first.
func countSeries(c *cursor, seen bool, samples []model.SamplePair, from, to ledger.Minute, add func(ledger.Minute, float64)) bool {
	moved := false
	for _, s := range samples {
		at, value := int64(s.Timestamp), float64(s.Value)
		if seen && at <= c.at || math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		m := ledger.MinuteOf(s.Timestamp.Time())
		if m >= to {
			break
		}
		if seen {
			step := value - c.value
			if step < 0 { // the counter started anew, at zero
				step = value
			}
			add(max(m, from), step)
		}
		*c, seen, moved = cursor{at, value}, true, true
	}
	return moved
}

// cursorsBucket keeps the cursors: fingerprint → Unix ms ‖ bits of the value, 8 bytes each, big endian.
const cursorsBucket = "span_cursors"

func loadCursors(tx *bbolt.Tx) (cursors, error) {
	known := cursors{}
	err := tx.Bucket([]byte(cursorsBucket)).ForEach(func(k, v []byte) error {
		if len(k) != 8 || len(v) != 16 {
			return fmt.Errorf("%w: the cursor of a series has %d and %d bytes", state.ErrCorrupt, len(k), len(v))
		}
		known[model.Fingerprint(binary.BigEndian.Uint64(k))] = cursor{
			at: int64(binary.BigEndian.Uint64(v)), value: math.Float64frombits(binary.BigEndian.Uint64(v[8:])),
		}
		return nil
	})
	return known, err
}

func (cs cursors) save(tx *bbolt.Tx) error {
	b := tx.Bucket([]byte(cursorsBucket))
	for id, c := range cs {
		v := binary.BigEndian.AppendUint64(nil, uint64(c.at))
		v = binary.BigEndian.AppendUint64(v, math.Float64bits(c.value))
		if err := b.Put(binary.BigEndian.AppendUint64(nil, uint64(id)), v); err != nil {
			return err
		}
	}
	return nil
}

// old says that a series ended long ago.
func (c cursor) old(now time.Time) bool { return c.at < now.Add(-cursorsKept).UnixMilli() }

// prune takes the old ones out of the file.
func (cs cursors) prune(tx *bbolt.Tx, now time.Time) error {
	b := tx.Bucket([]byte(cursorsBucket))
	for id, c := range cs {
		if !c.old(now) {
			continue
		}
		if err := b.Delete(binary.BigEndian.AppendUint64(nil, uint64(id))); err != nil {
			return err
		}
	}
	return nil
}
