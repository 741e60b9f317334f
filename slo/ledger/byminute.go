package ledger

import "github.com/slowburn/slowburn/slo"

// ByMinute returns the events of each minute from from up to, but not including, to. Minutes that the account does not have, or that
// were pruned, count 0.
func (l *Ledger) ByMinute(a *Account, from, to Minute) ([]slo.Events, error) {
	events := make([]slo.Events, max(to-from, 0))
	var c chunk
	loaded := false
	for m := max(from, a.First); m < min(to, a.Next); m++ {
		if !loaded || m.ofHour() == 0 {
			if err := l.loadOld(&c, a, m.hour()); err != nil {
				return nil, err
			}
			loaded = true
		}
		events[m-from] = c.minutes[m.ofHour()]
	}
	return events, nil
}
