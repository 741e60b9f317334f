package sim

import (
	"time"

	"github.com/slowburn/slowburn/test/sim/internal/due"
)

// endOf returns the minute in which a span ended. It includes its start and excludes its end.
func endOf(s *span) due.Minute { return due.Minute(s.started.Add(s.took).Unix() / 60) }

// ended returns the first minute in which a span of the request ended.
func (r *request) ended() due.Minute {
	first := endOf(r.spans[0])
	for _, s := range r.spans {
		first = min(first, endOf(s))
	}
	return first
}

// oldestAge is how many minutes after its span ended an event may be counted and still belong to the minute of the end.
const oldestAge = 15

// checkMinutes counts the spans again by hand: each belongs to the minute in which it ended. A span that was counted later than
// oldestAge after that, or that ended in the future, belongs to some minute until it was counted.
func (w *World) checkMinutes() {
	if w.scenario.jumps || w.tally.countsLost || w.tally.byArrival || len(w.sent) == 0 {
		return
	}
	first, end := due.MinuteOf(w.began), w.alerts.due.End
	if end <= first {
		return
	}
	least, most := make([]int, end-first+1), make([]int, end-first+1) // events before each minute
	put := func(counts []int, m due.Minute) {
		if i := max(m, first) - first + 1; int(i) < len(counts) {
			counts[i]++
		}
	}
	for _, r := range w.sent {
		if r.times == 0 {
			continue
		}
		for _, s := range r.spans {
			if s.service != services[0] {
				continue
			}
			minute, until := endOf(s), max(r.tried, r.counted)
			from, to := minute, minute
			if until-minute > oldestAge || minute >= r.tried {
				from, to = min(minute, r.tried-1), max(until, minute)
			}
			put(most, from)
			if r.acked {
				put(least, to)
			}
		}
	}
	h, err := w.alerts.engine.History(objectives[0].Name, first.Start(), end.Start().Add(time.Hour), time.Minute)
	if err != nil {
		w.problem("the ledger cannot be read: %v", err)
		return
	}
	got := make([]int, end-first+1)
	for _, p := range h.Points {
		if i := due.Minute(p.Time.Unix()/60) - first; i >= 0 && int(i) < len(got) {
			got[i] = int(p.Total)
		}
	}
	sums := [3]int{}
	for i := range got {
		sums[0], sums[1], sums[2] = sums[0]+least[i], sums[1]+got[i], sums[2]+most[i]
		if sums[1] < sums[0] || sums[1] > sums[2] {
			w.problem("the ledger has %d events before %s; by hand between %d and %d ended before that", sums[1],
				(first + due.Minute(i)).Start().Format(time.RFC3339), sums[0], sums[2])
			return
		}
	}
}
