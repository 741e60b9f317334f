package count

import (
	"cmp"
	"math"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/clocks"
)

// OTLP's span kinds and statuses, as the labels have them: the names that the Collector's spanmetrics connector gives.
var (
	kindNames = [wire.NumKinds]string{
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
		"SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
	}
	statusNames = [wire.NumStatuses]string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}
)

// kindOf takes a kind that OTLP does not know yet for an unspecified one.
func kindOf(n int32) uint8 {
	if n < 0 || n >= wire.NumKinds {
		return 0
	}
	return uint8(n)
}

// statusOf takes a status that OTLP does not know for none.
func statusOf(n int32) uint8 {
	if n < 0 || n >= wire.NumStatuses {
		return 0
	}
	return uint8(n)
}

// KindName returns the label of a kind of a Mark.
func KindName(kind uint8) string { return kindNames[kind] }

// StatusName returns the label of a status of a Mark.
func StatusName(status uint8) string { return statusNames[status] }

// Objective returns the name of the objective that the events are of.
func (s *EventSeries) Objective() string { return s.tally.tally.indicator.objective }

// Service returns the label of the service.
func (s *EventSeries) Service() string { return s.tally.operation.service.label }

// Operation returns the label of the operation.
func (s *EventSeries) Operation() string { return s.tally.operation.label }

// Version returns the label of the service's version.
func (s *EventSeries) Version() string { return s.tally.version.label }

// Reason returns the label of why the events are bad, and false if the series is of the total.
func (s *EventSeries) Reason() (label string, bad bool) {
	if s.reason == nil {
		return "", false
	}
	return s.reason.label, true
}

// Service returns the label of the service.
func (s *CallSeries) Service() string { return s.operation.service.label }

// Operation returns the label of the operation.
func (s *CallSeries) Operation() string { return s.operation.label }

// Kind returns the name of the spans' kind.
func (s *CallSeries) Kind() string { return kindNames[s.kind] }

// Status returns the name of the spans' status.
func (s *CallSeries) Status() string { return statusNames[s.status] }

// The ages of events: the whole minutes from the minute in which a span ended to that of the sample that has its event. Older
// events have the age late.
const (
	oldestAge = 15
	ageLate   = oldestAge + 1
	numAges   = ageLate + 1
)

var ageNames = [numAges]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "late"}

// AgeSeries is the time series of the events of an EventSeries that have one age.
type AgeSeries struct {
	Series
	n     Weight
	older *AgeSeries // of the same EventSeries, in the order of their birth
}

// Age returns the label of the age.
func (a *AgeSeries) Age() string { return ageNames[a.age] }

// ages yields the series of each age, first that of age 0, which each EventSeries has.
func (s *EventSeries) ages(yield func(*AgeSeries) bool) {
	for a := &s.AgeSeries; a != nil && yield(a); a = a.older {
	}
}

// aged returns the series of an age, which it makes if missing. At the limit of series, an age from 2 to oldestAge that has no series
// counts as late: the sum stays exact, and no old event counts as a new one. The caller holds mu.
func (s *EventSeries) aged(t *tree, age uint8) *AgeSeries {
	if a := s.find(age); a != nil {
		return a
	}
	if t.crowded.Load() && age > 1 {
		age = ageLate
	}
	return s.makeAge(t, age)
}

func (s *EventSeries) find(age uint8) *AgeSeries {
	for a := range s.ages {
		if a.age == age {
			return a
		}
	}
	return nil
}

// makeAge returns the series of an age, whatever the limit is.
func (s *EventSeries) makeAge(t *tree, age uint8) *AgeSeries {
	if a := s.find(age); a != nil {
		return a
	}
	a := &AgeSeries{Series: Series{number: s.number, events: true, age: age}}
	last := &s.AgeSeries
	for last.older != nil {
		last = last.older
	}
	last.older = a
	t.older++
	t.weigh()
	return a
}

// removeAges removes the series of ages that match. That of age 0 stays.
func (s *EventSeries) removeAges(t *tree, match func(*AgeSeries) bool) {
	for a := &s.AgeSeries; a.older != nil; {
		if match(a.older) {
			a.older = a.older.older
			t.older--
			continue
		}
		a = a.older
	}
}

// minute is a minute since the Unix epoch, which includes its start and excludes its end.
type minute int32

// lateMinute stands for all minutes that are too long ago to have an age.
const lateMinute minute = math.MinInt32

const millisPerMinute, nanosPerMinute = 60_000, 60_000_000_000

func minuteOf(millis int64) minute {
	m := millis / millisPerMinute
	if millis < 0 && millis%millisPerMinute != 0 {
		m--
	}
	return minute(m)
}

// sampleMinute returns the minute of a sample's time, in Unix ms. Such a minute excludes its start and includes its end, like a
// range of PromQL: the sample has the events before its time.
func sampleMinute(at int64) minute { return minuteOf(at - 1) }

// age returns the age that an event of the minute has in a sample of another.
func (m minute) age(sample minute) uint8 {
	switch {
	case m == lateMinute || sample-m > oldestAge:
		return ageLate
	case m > sample: // the clock was set back
		return 0
	default:
		return uint8(sample - m)
	}
}

