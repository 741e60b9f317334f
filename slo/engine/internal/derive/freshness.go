package derive

import (
	"slices"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/accrual"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	day  = ledger.Minute(24 * 60)
	week = 7 * day
	// weeks is how many weeks back intervals are learnt.
	weeks = 4
	// Intervals are learnt for each half hour of the week, from margin before it to margin after it: an hour in all.
	part, margin = ledger.Minute(30), ledger.Minute(15)
	// longest bounds the silences and the intervals that are looked at. Where traffic usually pauses for longer, nothing is suspicious.
	longest = ledger.Minute(6 * 60)

	// fewFactor is how many times the longest interval makes a silence bad if there are too few intervals for phi.
	fewFactor = 3

	// Until a week is known, a silence of unknownSilence is bad if each block of minutes before it had traffic.
	unknownSilence = 30
	block, blocks  = ledger.Minute(5), ledger.Minute(24)
)

// silence is a judgement of the minutes without traffic that end with a minute.
type silence struct {
	bad bool
	// phi is 0 with too few intervals; usual is their mean, 0 without any.
	phi, usual float64
}

// trail is what is known of a run of minutes.
type trail struct {
	from   ledger.Minute
	events []slo.Events
	// judged has a total of 1 for each minute in which the connector sli counted from its start to its end.
	judged []slo.Events
}

func (t *trail) counted(m ledger.Minute) bool { return t.judged[m-t.from].Total > 0 }
func (t *trail) active(m ledger.Minute) bool  { return t.events[m-t.from].Total > 0 }

// read returns the minutes from from up to, but not including, to. own may be nil.
func read(l *ledger.Ledger, events, own *ledger.Account, from, to ledger.Minute) (*trail, error) {
	t := &trail{from: from, judged: make([]slo.Events, max(to-from, 0))}
	var err error
	if t.events, err = l.ByMinute(events, from, to); err != nil || own == nil {
		return t, err
	}
	t.judged, err = l.ByMinute(own, from, to)
	return t, err
}

// history is how many minutes before a minute its judgement looks at, beside those of earlier weeks.
const history = longest + block*blocks

// freshness counts each minute in which the connector sli counted, as bad if traffic has probably stopped by then.
func freshness(l *ledger.Ledger, o slo.Objective, events *ledger.Account, from ledger.Minute, counts *samples.Counts) (*samples.Counts, error) {
	out := &samples.Counts{Deltas: make([]ledger.Delta, len(counts.Deltas)), Measured: make([]bool, len(counts.Deltas))}
	copy(out.Measured, counts.Counting)
	own, ok, err := l.Find(o.Name)
	if err != nil {
		return nil, err
	}
	if !ok {
		own = nil
	}
	t, err := read(l, events, own, from-history, from+ledger.Minute(len(counts.Deltas)))
	if err != nil {
		return nil, err
	}
	for i := range counts.Deltas {
		if out.Measured[i] {
			t.judged[history+ledger.Minute(i)].Total = 1
		}
	}
	p := past{ledger: l, events: events, own: own, known: map[ledger.Minute][]float64{}}
	for i := range counts.Deltas {
		if !out.Measured[i] {
			continue
		}
		s, err := p.judge(o.Indicator, t, from+ledger.Minute(i), false)
		if err != nil {
			return nil, err
		}
		out.Deltas[i].Total = 1
		if s.bad {
			out.Deltas[i].Bad = 1
			t.judged[history+ledger.Minute(i)].Bad = 1
		}
	}
	return out, nil
}

// judge judges the silence that ends with the minute m. A minute that was not counted is not silent, and ends no silence. A silence
// that was bad stays bad, also when traffic usually pauses: it has not come back. Unless explained, its phi is not computed then.
func (p *past) judge(in slo.Indicator, t *trail, m ledger.Minute, explained bool) (s silence, err error) {
	length, since := 0, m+1
	for at := m; at > m-longest && !t.active(at); at-- {
		if t.counted(at) {
			length++
			since = at
		}
		s.bad = s.bad || at < m && t.judged[at-t.from].Bad > 0
	}
	if length < 2 || s.bad && !explained { // one minute may be a flush that is a little late
		return s, nil
	}
	var intervals []float64
	if p.own != nil && weekKnown(p.events, m) {
		if intervals, err = p.intervals(m - m%part); err != nil {
			return s, err
		}
	}
	phi, ok := accrual.Phi(intervals, float64(length))
	switch {
	case ok:
		s.phi, s.bad = phi, s.bad || phi >= in.Phi
	case len(intervals) > 0:
		s.bad = s.bad || float64(length) > fewFactor*slices.Max(intervals)
	default:
		s.bad = s.bad || length >= unknownSilence && t.steady(since)
	}
	for _, v := range intervals {
		s.usual += v / float64(len(intervals))
	}
	return s, nil
}

