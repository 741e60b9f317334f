package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/arrival"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
	"github.com/slowburn/slowburn/slo/engine/internal/readback"
	"github.com/slowburn/slowburn/slo/engine/internal/room"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/slo/notify"
)

// evaluationTime is how long an evaluation may go on before it returns unfinished: minutes that ended meanwhile must not wait
// for the slowest query.
const evaluationTime = time.Minute

// evaluator advances objectives minute by minute. Its memory mirrors the file; a transaction changes both.
type evaluator struct {
	config    *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	// objectives, routes and retention (the minutes that the ledger keeps) do not change.
	objectives []slo.Objective
	routes     []alert.Route
	retention  ledger.Minute
	board      *board // gets the statuses
	arrival    *arrival.Arrival

	// querier, db and wake are set before the first evaluation. wake makes the sender look for new deliveries.
	querier samples.Querier
	db      *state.DB
	wake    func()

	// evaluating guards the fields below.
	evaluating sync.Mutex
	progress   []progress // by index of the objective
	spans      spanProgress
	pruned     ledger.Minute
	jumped     time.Duration // sum of the clock's jumps, as of the last evaluation
}

// progress is how far an objective was evaluated.
type progress struct {
	alert alert.Alert
	// watermark is the first minute that is not evaluated yet.
	watermark ledger.Minute
	// failing describes for people why the last query failed; empty if it did not.
	failing string
	// doubt is about the last minute of which a PromQL objective's queries gave what cannot be.
	doubt samples.Doubt
	// ahead is how many minutes to search for a gap; 0, after minutes with data, searches none.
	ahead ledger.Minute
	// week is the traffic that is expected of a young window.
	week covered.Whole
	// batch is how many minutes of a PromQL objective are read at once; 0 means promqlBatch. It shrinks after a query
	// failed, until the objective is up to date.
	batch ledger.Minute
	// slow says that the last query failed or was not quick; tried and took are when it was made and how long it took.
	slow  bool
	tried time.Time
	took  time.Duration
	// back is the reading back of a PromQL objective's past, job what is in memory of it, nil until it begins. After a query of it failed,
	// it waits until minutes from backAfter on were evaluated.
	back      readback.Task
	job       *readback.Job
	backAfter ledger.Minute
}

// trouble says for people why an objective is in error at a watermark; empty if it is not.
func (p *progress) trouble(watermark ledger.Minute) string {
	if p.failing == "" && p.doubt.Text != "" && p.doubt.Minute < watermark && watermark-p.doubt.Minute-1 <= measuredFor {
		return p.doubt.Text
	}
	return p.failing
}

// spanProgress is how far the span objectives were read, which are read together.
type spanProgress struct {
	// began is the first minute of the ledger: what series counted before it is not in the ledger.
	began     ledger.Minute
	watermark ledger.Minute
	// batch is how many minutes are read at once. It shrinks after a query failed.
	batch   ledger.Minute
	ahead   ledger.Minute // how many minutes to search for a gap; 0, after minutes with samples, searches none
	cursors samples.Cursors
	// each has the definitions of objectives for each service, whose objectives are among the evaluator's.
	each []slo.Objective
	// refused is up to which minute the last query of definitions without a service was for, which failed.
	refused ledger.Minute
	// outages are the minutes of which it is known why they were not measured.
	outages covered.Outages
	// lost is the first minute whose lost spans are not read yet.
	lost ledger.Minute
}

