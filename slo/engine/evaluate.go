package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	// maxSpanBatch and promqlBatch bound what one round of catching up asks for: an hour of raw samples, and fewer points
	// than Prometheus allows per series.
	maxSpanBatch = 60
	promqlBatch  = 1000
	// queriesAtOnce bounds the load that evaluation puts on the database.
	queriesAtOnce = 4
	queryTimeout  = 30 * time.Second
	// evaluationTime is when an evaluation that did not get through makes room for the next: minutes that are over in the
	// meantime do not wait for the slowest query.
	evaluationTime = time.Minute
)

// reading is what was read for one objective: its minutes from one on. Without deltas, they had no events.
type reading struct {
	objective int
	from, to  ledger.Minute
	deltas    []ledger.Delta
}

// round is everything that is read before a transaction writes it.
type round struct {
	readings []reading
	// spansTo is the new watermark of the span objectives, and moved how far their series were read; 0 and nil where they
	// are up to date or in error.
	spansTo ledger.Minute
	moved   cursors
	// failed says that a query failed.
	failed bool
}

// empty says that there is nothing to write.
func (r *round) empty() bool { return len(r.readings) == 0 && r.spansTo == 0 && !r.failed }

// evaluate brings everything up to the last minute that was over lateness ago. It returns when nothing more can be done
// now, as all is up to date or in error, or when evaluationTime is over.
func (e *Extension) evaluate(ctx context.Context, now time.Time) error {
	e.evaluating.Lock()
	defer e.evaluating.Unlock()
	end := ledger.Elapsed(now.Add(-e.config.Lateness))
	switch {
	case e.unsettled && (e.latest() > end+ledger.Minutes(aheadAllowed) || e.spanWatermark < end-e.retention):
		return fmt.Errorf("all minutes up to %s are evaluated, far from the clock, which is believed when it has stayed there for %s",
			e.latest().Start().Format(time.RFC3339), doubtTime)
	case e.unsettled: // nothing is forgotten yet
	case e.latest() > end+ledger.Minutes(aheadAllowed):
		if err := e.rewind(end, now); err != nil {
			return err
		}
	default:
		if err := e.prune(end, now); err != nil {
			return err
		}
	}
	failed := make([]bool, len(e.objectives))
	for started := time.Now(); time.Since(started) < evaluationTime; {
		r := e.read(ctx, end, failed)
		if r.empty() || ctx.Err() != nil { // what a cancelled query said is nobody's error
			return nil
		}
		if err := e.write(r, now); err != nil {
			return err
		}
	}
	return nil
}

// read queries the next batch of minutes of each objective that lags behind. Whom a query failed for is left out
// for the rest of this evaluation. The caller holds evaluating; the queries run side by side. Those that do
// not get their turn in time are left for the next round: what was read must be written before it is old.
func (e *Extension) read(ctx context.Context, end ledger.Minute, failed []bool) round {
	var r round
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, queriesAtOnce)
	over, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	start := func(query func(context.Context)) {
		select {
		case slots <- struct{}{}:
		case <-over.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, queryTimeout)
			defer cancel()
			query(ctx)
		})
	}
	spans, watermark, batch := e.spanObjectives(), e.spanWatermark, e.spanBatch
	switch {
	case watermark >= end:
	case len(spans) == 0:
		r.spansTo = end // nobody counts
	case !failed[spans[0]]:
		start(func(ctx context.Context) {
			to := min(end, watermark+batch)
			counts, moved, err := readSpans(ctx, e.querier, e.cursors, watermark, to, batch)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				// Perhaps it was too much at once: more samples than the database allows, or than it reads in time.
				e.spanBatch = max(batch/4, 1)
				r.failed = e.fail(ctx, failed, spans, err) || r.failed
				return
			}
			e.spanBatch = min(2*batch, maxSpanBatch)
			r.spansTo, r.moved = to, moved
			for _, i := range spans {
				e.failing[i] = ""
				r.readings = append(r.readings, reading{i, watermark, to, counts[e.objectives[i].Name]})
			}
		})
	}
	for _, i := range e.laggingPromQL(end, failed) {
		from, in := e.watermarks[i], e.objectives[i].Indicator
		start(func(ctx context.Context) {
			to := min(end, from+promqlBatch)
			deltas, err := readPromQL(ctx, e.querier, in, from, to)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.failed = e.fail(ctx, failed, []int{i}, err) || r.failed
				return
			}
			e.failing[i] = ""
			r.readings = append(r.readings, reading{i, from, to, deltas})
		})
	}
	wg.Wait()
	return r
}

