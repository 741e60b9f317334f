package engine

import (
	"context"
	"math"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// minAhead is how many minutes are looked at first for whether the database has anything of them. A shorter gap is read like any
// other minutes.
const minAhead = 4 * maxSpanBatch

// aheadOf is how far to look after minutes were read: not at all where there was something in them.
func aheadOf(nothing bool) ledger.Minute {
	if nothing {
		return minAhead
	}
	return 0
}

// look finds a gap: minutes from a watermark on of which the database has nothing. It returns the first minute after it, the
// watermark where there is none, and how far to look next. As long as it finds nothing it looks twice as far each time, so a gap of a
// year takes a dozen questions; where it finds something it looks half as far. A question that fails was too long.
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

// skip books minutes that nobody measured, and steps the alert through them for as long as they change it.
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
			next = max(next, a.Next-2) // the last one says how things are now
		}
	}
	return nil
}

// quiet reports whether minutes without events change nothing of an alert. A tier is active only while its short window has events.
func quiet(a alert.Alert, as alert.Assessment) bool {
	for i := range as.Tiers {
		if as.Tiers[i].Short.Total > 0 {
			return false
		}
	}
	return a.State == alert.Inactive
}
