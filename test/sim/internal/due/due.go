// Package due computes from counts alone when an alert is due, and compares a receiver's notifications with that. It is an
// oracle: it shares no code with the product's alerts, and follows the SRE Workbook's rule.
//
// Its types are History (what happened, by minute, as far as that is known), Events (some of it), Notice (a notification) and
// Severity. Some counts are known to lie within some minutes only, and some are uncertain: a severity has a least and a greatest
// value, and notifications must lie between them.
package due

import (
	"fmt"
	"time"
)

// Minute is a minute since the Unix epoch.
type Minute int64

// MinuteOf returns the minute of a sample: like a range of PromQL, a minute excludes its start and includes its end.
func MinuteOf(t time.Time) Minute { return Minute((t.UnixNano() - 1) / int64(time.Minute)) }

// Start returns the start of the minute.
func (m Minute) Start() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// Severity is the urgency of an alert; 0 means that none is due.
type Severity int

// The severities.
const (
	Nothing Severity = iota
	Ticket
	Page
)

func (s Severity) String() string { return [...]string{"nothing", "ticket", "page"}[s] }

// SeverityOf returns the severity of a label.
func SeverityOf(label string) Severity {
	switch label {
	case "page":
		return Page
	case "ticket":
		return Ticket
	}
	return Nothing
}

// tier is a rule: it fires while the errors in both its windows, in minutes, burn the budget factor times as fast as allowed.
type tier struct {
	severity    Severity
	long, short Minute
	factor      float64
}

// tiers are the SRE Workbook's for 30 days: 2 % of the budget in an hour, 5 % in six, 10 % in a day or in three.
var tiers = [...]tier{
	{Page, 60, 5, 14.4},
	{Page, 6 * 60, 30, 6},
	{Ticket, 24 * 60, 2 * 60, 3},
	{Ticket, 72 * 60, 6 * 60, 1},
}

const (
	window Minute = 30 * 24 * 60 // the objective's
	narrow Minute = 5            // the shortest window of a tier
	// remembered is the number of minutes for which the last measured minute counts as current.
	remembered Minute = 5
)

const (
	// convincing is the number of bad events that low traffic never suppresses.
	convincing = 10
	rounding   = 1e-9
)

// Events were counted in one of the minutes From to To.
type Events struct {
	From, To  Minute
	Good, Bad int
	// Sure means that all of them were counted; otherwise each may have been.
	Sure bool
}

// Notice is a notification of the alert.
type Notice struct {
	Firing   bool
	Severity Severity
	// StartsAt and EndsAt are the ends of the minutes in which it began and ended.
	StartsAt, EndsAt time.Time
}

// History is the history of an objective.
type History struct {
	// Target is the objective's target, between 0 and 1.
	Target float64
	// First is the first evaluated minute, End the minute after the last.
	First, End Minute
	Events     []Events
	// Measured are the minutes in which the database has a sample of the objective.
	Measured map[Minute]bool
}

// span is the least and the greatest severity.
type span struct{ least, most Severity }

// levels returns the severity that is due at the start of each minute from First to End, inclusive.
func (h *History) levels() []span {
	list := make([]span, h.End-h.First+1)
	s := newSums(h)
	last := Minute(-1)                          // that was measured
	measured := make([]Minute, h.End-h.First+1) // minutes since First, by minute
	for at := h.First + 1; at <= h.End; at++ {
		measured[at-h.First] = measured[at-h.First-1]
		if h.Measured[at-1] {
			last = at - 1
			measured[at-h.First]++
		}
		surely := func(w Minute) Minute { return measured[at-h.First] - measured[max(at-w-h.First, 0)] } // covered of a window
		now, before := &list[at-h.First], list[at-h.First-1]
		whole := s.window(at-window, at)
		seen := min(at-h.First, window)
		unmeasured := at-(last+1) > remembered
		for _, t := range tiers {
			long, short := s.window(at-t.long, at), s.window(at-t.short, at)
			rate := t.factor * (1 - h.Target)
			share := rate * float64(t.long) / float64(window) // the share of bad events that fires
			// A young window is expected to go on like its covered part, which is at least what was surely measured of it, and at most
			// all that was seen.
			most := float64(whole.most()) * (1 + float64(window-seen)/float64(max(surely(window), 1)))
			judged := before.least >= t.severity || 10*surely(t.long) >= t.long || float64(long.bad.least) >= share*most*(1-rounding)
			if judged && long.surely(rate) && short.surely(rate) && long.bad.least >= enough(share, most) {
				now.least = max(now.least, t.severity)
			}
			least := float64(whole.least()) * float64(window) / float64(seen)
			judged = before.most >= t.severity || 10*min(seen, t.long) >= t.long || float64(long.bad.most) >= share*least*(1-rounding)
			if judged && long.perhaps(rate) && short.perhaps(rate) && long.bad.most >= enough(share, least) {
				now.most = max(now.most, t.severity)
			}
			// A firing alert continues while nothing is measured, as long as the long window contains its cause.
			if unmeasured && before.least >= t.severity && long.bad.least > 0 && long.surely(rate) {
				now.least = max(now.least, t.severity)
			}
		}
		if at-(last+1) >= narrow { // of the shortest window nothing was measured
			now.most = max(now.most, before.most)
		}
	}
	return list
}