// evaluate evaluates all minutes that ended lateness ago or earlier. It returns when all objectives are up to date or in error,
// or after evaluationTime. A clock that is not confirmed and is far from the watermarks is not followed: that is an error.
// Nothing is pruned until the clock has settled.
func (v *evaluator) evaluate(ctx context.Context, look clock.State) error {
	v.evaluating.Lock()
	defer v.evaluating.Unlock()
	now := look.Now
	if err := v.jump(look.Jumped, now); err != nil {
		return err
	}
	v.spans.outages.Forget(ledger.Elapsed(now) + 1) // where the clock was ahead at the start
	end := ledger.Elapsed(now.Add(-v.config.Lateness))
	switch {
	case !look.Confirmed && (v.latest() > end+ledger.Minutes(aheadAllowed) || v.spans.watermark < end-v.retention):
		return fmt.Errorf("all minutes up to %s are evaluated, far from the clock, which is believed when it has stayed there for %s",
			v.latest().Start().Format(time.RFC3339), clock.StableTime)
	case look.Confirmed && v.latest() > end+ledger.Minutes(aheadAllowed):
		if err := v.rewind(end, now); err != nil {
			return err
		}
	case look.Stable: // nothing is pruned before
		if err := v.prune(end, now); err != nil {
			return err
		}
	}
	failed := make([]bool, len(v.objectives))
	for started := clock.Now(); clock.Since(started) < evaluationTime; {
		r := v.read(ctx, end, failed, quickLane)
		if left := slowUntil - clock.Since(started); r.empty() && left >= leastSlow {
			r = v.read(ctx, end, failed, slowLane(left))
		}
		if r.empty() || ctx.Err() != nil { // the error of a cancelled query is no objective's
			return nil
		}
		v.adopt(&r)
		failed = append(failed, make([]bool, len(v.objectives)-len(failed))...)
		if err := v.write(r, now); err != nil {
			return err
		}
	}
	return nil
}

// commit changes the ledger and what follows from it: all of it is stored, or nothing.
func commit(db *state.DB, change func(tx *bbolt.Tx) error) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		err := change(tx)
		failpoint.Before(failpoint.LedgerWrite)
		return err
	})
	failpoint.After(failpoint.LedgerWrite)
	if err != nil {
		return fmt.Errorf("write %s: %w", db.Path(), err)
	}
	return nil
}

// write stores a round and all that follows from it in one transaction, then shows the result to readers.
func (v *evaluator) write(r round, now time.Time) error {
	var t *transaction
	err := commit(v.db, func(tx *bbolt.Tx) error {
		t = newTransaction(v, tx, now)
		t.unread, t.sampled = v.arrival.Unread(r.moved.Newest()), r.sampledOf(v.objectives)
		for _, reading := range r.readings {
			o := v.objectives[reading.objective]
			if err := t.advance(reading); err != nil {
				return fmt.Errorf("objective %s: %w", o.Name, err)
			}
		}
		if err := t.lose(r.lost); err != nil {
			return err
		}
		if err := t.compose(); err != nil {
			return err
		}
		if r.spansTo > 0 {
			if err := book.PutSpanWatermark(tx, r.spansTo); err != nil {
				return err
			}
			if err := book.PutCursors(tx, r.moved); err != nil {
				return err
			}
		}
		return t.assess()
	})
	if err != nil {
		return err
	}
	v.spans.lost = max(v.spans.lost, r.lostTo)
	if r.spansTo > 0 {
		v.spans.watermark, v.spans.ahead = r.spansTo, r.ahead
		maps.Copy(v.spans.cursors, r.moved)
		if newest := r.moved.Newest(); newest > 0 {
			v.arrival.Read(time.UnixMilli(newest))
		}
	}
	for _, reading := range r.readings {
		v.progress[reading.objective].ahead = reading.ahead
	}
	t.publish()
	return nil
}

// pruneEvery is how often old data are pruned.
const pruneEvery = time.Hour

// prune deletes data that are older than the retention, and skips minutes before it: nothing would follow from them. It also keeps the
// file within max_size.
func (v *evaluator) prune(end ledger.Minute, now time.Time) error {
	horizon := end - v.retention
	due := horizon >= v.pruned+ledger.Minutes(pruneEvery)
	report, err := room.Look(v.db, v.config.MaxSize, v.board.room())
	if err != nil {
		return err
	}
	over := report.Over()
	if !due && over == 0 {
		v.board.full.Store(&report)
		return nil
	}
	var given room.Given
	err = v.db.Update(func(tx *bbolt.Tx) (err error) {
		if due {
			err = v.pruneOld(tx, end, now)
		}
		if err == nil && over > 0 {
			given, err = report.Make(tx, over, end, v.retention/2)
		}
		failpoint.Before(failpoint.LedgerPrune)
		return err
	})
	failpoint.After(failpoint.LedgerPrune)
	if err != nil {
		return fmt.Errorf("prune %s: %w", v.db.Path(), err)
	}
	v.board.full.Store(&report)
	v.reportGiven(given, report)
	if !due {
		return nil
	}
	maps.DeleteFunc(v.spans.cursors, func(_ model.Fingerprint, c samples.Cursor) bool { return c.Old(now) })
	if err := v.forget(now); err != nil {
		return err
	}
	v.pruned = horizon
	v.spans.watermark = max(v.spans.watermark, horizon)
	for i := range v.progress {
		v.progress[i].watermark = max(v.progress[i].watermark, horizon)
	}
	return nil
}

