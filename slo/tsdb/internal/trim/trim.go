// Package trim takes series out of the write-ahead log of a time series database that is not open, those for which there is
// no room: a log that an earlier version wrote, or one with a larger limit, may name more series than memory has room for, and
// the database makes all of them when it opens. Its one function is Log.
package trim

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/slo/tsdb/internal/census"
)

// slack is how many times max_series a log may name: series stay in the log for a while after they left memory.
const slack = 3

// Log rewrites the log of the database in dir so that the series of others that it names have room in slack times a number of
// units, the first that came, and returns how many it took out. Their samples stay in the log, where the database passes over
// them. It takes the lock of the database; where that or the log is not fit to be read it does nothing, as the database says
// that itself when it is opened, and repairs what it can.
func Log(dir string, room int, logger *slog.Logger) (out int, err error) {
	wal := filepath.Join(dir, "wal")
	first, last, err := wlog.Segments(wal)
	if err != nil || first < 0 {
		return 0, nil //nolint:nilerr // there is none
	}
	lock, err := tsdbutil.NewDirLocker(dir, "trim", logger, nil)
	if err != nil {
		return 0, nil //nolint:nilerr // the database's to say
	}
	if err := lock.Lock(); err != nil {
		return 0, nil //nolint:nilerr // the database's to say
	}
	defer func() { err = errors.Join(err, lock.Release()) }()

	kept := choice{room: slack * room, hashes: map[uint64]struct{}{}, refs: map[chunks.HeadSeriesRef]struct{}{}}
	if err := kept.read(wal, first, last); err != nil || kept.out == 0 {
		return 0, nil //nolint:nilerr // the database repairs it
	}
	if err := rewrite(wal, first, last, &kept, logger); err != nil {
		return 0, fmt.Errorf("take series out of the log in %s: %w", wal, err)
	}
	return kept.out, nil
}

// choice selects the series that stay.
type choice struct {
	room   int
	units  int
	hashes map[uint64]struct{}               // of the labels of the foreign ones that stay
	refs   map[chunks.HeadSeriesRef]struct{} // of all that stay
	out    int
}

// read decides on each series of the log, in its order.
func (c *choice) read(wal string, first, last int) (err error) {
	var ranges []wlog.SegmentRange
	switch dir, index, err := wlog.LastCheckpoint(wal); {
	case err == nil:
		ranges = append(ranges, wlog.SegmentRange{Dir: dir, First: 0, Last: math.MaxInt32})
		first = index + 1
	case !errors.Is(err, record.ErrNotFound):
		return err
	}
	segments, err := wlog.NewSegmentsRangeReader(append(ranges, wlog.SegmentRange{Dir: wal, First: first, Last: last})...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, segments.Close()) }()
	decoder := record.NewDecoder(labels.NewSymbolTable(), slog.New(slog.DiscardHandler))
	var series []record.RefSeries
	r := wlog.NewReader(segments)
	for r.Next() {
		if decoder.Type(r.Record()) != record.Series {
			continue
		}
		if series, err = decoder.Series(r.Record(), series[:0]); err != nil {
			return err
		}
		for i := range series {
			c.decide(&series[i])
		}
	}
	return r.Err()
}

func (c *choice) decide(s *record.RefSeries) {
	if !isOwn(s.Labels.Get(model.MetricNameLabel)) {
		hash := s.Labels.Hash()
		if _, known := c.hashes[hash]; !known {
			units := census.Units(int(s.Labels.ByteSize()), 0)
			if c.units+units > c.room {
				c.out++
				return
			}
			c.units += units
			c.hashes[hash] = struct{}{}
		}
	}
	c.refs[s.Ref] = struct{}{}
}

// isOwn reports whether the gateway writes series of that name itself. Others may as well: they then stay too, which costs room
// until the head forgets them, and the gateway loses nothing.
func isOwn(name string) bool {
	return strings.HasPrefix(name, "slowburn_sli_") || strings.HasPrefix(name, "traces_span_metrics_")
}

// rewrite replaces the log by a checkpoint of the series that stay.
func rewrite(wal string, first, last int, kept *choice, logger *slog.Logger) (err error) {
	w, err := wlog.New(logger, nil, wal, compression.Snappy) // begins a segment behind last
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if _, index, err := wlog.LastCheckpoint(wal); err == nil {
		first = index + 1
	}
	keep := func(ref chunks.HeadSeriesRef) bool {
		_, ok := kept.refs[ref]
		return ok
	}
	failpoint.Before(failpoint.TSDBTrim)
	if _, err := wlog.Checkpoint(logger, w, first, last, keep, math.MinInt64, false); err != nil {
		return err
	}
	failpoint.After(failpoint.TSDBTrim)
	if err := w.Truncate(last + 1); err != nil {
		return err
	}
	return wlog.DeleteCheckpoints(wal, last)
}
