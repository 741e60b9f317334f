// Package considerate makes the storage behind a query considerate: reading it ends when the query's context does, and lets other
// goroutines run again and again. PromQL's engine looks at the context once per series, and one series can take minutes where
// a range of weeks is sorted at each of thousands of steps. The only type that others see is Queryable, which has no state; what it
// returns is for one goroutine, as storage's iterators are.
package considerate

import (
	"context"
	"runtime"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Queryable reads from another.
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
	return seriesSet{q.Querier.Select(ctx, sorted, hints, matchers...), &turns{ctx: ctx}}
}

type seriesSet struct {
	storage.SeriesSet
	turns *turns
}

func (s seriesSet) Next() bool { return s.turns.next() && s.SeriesSet.Next() }

func (s seriesSet) Err() error {
	if s.turns.err != nil {
		return s.turns.err
	}
	return s.SeriesSet.Err()
}

func (s seriesSet) At() storage.Series { return series{s.SeriesSet.At(), s.turns} }

type series struct {
	storage.Series
	turns *turns
}

func (s series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	if it, ok := reuse.(*iterator); ok {
		it.Iterator, it.turns = s.Series.Iterator(it.Iterator), s.turns
		return it
	}
	return &iterator{s.Series.Iterator(reuse), s.turns}
}

type iterator struct {
	chunkenc.Iterator
	turns *turns
}

func (i *iterator) Next() chunkenc.ValueType {
	if !i.turns.next() {
		return chunkenc.ValNone
	}
	return i.Iterator.Next()
}

func (i *iterator) Seek(t int64) chunkenc.ValueType { //nolint:govet // is no io.Seeker
	if !i.turns.next() {
		return chunkenc.ValNone
	}
	return i.Iterator.Seek(t)
}

func (i *iterator) Err() error {
	if i.turns.err != nil {
		return i.turns.err
	}
	return i.Iterator.Err()
}

const (
	// lookEvery is how many reads pass between two looks at the context, which take less than a read.
	lookEvery = 8
	// yieldEvery is how many reads pass before others run: some tens of microseconds' worth.
	yieldEvery = 512
)

// turns counts the reads of a selection.
type turns struct {
	ctx   context.Context //nolint:containedctx // of the selection, which outlives the call of Select
	reads int
	err   error
}

// next reports whether the reading goes on.
func (t *turns) next() bool {
	if t.reads++; t.reads%lookEvery == 0 && t.err == nil {
		t.err = t.ctx.Err()
	}
	if t.reads%yieldEvery == 0 {
		runtime.Gosched()
	}
	return t.err == nil
}
