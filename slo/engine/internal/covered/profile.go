package covered

import (
	"math"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	hour = ledger.Minute(60)
	// learnt is how far back traffic is learnt from.
	learnt = ledger.Minute(28 * 24 * 60)
)

// Whole is the profile of an account's traffic as of an hour. The zero value is that of no hour.
type Whole struct {
	at      ledger.Minute // the minute after the last that it knows
	profile *slo.Profile
}

// Expected returns how many events are expected of an objective's whole window, which ends before the minute to and was measured in part.
// Once 14 days are known, what came before counting began is expected by the hour of the week: known is the profile of an earlier call,
// which is learnt anew once an hour.
func Expected(l *ledger.Ledger, a *ledger.Account, o slo.Objective, to ledger.Minute, w alert.Window, known *Whole) (float64, error) {
	linear := w.Coverage.Expected(w.Events)
	if !w.Coverage.Young() || w.Coverage.Seen < slo.ProfileFrom {
		return linear, nil
	}
	if at := to - to%hour; known.profile == nil || known.at != at {
		profile, err := learn(l, a, at)
		if err != nil {
			return 0, err
		}
		*known = Whole{at, profile}
	}
	from := to - ledger.Minutes(o.Window)
	before, ok := known.profile.Between(int64(from/hour), int64(a.First/hour))
	if !ok {
		return linear, nil
	}
	return float64(w.Total) + before, nil
}

// learn returns the mean traffic of each hour of the week, of the whole hours before the minute at. What was not measured of an hour is
// taken to be like the rest of it; an hour of which less than half was measured is left out.
func learn(l *ledger.Ledger, a *ledger.Account, at ledger.Minute) (*slo.Profile, error) {
	var sum, hours slo.Profile
	var events [1]slo.Events
	var covered [1]ledger.Covered
	first := max(a.First, at-learnt)
	first += (hour - first%hour) % hour
	for end := first + hour; end <= at; end += hour {
		if err := l.Windows(a, end, []ledger.Minute{hour}, events[:]); err != nil {
			return nil, err
		}
		if err := l.Coverage(a, end, []ledger.Minute{hour}, covered[:]); err != nil {
			return nil, err
		}
		measured := float64(covered[0].Measured) / float64(hour)
		if measured < 0.5 {
			continue
		}
		slot := (end/hour - 1) % ledger.Minute(len(sum))
		sum[slot] += float64(events[0].Total) / measured
		hours[slot]++
	}
	for i := range sum {
		if sum[i] /= hours[i]; hours[i] == 0 {
			sum[i] = math.NaN()
		}
	}
	return &sum, nil
}