// enough returns the number of bad events that fires, by the number of events that are expected of the objective's window.
func enough(share, all float64) int {
	need := min(share*all, convincing)
	n := 1
	for float64(n) < need*(1-rounding) {
		n++
	}
	return n
}

// episode is a period in which a receiver's notifications say that the alert fires.
type episode struct {
	from, to     Minute // to is the first at whose start it no longer fired
	first, worst Severity
}

// episodes returns a receiver's episodes in the order of its notifications. An open one ends at until.
func episodes(told []Notice, until Minute) ([]episode, error) {
	var list []episode
	open := false
	for _, n := range told {
		at := Minute(n.StartsAt.Unix() / 60)
		switch last := len(list) - 1; {
		case n.Firing && !open:
			list, open = append(list, episode{from: at, to: until, first: n.Severity, worst: n.Severity}), true
		case n.Firing && list[last].from != at:
			return nil, fmt.Errorf("it was told that the alert of %s fires, and then that it does since %s, and not that it was over",
				list[last].from.Start().Format(time.RFC3339), n.StartsAt.Format(time.RFC3339))
		case n.Firing:
			list[last].worst = max(list[last].worst, n.Severity)
		case !open:
			return nil, fmt.Errorf("it was told at %s that an alert is over of which it did not know", n.EndsAt.Format(time.RFC3339))
		default:
			list[last].to, open = Minute(n.EndsAt.Unix()/60), false
		}
	}
	return list, nil
}

// Check compares the notifications to a receiver of all severities with those that were due, and returns the first difference.
func (h *History) Check(told []Notice) error {
	if h.End <= h.First {
		return nil
	}
	list, err := episodes(told, h.End+1)
	if err != nil {
		return err
	}
	levels := h.levels()
	next := 0
	for at := h.First; at <= h.End; at++ {
		for next < len(list) && list[next].to <= at {
			next++
		}
		fires := next < len(list) && list[next].from <= at
		switch l := levels[at-h.First]; {
		case !fires && l.least > Nothing:
			return fmt.Errorf("a %s was due at %s, and it was not told that the alert fires", l.least, at.Start().Format(time.RFC3339))
		case fires && l.most == Nothing:
			return fmt.Errorf("nothing was due at %s, and by what it was told the alert fires since %s",
				at.Start().Format(time.RFC3339), list[next].from.Start().Format(time.RFC3339))
		}
	}
	for _, e := range list {
		if err := e.check(levels, h); err != nil {
			return err
		}
	}
	return nil
}

// check checks that the severities were the due ones.
func (e *episode) check(levels []span, h *History) error {
	began := e.from.Start().Format(time.RFC3339)
	if e.from <= h.First || e.from > h.End || e.to <= e.from {
		return fmt.Errorf("the alert of %s was at no time that was evaluated", began)
	}
	if l := levels[e.from-h.First]; e.first < l.least || e.first > l.most {
		return fmt.Errorf("the alert of %s began as a %s, where that was due: %s at least, %s at most", began, e.first, l.least, l.most)
	}
	var worst span
	for at := e.from; at < e.to && at <= h.End; at++ {
		l := levels[at-h.First]
		worst = span{max(worst.least, l.least), max(worst.most, l.most)}
	}
	if e.worst < worst.least || e.worst > worst.most {
		return fmt.Errorf("the alert of %s was a %s at its worst, where that was due: %s at least, %s at most", began, e.worst, worst.least, worst.most)
	}
	return nil
}
