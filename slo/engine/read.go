package engine

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/lost"
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
	// lostTimeout is short, as spans that were counted wait meanwhile.
	lostTimeout = 5 * time.Second
)

// lane is a part of the objectives, whose queries wait for each other only.
type lane struct {
	// slow selects the objectives whose last query failed or took longer than quickTimeout. They come after all others, so that nobody
	// waits for them.
	slow bool
	// timeout is that of a query, start how long queries are started for.
	timeout, start time.Duration
}

const (
	quickTimeout = 2 * time.Second
	// quickRound is how long a round starts queries: what was read is then written.
	quickRound = 10 * time.Second
	// slowUntil is when, after its start, an evaluation has ended the queries of slow objectives, before the next minute is due. Those of
	// which nothing is left of that time by leastSlow wait for the next evaluation.
	slowUntil = 50 * time.Second
	leastSlow = 15 * time.Second
)

var quickLane = lane{timeout: quickTimeout, start: quickRound}

// slowLane returns the lane of slow objectives for the time that is left.
func slowLane(left time.Duration) lane {
	return lane{slow: true, timeout: min(queryTimeout, left), start: min(queryTimeout, left) - quickTimeout}
}

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
	// services has the counts of objectives for each service, by the name of ReadSpans.
	services map[string]*samples.Counts
	// lost holds the lost spans up to, but not including, lostTo; 0 if none were read.
	lost   map[ledger.Minute]lost.Spans
	lostTo ledger.Minute
	// failed says that a query failed.
	failed bool
}

// empty reports whether there is nothing to write.
func (r *round) empty() bool { return len(r.readings) == 0 && r.spansTo == 0 && !r.failed }

// read queries the next batch of minutes of each objective of a lane that lags behind, several at a time. The caller holds evaluating. An
// objective whose query fails is skipped for the rest of this evaluation, but for one that was only not quick. Queries that get no slot
// in time wait for the next round.
func (v *evaluator) read(ctx context.Context, end ledger.Minute, failed []bool, l lane) round {
	var r round
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, queriesAtOnce)
	began := clock.Now()
	over, cancel := context.WithTimeout(ctx, l.start)
	defer cancel()
	start := func(query func(context.Context)) {
		select {
		case slots <- struct{}{}:
		case <-over.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			timeout := l.timeout
			if l.slow {
				timeout -= clock.Since(began)
			}
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			query(ctx)
		})
	}
	spans, watermark, batch := v.spanObjectives(), v.spans.watermark, v.spans.batch
	births := min(maxBirths, watermark-v.spans.began)
	switch {
	case watermark >= end:
	case len(spans) == 0 && len(v.spans.each) == 0:
		r.spansTo = end // no objective counts spans
	case len(spans) > 0 && !failed[spans[0]] && v.progress[spans[0]].slow == l.slow, len(spans) == 0 && !l.slow && v.spans.refused != end:
		start(func(ctx context.Context) {
			asked := clock.Now()
			to, ahead := v.look(ctx, v.spans.ahead, watermark, end, func(ctx context.Context, to ledger.Minute) (bool, error) {
				return samples.FoundSpans(ctx, v.querier, watermark, to)
			})
			gap := to > watermark
			var counts map[string]*samples.Counts
			var moved samples.Cursors
			var err error
			if !gap {
				to = min(end, watermark+batch)
				counts, moved, err = samples.ReadSpans(ctx, v.querier, v.spans.cursors, watermark, to, births, batch, ledger.Minutes(v.config.LateWindow), v.spans.definitions()...)
				ahead = aheadOf(len(counts) == 0)
			}
			var gone map[ledger.Minute]lost.Spans
			goneTo := ledger.Minute(0)
			if err == nil {
				gone, goneTo = v.readLost(ctx, to)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				// The batch may have been too large: more samples than the database allows, or than it reads in time.
				v.spans.batch, v.spans.refused = max(batch/4, 1), end
				if v.fail(ctx, failed, spans, err, l) {
					v.spans.outages.Add(ledger.Run{From: watermark, To: end, Reason: ledger.DatabaseAway})
					r.failed = true
				}
				return
			}
			v.spans.batch = min(2*batch, maxSpanBatch)
			r.spansTo, r.moved, r.ahead, r.services = to, moved, ahead, counts
			r.lost, r.lostTo = gone, goneTo
			for _, i := range spans {
				v.progress[i].answered(asked)
				r.readings = append(r.readings, reading{objective: i, from: watermark, to: to, counts: counts[v.spans.nameOf(v.objectives[i].Name)], gap: gap})
			}
		})
	}
	for _, i := range v.laggingPromQL(end, failed, l.slow) {
		from, in := v.progress[i].watermark, v.objectives[i].Indicator
		batch := cmp.Or(v.progress[i].batch, promqlBatch)
		start(func(ctx context.Context) {
			asked := clock.Now()
			to, ahead := v.look(ctx, v.progress[i].ahead, from, end, func(ctx context.Context, to ledger.Minute) (bool, error) {
				return samples.FoundPromQL(ctx, v.querier, in, from, to)
			})
			gap := to > from
			var counts *samples.Counts
			var doubt samples.Doubt
			var err error
			if !gap {
				to = min(end, from+batch)
				counts, doubt, err = samples.ReadPromQL(ctx, v.querier, in, from, to)
				ahead = aheadOf(err == nil && !slices.Contains(counts.Measured, true))
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				v.progress[i].batch = max((to-from)/4, 1) // likewise
				r.failed = v.fail(ctx, failed, []int{i}, err, l) || r.failed
				return
			}
			if to == end {
				v.progress[i].batch = 0
			}
			v.progress[i].answered(asked)
			if counts != nil && counts.Problem != "" {
				v.progress[i].failing = counts.Problem
			}
			if doubt.Text != "" {
				v.progress[i].doubt = doubt
			}
			r.readings = append(r.readings, reading{objective: i, from: from, to: to, counts: counts, gap: gap, ahead: ahead})
		})
	}
	wg.Wait()
	return r
}

