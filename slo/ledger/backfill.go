package ledger

import "github.com/slowburn/slowburn/slo"

// backfillGap is the least run of unmeasured minutes that Backfill records as a Gap.
const backfillGap = 4 * minutesPerHour

// Backfill replaces minutes of the account, the first of which is from, by what was read of them later, and saves the account. Minutes
// before from stay if the account has them up to there, and so do those after the deltas. measured says of which of the minutes the
// database has a sample. Deltas from the watermark on are ignored.
func (l *Ledger) Backfill(a *Account, from Minute, deltas []Delta, measured []bool) error {
	until := min(from+Minute(len(deltas)), a.Next)
	if from >= until || until < a.First {
		return nil
	}
	deltas, measured = deltas[:until-from], measured[:until-from]
	after, err := l.events(a, until)
	if err != nil {
		return err
	}
	was := *a
	if err := l.Rewind(a, max(from, a.First)); err != nil {
		return err
	}
	a.First, a.Next, a.IndicatorSince = min(a.First, from), min(a.Next, from), min(a.IndicatorSince, from)
	for i := 0; i < len(deltas); {
		run := i + 1
		for run < len(deltas) && measured[run] == measured[i] {
			run++
		}
		if !measured[i] && run-i >= backfillGap {
			err = l.Skip(a, from+Minute(run))
		} else {
			err = l.Append(a, from+Minute(i), deltas[i:run])
		}
		if err != nil {
			return err
		}
		if measured[i] {
			a.Measured = from + Minute(run)
		}
		i = run
	}
	a.TotalCarry, a.BadCarry = 0, 0 // whole numbers follow
	if err := reappend(l, a, until, after, was.Gaps); err != nil {
		return err
	}
	a.Measured = max(a.Measured, min(was.Measured, a.Next))
	a.TotalCarry, a.BadCarry = was.TotalCarry, was.BadCarry
	return l.save(a)
}

// Names returns the names of all accounts of a ledger.
func Names(l *Ledger) (names []string, err error) {
	err = l.accounts.ForEach(func(k, _ []byte) error {
		names = append(names, string(k))
		return nil
	})
	return names, err
}

// reappend appends events that the account had, with the gaps that lay among them.
func reappend(l *Ledger, a *Account, from Minute, events []slo.Events, gaps []Gap) error {
	end := from + Minute(len(events))
	upTo := func(to Minute) error {
		if to <= a.Next {
			return nil
		}
		deltas := make([]Delta, 0, to-a.Next)
		for _, e := range events[a.Next-from : to-from] {
			deltas = append(deltas, Delta{Total: float64(e.Total), Bad: float64(e.Bad)})
		}
		return l.Append(a, a.Next, deltas)
	}
	for _, g := range gaps {
		start, stop := max(g.From, from), min(g.To, end)
		if start >= stop {
			continue
		}
		if err := upTo(start); err != nil {
			return err
		}
		if err := l.Skip(a, stop); err != nil {
			return err
		}
	}
	return upTo(end)
}