// spanObjectives are the indexes of the objectives that count spans.
func (e *Extension) spanObjectives() []int {
	var list []int
	for i, o := range e.objectives {
		if o.Indicator.Type != slo.PromQL {
			list = append(list, i)
		}
	}
	return list
}

// laggingPromQL are the indexes of the PromQL objectives to be read, those whose last query failed at the end: if it hangs
// again, nobody is behind it.
func (e *Extension) laggingPromQL(end ledger.Minute, failed []bool) []int {
	var well, failing []int
	for i, o := range e.objectives {
		switch {
		case o.Indicator.Type != slo.PromQL || e.watermarks[i] >= end || failed[i]:
		case e.failing[i] != "":
			failing = append(failing, i)
		default:
			well = append(well, i)
		}
	}
	// Whoever was not read for longest comes first, so that all get their turn.
	byWatermark := func(i, j int) int { return cmp.Compare(e.watermarks[i], e.watermarks[j]) }
	slices.SortStableFunc(well, byWatermark)
	slices.SortStableFunc(failing, byWatermark)
	return append(well, failing...)
}

// fail notes that a query failed, and for whom. It says so, unless the query was cut off by a shutdown.
func (e *Extension) fail(ctx context.Context, failed []bool, objectives []int, err error) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	e.telemetry.SloQueryFailures.Add(ctx, 1)
	for _, i := range objectives {
		failed[i] = true
		e.failing[i] = "The time series database cannot be queried: " + err.Error()
	}
	e.settings.Logger.Warn("Cannot evaluate; the minutes are made up for when the time series database answers",
		zap.String("objective", e.objectives[objectives[0]].Name), zap.Int("objectives", len(objectives)), zap.Error(err))
	return true
}

// write stores a round and all that follows from it in one transaction, and shows the result to readers.
func (e *Extension) write(r round, now time.Time) error {
	var t *transaction
	err := e.db.Update(func(tx *bbolt.Tx) (err error) {
		t = newTransaction(e, tx, now)
		for _, reading := range r.readings {
			o := e.objectives[reading.objective]
			if err := t.advance(reading); err != nil {
				return fmt.Errorf("objective %s: %w", o.Name, err)
			}
		}
		if r.spansTo > 0 {
			if err := putSpanWatermark(tx, r.spansTo); err != nil {
				return err
			}
			if err := r.moved.save(tx); err != nil {
				return err
			}
		}
		return t.assess()
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", e.db.Path(), err)
	}
	if r.spansTo > 0 {
		e.spanWatermark = r.spansTo
		maps.Copy(e.cursors, r.moved)
	}
	t.publish()
	return nil
}

// pruneEvery is how often what is too old is forgotten.
const pruneEvery = time.Hour

// prune forgets what is too old, and leaves out minutes that nothing would follow from any more.
func (e *Extension) prune(end ledger.Minute, now time.Time) error {
	horizon := end - e.retention
	if horizon < e.pruned+ledger.Minutes(pruneEvery) {
		return nil
	}
	err := e.db.Update(func(tx *bbolt.Tx) error {
		if err := ledger.New(tx).Prune(horizon); err != nil {
			return err
		}
		return errors.Join(e.cursors.prune(tx, now), pruneOther(tx, now))
	})
	if err != nil {
		return fmt.Errorf("prune %s: %w", e.db.Path(), err)
	}
	maps.DeleteFunc(e.cursors, func(_ model.Fingerprint, c cursor) bool { return c.old(now) })
	e.pruned = horizon
	e.spanWatermark = max(e.spanWatermark, horizon)
	for i, m := range e.watermarks {
		e.watermarks[i] = max(m, horizon)
	}
	return nil
}
