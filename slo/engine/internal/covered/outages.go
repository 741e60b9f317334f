package covered

import (
	"slices"

	"github.com/slowburn/slowburn/slo/ledger"
)

// maxOutages bounds the outages that a process remembers; beyond it the oldest are dropped.
const maxOutages = 1000

// Outages are runs of minutes of which this process knows why they were not measured, if the database has no samples of them. The zero
// value is ready. It is not safe for concurrent use.
type Outages struct {
	runs []ledger.Run // in the order of Add; those of different reasons may overlap, and the least reason counts
}

// Add adds a run. A run that continues one of the same reason extends it.
func (o *Outages) Add(r ledger.Run) {
	if r.From >= r.To {
		return
	}
	for i := range o.runs {
		if known := &o.runs[i]; known.Reason == r.Reason && r.From <= known.To && known.From <= r.To {
			known.From, known.To = min(known.From, r.From), max(known.To, r.To)
			return
		}
	}
	if len(o.runs) == maxOutages {
		o.runs = slices.Delete(o.runs, 0, 1)
	}
	o.runs = append(o.runs, r)
}

// Forget drops what is known of minutes from m on: a clock that was set back lives through them again.
func (o *Outages) Forget(m ledger.Minute) {
	o.runs = slices.DeleteFunc(o.runs, func(r ledger.Run) bool { return r.From >= m })
	for i := range o.runs {
		o.runs[i].To = min(o.runs[i].To, m)
	}
}

// Of returns the parts of minutes without a sample that were not measured, in order. Minutes of no outage have the reason other, or, if that
// is 0, were measured.
func (o *Outages) Of(from, to ledger.Minute, other ledger.Reason) (parts []ledger.Run) {
	for from < to {
		reason, until := ledger.Reason(0), to
		for _, r := range o.runs {
			switch {
			case from < r.From:
				until = min(until, r.From)
			case from < r.To:
				until = min(until, r.To)
				if reason == 0 || r.Reason < reason {
					reason = r.Reason
				}
			}
		}
		if reason == 0 {
			reason = other
		}
		if last := len(parts) - 1; last >= 0 && parts[last].To == from && parts[last].Reason == reason {
			parts[last].To = until
		} else if reason != 0 {
			parts = append(parts, ledger.Run{From: from, To: until, Reason: reason})
		}
		from = until
	}
	return parts
}
