package engine

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/slowburn/slowburn/slo/alert"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	// maxSpanBatch and promqlBatch bound the minutes of one round: an hour of raw samples, and fewer points than Prometheus
	// allows per series.
	maxSpanBatch = 60
	promqlBatch  = 1000
	// maxBirths is how many minutes back the birth of a series is searched. It does not follow the batch, which has shrunk when
	// the database is back after an outage: then most births are found.
	maxBirths = 60
	// queriesAtOnce bounds the load that evaluation puts on the database.
	queriesAtOnce = 4
	queryTimeout  = 30 * time.Second
)

// reading holds the minutes that were read for one objective.
type reading struct {
	objective int
	from, to  ledger.Minute
	counts    *samples.Counts // nil if the database has no samples of it
	gap       bool            // the database has no samples of these minutes
	ahead     ledger.Minute   // how many minutes to search for a gap next
}

// round is what one transaction writes.
type round struct {
	readings []reading
	// spansTo is the new watermark of the span objectives, moved the cursors that moved; 0 and nil if they are up to date or in
	// error.
	spansTo ledger.Minute
	moved   samples.Cursors
	ahead   ledger.Minute // how many minutes to search for a gap in spans next
	// failed says that a query failed.
	failed bool
}

// empty reports whether there is nothing to write.
func (r *round) empty() bool { return len(r.readings) == 0 && r.spansTo == 0 && !r.failed }

// read queries the next batch of minutes of each objective that lags behind, several at a time. The caller holds evaluating. An
// objective whose query fails is skipped for the rest of this evaluation. Queries that get no slot within queryTimeout wait for
// the next round, so that what was read is written soon.
func (v *evaluator) read(ctx context.Context, end ledger.Minute, failed []bool) round {
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
	spans, watermark, batch := v.spanObjectives(), v.spans.watermark, v.spans.batch
	births := min(maxBirths, watermark-v.spans.began)
	switch {
	case watermark >= end:
	case len(spans) == 0:
		r.spansTo = end // no objective counts spans
	case !failed[spans[0]]:
		start(func(ctx context.Context) {
			to, ahead := v.look(ctx, v.spans.ahead, watermark, end, func(ctx context.Context, to ledger.Minute) (bool, error) {
				return samples.FoundSpans(ctx, v.querier, watermark, to)
			})
			gap := to > watermark
			var counts map[string]*samples.Counts
			var moved samples.Cursors
			var err error
			if !gap {
				to = min(end, watermark+batch)
				counts, moved, err = samples.ReadSpans(ctx, v.querier, v.spans.cursors, watermark, to, births, batch, ledger.Minutes(v.config.LateWindow))
				ahead = aheadOf(len(counts) == 0)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				// The batch may have been too large: more samples than the database allows, or than it reads in time.
				v.spans.batch = max(batch/4, 1)
				r.failed = v.fail(ctx, failed, spans, err) || r.failed
				return
			}
			v.spans.batch = min(2*batch, maxSpanBatch)
			r.spansTo, r.moved, r.ahead = to, moved, ahead
			for _, i := range spans {
				v.progress[i].failing = ""
				r.readings = append(r.readings, reading{objective: i, from: watermark, to: to, counts: counts[v.objectives[i].Name], gap: gap})
			}
		})
	}
	for _, i := range v.laggingPromQL(end, failed) {
		from, in := v.progress[i].watermark, v.objectives[i].Indicator
		start(func(ctx context.Context) {
			to, ahead := v.look(ctx, v.progress[i].ahead, from, end, func(ctx context.Context, to ledger.Minute) (bool, error) {
				return samples.FoundPromQL(ctx, v.querier, in, from, to)
			})
			gap := to > from
			var counts *samples.Counts
			var err error
			if !gap {
				to = min(end, from+promqlBatch)
				counts, err = samples.ReadPromQL(ctx, v.querier, in, from, to)
				ahead = aheadOf(err == nil && !slices.Contains(counts.Measured, true))
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.failed = v.fail(ctx, failed, []int{i}, err) || r.failed
				return
			}
			v.progress[i].failing = ""
			if counts != nil {
				v.progress[i].failing = counts.Problem
			}
			r.readings = append(r.readings, reading{objective: i, from: from, to: to, counts: counts, gap: gap, ahead: ahead})
		})
	}
	wg.Wait()
	return r
}