func weekKnown(events *ledger.Account, m ledger.Minute) bool { return m-events.First >= week }

// steady reports whether there was traffic in every block before a minute.
func (t *trail) steady(m ledger.Minute) bool {
	for b := range blocks {
		some := false
		for at := m - (b+1)*block; at < m-b*block; at++ {
			some = some || at >= t.from && t.active(at)
		}
		if !some {
			return false
		}
	}
	return true
}

// past has the minutes of earlier weeks.
type past struct {
	ledger      *ledger.Ledger
	events, own *ledger.Account
	known       map[ledger.Minute][]float64 // intervals by the start of their half hour
}

// intervals returns the intervals between minutes with traffic around the same half hour of earlier weeks, in minutes. Those with
// minutes that were not counted are left out. One that is longer than longest counts as that. Silences that were bad are learnt too:
// otherwise traffic that pauses from some day on would never be known to.
func (p *past) intervals(at ledger.Minute) ([]float64, error) {
	list, ok := p.known[at]
	if ok {
		return list, nil
	}
	for k := range ledger.Minute(weeks) {
		from, to := at-(k+1)*week-margin, at-(k+1)*week+part+margin
		if from < p.events.First {
			break
		}
		t, err := read(p.ledger, p.events, p.own, from-longest, to+longest)
		if err != nil {
			return nil, err
		}
		list = append(list, t.intervals(from, to)...)
	}
	p.known[at] = list
	return list, nil
}

// intervals returns the lengths of the intervals that have a part between two minutes.
func (t *trail) intervals(from, to ledger.Minute) (list []float64) {
	begin, clean := t.from, true
	end := t.from + ledger.Minute(len(t.events))
	for m := t.from; m <= end; m++ {
		if m < end {
			clean = clean && t.counted(m)
			if !t.active(m) {
				continue
			}
		}
		if clean && m > from && begin < to {
			list = append(list, float64(min(m-begin, longest)))
		}
		begin, clean = m, true
	}
	return list
}

// Learning is how long minutes must be kept for what freshness learns.
const Learning = time.Duration(weeks*week+day) * time.Minute

// AssessSilence adds to the assessment of a freshness objective whether its traffic has stopped, as of the last counted minute. While
// less than a week is known, pages become tickets.
func AssessSilence(l *ledger.Ledger, own *ledger.Account, last ledger.Minute, as *alert.Assessment) error {
	events, ok, err := l.Find(EventsAccount(as.Objective.Name))
	if err != nil || !ok {
		return err
	}
	severity := slo.Page
	if !weekKnown(events, last) {
		severity = slo.Ticket
		for i := range as.Tiers {
			as.Tiers[i].Severity = slo.Ticket
		}
	}
	verdict, err := l.Sum(own, last, last+1)
	if err != nil || verdict.Bad == 0 {
		return err
	}
	t, err := read(l, events, own, last-history, last+1)
	if err != nil {
		return err
	}
	p := past{ledger: l, events: events, own: own, known: map[ledger.Minute][]float64{}}
	s, err := p.judge(as.Objective.Indicator, t, last, true)
	if err != nil {
		return err
	}
	if s.usual == 0 {
		severity = slo.Ticket
	}
	since, err := lastTraffic(l, events, last)
	as.Silence = &alert.Silence{Since: since.End(), Severity: severity, Usual: time.Duration(s.usual * float64(time.Minute)), Phi: s.phi}
	return err
}

// lastTraffic returns the last minute with traffic before a silent one, at most a week back.
func lastTraffic(l *ledger.Ledger, events *ledger.Account, m ledger.Minute) (ledger.Minute, error) {
	oldest := max(m-week, events.First)
	for to := m; to > oldest; to -= day {
		from := max(to-day, oldest)
		all, err := l.ByMinute(events, from, to)
		if err != nil {
			return oldest, err
		}
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].Total > 0 {
				return from + ledger.Minute(i), nil
			}
		}
	}
	return oldest, nil
}