const (
	// maxJobs is how many objectives are read back at once: at most one, and those that wait after a failure.
	maxJobs = 8
	// leastReadBack is the least time for a query of the past.
	leastReadBack = 5 * time.Second
)

// readBack makes the next query for the past of a PromQL objective, within the time that is left until the next evaluation, and reports
// whether it made one. An objective that cannot be evaluated waits. No alert steps through what is read.
func (v *evaluator) readBack(ctx context.Context, left time.Duration, now time.Time) (bool, error) {
	if left < leastReadBack {
		return false, nil
	}
	v.evaluating.Lock()
	defer v.evaluating.Unlock()
	i := nextReadBack(v.progress)
	if i < 0 {
		return false, nil
	}
	p := &v.progress[i]
	if p.job == nil {
		p.job = readback.NewJob(p.back, v.objectives[i].Indicator)
	}
	query, cancel := context.WithTimeout(ctx, min(queryTimeout, left-time.Second))
	defer cancel()
	if err := p.job.Step(query, v.querier); err != nil {
		if ctx.Err() != nil {
			return false, nil //nolint:nilerr // a shutdown
		}
		p.backAfter = p.watermark + 1
		v.logger.Info("the past of an objective could not be read back; it is asked for again in smaller parts",
			zap.String("objective", v.objectives[i].Name), zap.Error(err))
	}
	if !p.job.Done() {
		return true, nil
	}
	return true, v.finishReadBack(i, now)
}

// nextReadBack returns the index of the objective to read back, -1 if there is none.
func nextReadBack(all []progress) int {
	next, jobs := -1, 0
	for i := range all {
		p := &all[i]
		if p.job != nil {
			jobs++
		}
		ready := p.back.Pending() && p.failing == "" && p.watermark > max(p.back.Until, p.backAfter-1)
		if ready && (next < 0 || p.job != nil && all[next].job == nil) {
			next = i
		}
	}
	if next >= 0 && all[next].job == nil && jobs >= maxJobs {
		return -1
	}
	return next
}

// finishReadBack writes what was read back into the ledger.
func (v *evaluator) finishReadBack(i int, now time.Time) error {
	o := v.objectives[i]
	done, counts := v.progress[i].job.Result()
	var t *transaction
	err := commit(v.db, func(tx *bbolt.Tx) error {
		t = newTransaction(v, tx, now)
		a, ok, err := t.ledger.Find(o.Name)
		if err != nil {
			return err
		}
		if ok {
			if err := t.ledger.Backfill(a, done.Since, counts.Deltas, counts.Measured); err != nil {
				return err
			}
		}
		if err := readback.Put(tx, o.Name, done); err != nil {
			return err
		}
		t.backs[i] = done
		return t.assess()
	})
	if err != nil {
		return err
	}
	v.progress[i].job = nil
	t.publish()
	v.logger.Info("past of an objective read back from the database", zap.String("objective", o.Name),
		zap.Time("since", done.Since.Start()), zap.Time("until", done.Until.Start()), zap.String("refused", done.Refused))
	return nil
}

// pruneOld deletes what is older than the retention. Parts are kept for the longest window, by minute for less.
func (v *evaluator) pruneOld(tx *bbolt.Tx, end ledger.Minute, now time.Time) error {
	if err := ledger.New(tx).Prune(end - v.retention); err != nil {
		return err
	}
	if err := parts.New(tx).Prune(end-ledger.Minutes(parts.MinutesKept), end-v.retention/2); err != nil {
		return err
	}
	return errors.Join(book.PruneCursors(tx, v.spans.cursors, now), book.PruneEpisodes(tx, now), notify.Prune(tx, now))
}