// spanObjectives returns the indexes of the objectives that count spans.
func (v *evaluator) spanObjectives() []int {
	var list []int
	for i, o := range v.objectives {
		if o.Indicator.CountsSpans() {
			list = append(list, i)
		}
	}
	return list
}

// laggingPromQL returns the indexes of the PromQL objectives to read. Those whose last query failed come last, so that nobody
// waits behind them if they hang again.
func (v *evaluator) laggingPromQL(end ledger.Minute, failed []bool) []int {
	var well, failing []int
	for i, o := range v.objectives {
		switch {
		case o.Indicator.Type != slo.PromQL || v.progress[i].watermark >= end || failed[i]:
		case v.progress[i].failing != "":
			failing = append(failing, i)
		default:
			well = append(well, i)
		}
	}
	// The objective that waited longest is read first, so that each gets its turn.
	byWatermark := func(i, j int) int { return cmp.Compare(v.progress[i].watermark, v.progress[j].watermark) }
	slices.SortStableFunc(well, byWatermark)
	slices.SortStableFunc(failing, byWatermark)
	return append(well, failing...)
}

// fail marks the objectives as failed, and reports whether it did: not if a shutdown cancelled the query.
func (v *evaluator) fail(ctx context.Context, failed []bool, objectives []int, err error) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	v.telemetry.ExtensionSloFailedQueries.Add(ctx, 1)
	for _, i := range objectives {
		failed[i] = true
		v.progress[i].failing = "The time series database cannot be queried: " + err.Error()
	}
	v.logger.Warn("evaluation failed; its minutes are evaluated when the time series database answers",
		zap.String("objective", v.objectives[objectives[0]].Name), zap.Int("objectives", len(objectives)), zap.Error(err))
	return true
}

// minAhead is the first distance that a gap is searched over. A shorter gap is read like any other minutes.
const minAhead = 4 * maxSpanBatch

// aheadOf returns how far to search for a gap after minutes were read: not at all if there was something in them.
func aheadOf(nothing bool) ledger.Minute {
	if nothing {
		return minAhead
	}
	return 0
}

// look finds a gap: minutes from a watermark on of which the database has no samples. It returns the first minute after the
// gap, or the watermark if there is none, and how far to search next. It doubles the distance after each success, so a gap of a
// year takes a dozen queries, and halves it when it finds samples or a query fails.
func (v *evaluator) look(ctx context.Context, ahead, watermark, end ledger.Minute,
	found func(context.Context, ledger.Minute) (bool, error)) (to, next ledger.Minute) {
	for ; ahead >= minAhead && end-watermark >= minAhead && ctx.Err() == nil; ahead /= 2 {
		to := min(end, watermark+ahead)
		if some, err := found(ctx, to); err == nil && !some {
			return to, min(2*ahead, math.MaxInt32)
		}
	}
	return watermark, 0
}

// skip records unmeasured minutes, and steps the alert through them as long as they change it.
func (t *transaction) skip(o slo.Objective, a *ledger.Account, r reading) error {
	next := a.Next
	if err := t.ledger.Skip(a, r.to); err != nil {
		return err
	}
	for ; next < a.Next; next++ {
		as, err := t.assessment(o, a, next+1, a.Measured)
		if err != nil {
			return err
		}
		if err := t.step(r.objective, as); err != nil {
			return err
		}
		if quiet(t.alerts[r.objective], as) {
			next = max(next, a.Next-2) // the last minute gives the present state
		}
	}
	return nil
}

// quiet reports whether minutes without events leave an alert as it is. A tier is active only while its short window has
// events, and a silence goes on until there is traffic.
func quiet(a alert.Alert, as alert.Assessment) bool {
	for i := range as.Tiers {
		if as.Tiers[i].Short.Total > 0 {
			return false
		}
	}
	return a.State == alert.Inactive || as.Silence != nil
}