// eventNumber has the events of a series that are in no sample yet, by its number: those of one minute in which their spans ended. Those
// of others, which are few, are at the series. It is small, because counting goes through many of them.
type eventNumber struct {
	whole  uint64 // of the Weight, and its part
	part   uint32
	minute minute
	series *EventSeries
}

func (e *eventNumber) isFree() bool { return e.series == nil }

type minuteCount struct {
	minute minute
	n      Weight
}

// maxEnding is how many minutes are told apart: ages beyond that are late anyway.
const maxEnding = numAges + 1

// addOne counts an event of a span that ended in a minute.
func (e *eventNumber) addOne(m minute) {
	if m == e.minute {
		e.whole++
		return
	}
	e.add(m, weightOne)
}

func (e *eventNumber) add(m minute, n Weight) {
	s := e.series
	if m != e.minute && e.whole == 0 && e.part == 0 && len(s.ending) == 0 {
		e.minute = m
	}
	if m == e.minute {
		own := Weight{e.whole, e.part}
		own.add(n)
		e.whole, e.part = own.whole, own.part
		return
	}
	for i := range s.ending {
		if s.ending[i].minute == m {
			s.ending[i].n.add(n)
			return
		}
	}
	s.ending = append(s.ending, minuteCount{m, n})
	if len(s.ending) > maxEnding {
		e.compact()
	}
}

// take is add for a negative count.
func (e *eventNumber) take(m minute, n Weight) {
	var negative Weight
	negative.sub(n)
	e.add(m, negative)
}

// compact adds up the minutes that are late already.
func (e *eventNumber) compact() {
	all := append(e.series.ending, minuteCount{e.minute, Weight{e.whole, e.part}})
	newest := lateMinute
	for _, c := range all {
		newest = max(newest, c.minute)
	}
	var late Weight
	var others []minuteCount
	for _, c := range all {
		if c.minute.age(newest) == ageLate {
			late.add(c.n)
		} else {
			others = append(others, c)
		}
	}
	e.set(append(others, minuteCount{lateMinute, late}))
}

// set replaces all minutes.
func (e *eventNumber) set(minutes []minuteCount) {
	e.whole, e.part, e.minute = 0, 0, 0
	if len(minutes) > 0 {
		first := minutes[0]
		e.whole, e.part, e.minute = first.n.whole, first.n.part, first.minute
		minutes = minutes[1:]
	}
	e.series.ending = append(e.series.ending[:0], minutes...)
}

func (e *eventNumber) isEmpty() bool { return e.whole == 0 && e.part == 0 && len(e.series.ending) == 0 }

// all yields the events of each minute.
func (e *eventNumber) all(yield func(minuteCount) bool) {
	if n := (Weight{e.whole, e.part}); !n.isZero() && !yield(minuteCount{e.minute, n}) {
		return
	}
	for _, c := range e.series.ending {
		if !c.n.isZero() && !yield(c) {
			return
		}
	}
}

// settle is called after a restore. A record of aged events may name a minute whose events were added up under late since, or are in a
// record that no log kept: then a minute has less than nothing. Other minutes make up for it, the oldest first.
func (e *eventNumber) settle() {
	var positive, kept []minuteCount
	var debt Weight
	for c := range e.all {
		if c.n.isNegative() {
			var n Weight
			n.sub(c.n)
			debt.add(n)
			continue
		}
		positive = append(positive, c)
	}
	slices.SortFunc(positive, func(a, b minuteCount) int { return cmp.Compare(a.minute, b.minute) })
	for _, c := range positive {
		paid := debt
		if c.n.less(paid) {
			paid = c.n
		}
		c.n.sub(paid)
		debt.sub(paid)
		if !c.n.isZero() {
			kept = append(kept, c)
		}
	}
	e.set(kept)
}

// moment is when a request was counted.
type moment struct {
	minute minute
	nanos  uint64 // since the Unix epoch
	began  uint64 // when the minute began, likewise
}

func newMoment(at int64) moment {
	m := minuteOf(at)
	return moment{m, uint64(max(at, 0)) * 1e6, uint64(max(m, 0)) * nanosPerMinute}
}

// processAges adds up how long ago the spans of a process ended, until they are noted.
type processAges struct {
	clocks.Ages
	process *clocks.Process // nil if its service has no objective
}

func (a *processAges) note() {
	if a.process != nil {
		a.process.Note(&a.Ages)
	}
}

// age returns the age in minutes of a span when it was counted, at most ageLate. It is 0 for a span that ends in the future, or never,
// and for those of a process whose clock is off.
func (m *moment) age(end uint64, ages *processAges) uint32 {
	ages.Spans++
	if end >= m.began {
		if end >= m.nanos+clocks.FutureAfter {
			ages.Future++
		}
		return 0
	}
	if end == 0 {
		return 0
	}
	if ago := m.nanos - end; ago > clocks.OldAfter {
		ages.Old++
		ages.Behind += ago
	}
	if ages.process.Off() {
		return 0
	}
	return uint32(min(int64(m.minute)-int64(end/nanosPerMinute), ageLate))
}

// instanceOf returns what tells a process from others of its service: service.instance.id, which most SDKs set, else host.name.
// It is empty if the resource has neither.
func instanceOf(resource []byte) []byte {
	if id := resourceText(resource, "service.instance.id"); len(id) > 0 {
		return id
	}
	return resourceText(resource, "host.name")
}
