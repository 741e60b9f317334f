package ledger

import (
	"fmt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

// Gap is a run of minutes without measurements: the database had no sample of them. Its hours have no chunks, so a gap of a
// year costs as much as a gap of an hour.
type Gap struct {
	// From is the first minute, To the first after the gap.
	From Minute `json:"from"`
	To   Minute `json:"to"`
	// Total and Bad count all events of the account before the gap.
	Total uint64 `json:"total"`
	Bad   uint64 `json:"bad"`
}

// Skip advances the account's watermark to a minute and records the minutes between as a gap. It does nothing if the watermark
// is not below that minute.
func (l *Ledger) Skip(a *Account, to Minute) error {
	if to <= a.Next {
		return nil
	}
	gap := Gap{From: a.Next, To: to, Total: a.Total, Bad: a.Bad}
	if last := len(a.Gaps) - 1; last >= 0 && a.Gaps[last].To == a.Next && a.Gaps[last].Total == a.Total && a.Gaps[last].Bad == a.Bad {
		gap.From = a.Gaps[last].From
		a.Gaps = a.Gaps[:last]
	}
	a.Gaps = append(a.Gaps, gap)
	a.Next = to
	return l.save(a)
}

// gapAt returns the events before a minute of an hour that has no chunk because of a gap. Without such a gap it returns
// state.ErrCorrupt.
func (a *Account) gapAt(m Minute) (slo.Events, error) {
	hour := m.hour()
	for _, g := range a.Gaps {
		if g.From < firstOf(hour+1) && firstOf(hour) < g.To {
			return slo.Events{Total: g.Total, Bad: g.Bad}, nil
		}
	}
	return slo.Events{}, fmt.Errorf("%w: the ledger has no chunk for %s at %s", state.ErrCorrupt, a.Name, m.Start())
}

// cutGaps cuts the gaps to the minutes from from up to, but not including, to.
func (a *Account) cutGaps(from, to Minute) {
	var gaps []Gap
	for _, g := range a.Gaps {
		g.From, g.To = max(g.From, from), min(g.To, to)
		if g.From < g.To {
			gaps = append(gaps, g)
		}
	}
	a.Gaps = gaps
}
