// Package cancelable makes reading a storage end when the context of its selection does. PromQL's engine looks at the context once per
// series, and one series can take minutes where a range of weeks is sorted at each of thousands of steps. The only type that others
// see is Queryable, which has no state; what it returns is for one goroutine, as storage's iterators are.
package cancelable

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Queryable wraps another.
type Queryable struct{ storage.Queryable }

// Querier implements storage.Queryable.
func (q Queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	inner, err := q.Queryable.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return querier{inner}, nil
}

type querier struct{ storage.Querier }

func (q querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return seriesSet{q.Querier.Select(ctx, sorted, hints, matchers...), &reads{ctx: ctx}}
}

type seriesSet struct {
	storage.SeriesSet
	reads *reads
}

func (s seriesSet) Next() bool { return s.reads.next() && s.SeriesSet.Next() }

func (s seriesSet) Err() error {
	if s.reads.err != nil {
		return s.reads.err
	}
	return s.SeriesSet.Err()
}

func (s seriesSet) At() storage.Series { return series{s.SeriesSet.At(), s.reads} }

type series struct {
	storage.Series
	reads *reads
}

func (s series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	if it, ok := reuse.(*iterator); ok {
		it.Iterator, it.reads = s.Series.Iterator(it.Iterator), s.reads
		return it
	}
	return &iterator{s.Series.Iterator(reuse), s.reads}
}

type iterator struct {
	chunkenc.Iterator
	reads *reads
}

func (i *iterator) Next() chunkenc.ValueType {
	if !i.reads.next() {
		return chunkenc.ValNone
	}
	return i.Iterator.Next()
}

func (i *iterator) Seek(t int64) chunkenc.ValueType { //nolint:govet // is no io.Seeker
	if !i.reads.next() {
		return chunkenc.ValNone
	}
	return i.Iterator.Seek(t)
}

func (i *iterator) Err() error {
	if i.reads.err != nil {
		return i.reads.err
	}
	return i.Iterator.Err()
}

// lookEvery is how many reads pass between two checks of the context.
const lookEvery = 8

// reads counts the reads of a selection.
type reads struct {
	ctx   context.Context //nolint:containedctx // of the selection, which outlives the call of Select
	count int
	err   error
}

// next reports whether reading may go on.
func (r *reads) next() bool {
	if r.count++; r.count%lookEvery == 0 && r.err == nil {
		r.err = r.ctx.Err()
	}
	return r.err == nil
}
