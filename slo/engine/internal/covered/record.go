package covered

import (
	"time"

	"github.com/slowburn/slowburn/slo/ledger"
)

// Minutes says what is known of minutes that were read.
type Minutes struct {
	// To is the first minute after them.
	To ledger.Minute
	// Has says for each minute whether the database has a sample of it; nil means that it has none of any.
	Has []bool
	// Any says for each minute whether the database has a sample of any objective of spans; nil means none of any. Where it has, all counts
	// so far have come.
	Any []bool
	// Spans says that spans are counted, by the connector sli; otherwise a query gives a value for each minute that it measures.
	Spans   bool
	Outages *Outages
	// Unread is when the oldest counts were sent that did not arrive in the database; zero if all did.
	Unread time.Time
	// Recovers is for how many minutes the database may be away so that what was counted meanwhile arrives when it is back.
	Recovers ledger.Minute
}

// Record records which minutes of an account from from on were not measured, and why.
func Record(l *ledger.Ledger, a *ledger.Account, from ledger.Minute, in Minutes) error {
	other := ledger.NoValue
	if in.Spans {
		other = 0
	}
	said := func(list []bool, m ledger.Minute) bool { return list != nil && list[m-from] }
	back := ledger.Minute(-1) // the latest minute with a sample of any objective
	returned := func() error {
		if back < 0 {
			return nil
		}
		return l.Returned(a, back, in.Recovers)
	}
	for m := from; m < in.To; {
		end := m
		for end < in.To && !said(in.Has, end) {
			end++
		}
		runs := in.Outages.Of(m, end, other)
		if unread := ledger.MinuteOf(in.Unread); in.Spans && !in.Unread.IsZero() && unread < end {
			runs = append(runs, ledger.Run{From: max(m, unread), To: end, Reason: ledger.DatabaseAway})
		}
		at := m
		for _, run := range runs {
			for ; at < run.From; at++ {
				if said(in.Any, at) {
					back = at
				}
			}
			if err := returned(); err != nil {
				return err
			}
			if err := l.Miss(a, run); err != nil {
				return err
			}
		}
		for ; at < in.To && (at < end || said(in.Has, at)); at++ {
			if said(in.Any, at) {
				back = at
			}
		}
		m = at
	}
	return returned()
}
