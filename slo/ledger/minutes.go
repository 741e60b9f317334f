package ledger

import (
	"github.com/slowburn/slowburn/slo"
)

// Minutes returns the events of each of the account's minutes from from up to, but not including, to. Minutes that the account does
// not have, or that were pruned, have none.
func (l *Ledger) Minutes(a *Account, from, to Minute) ([]slo.Events, error) {
	all := make([]slo.Events, max(to-from, 0))
	var c chunk
	loaded := false
	for m := max(from, a.First); m < min(to, a.Next); m++ {
		if !loaded || m.ofHour() == 0 {
			if err := l.loadOld(&c, a, m.hour()); err != nil {
				return nil, err
			}
			loaded = true
		}
		all[m-from] = c.minutes[m.ofHour()]
	}
	return all, nil
}

// Restart replaces an account by an empty one that begins at its watermark: what the objective counts from then on cannot be added to
// what it counted before. The old minutes are deleted when they are as old as Prune deletes others.
func (l *Ledger) Restart(a *Account, indicator string) (*Account, error) {
	start := a.Next
	if err := l.accounts.Delete([]byte(a.Name)); err != nil {
		return nil, err
	}
	fresh, _, err := l.Open(a.Name, start, indicator)
	return fresh, err
}