// readLost returns the lost spans up to a minute, which it returns too; 0 if they cannot be read, and are read with the next minutes.
func (v *evaluator) readLost(ctx context.Context, to ledger.Minute) (map[ledger.Minute]lost.Spans, ledger.Minute) {
	from := max(v.spans.lost, to-promqlBatch)
	if from >= to {
		return nil, 0
	}
	ctx, cancel := context.WithTimeout(ctx, lostTimeout)
	defer cancel()
	found, err := lost.Read(ctx, v.querier, from, to)
	if err != nil {
		v.logger.Debug("lost spans cannot be read yet", zap.Error(err))
		return nil, 0
	}
	return found, to
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

// laggingPromQL returns the indexes of the PromQL objectives of a lane, in the order in which they are read. Among slow ones those that
// failed at once come first, so that they do not wait behind those that hang.
func (v *evaluator) laggingPromQL(end ledger.Minute, failed []bool, slow bool) []int {
	var list []int
	for i, o := range v.objectives {
		if p := &v.progress[i]; o.Indicator.Type == slo.PromQL && p.watermark < end && !failed[i] && p.slow == slow {
			list = append(list, i)
		}
	}
	hung := func(i int) int {
		if v.progress[i].took > quickTimeout {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(i, j int) int {
		p, q := &v.progress[i], &v.progress[j]
		if slow { // the one that waited longest for its turn
			return cmp.Or(cmp.Compare(hung(i), hung(j)), p.tried.Compare(q.tried), cmp.Compare(p.watermark, q.watermark))
		}
		return cmp.Compare(p.watermark, q.watermark)
	})
	return list
}

// answered notes that a query was answered that was made at a time.
func (p *progress) answered(asked time.Time) {
	p.failing, p.tried, p.took = "", asked, clock.Since(asked)
	p.slow = p.took > quickTimeout
}

// fail marks the objectives as failed, and reports whether it did: not if a shutdown cancelled the query. Those that were not quick are
// only moved to the lane of slow ones.
func (v *evaluator) fail(ctx context.Context, failed []bool, objectives []int, err error, l lane) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	late := ctx.Err() != nil // the query used up its time
	for _, i := range objectives {
		p := &v.progress[i]
		failed[i] = l.slow || !late
		p.slow, p.tried, p.took = true, clock.Now(), 0
		if late {
			p.took = queryTimeout
		}
		p.failing = "The time series database cannot be queried: " + err.Error()
		if late {
			p.failing = "The time series database does not answer in time: " + err.Error()
		}
	}
	if late && !l.slow {
		return true
	}
	v.telemetry.ExtensionSloFailedQueries.Add(ctx, 1)
	name := ""
	if len(objectives) > 0 {
		name = v.objectives[objectives[0]].Name
	}
	v.logger.Warn("evaluation failed; its minutes are evaluated when the time series database answers",
		zap.String("objective", name), zap.Int("objectives", len(objectives)), zap.Error(err))
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
		as, _, err := t.assessment(r.objective, a, next+1, a.Measured)
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
