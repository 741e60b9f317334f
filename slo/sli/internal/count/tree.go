package count

import (
	"sync"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/clocks"
	"github.com/slowburn/slowburn/slo/sli/internal/count/lookup"
	"github.com/slowburn/slowburn/slo/sli/internal/judge"
)

// tree holds the services that were seen, their operations, and per operation the series of calls and durations and those of
// each indicator that selects it. A node lives as long as there is a series below it.
//
// Spans walk it without a lock: tables, lists and numbers only grow. Births take mu. Removals also need all stripes.
type tree struct {
	limits     Limits
	indicators []*indicator
	// named are the services that indicators name.
	named      map[string]struct{}
	operations *lookup.Table[operation]
	values     *lookup.Table[value]
	services   names[service]
	owed       owed
	clocks     *clocks.Clocks

	// crowded says that the limit of series is reached: then only exempt values and Other get new ones.
	crowded atomic.Bool

	// mu guards what follows, the births above, and the counts of all series.
	mu sync.Mutex
	// calls and events are all series, in the order of their birth.
	calls  []*CallSeries
	events []*EventSeries
	// call and event are the series by number.
	call  numbers[CallSeries]
	event numbers[eventNumber]
	// older counts the series of ages beside those of age 0.
	older int
	work
}

// work is what apply works with. looked has no meaning: it makes that reads of it are no dead code.
type work struct {
	group  [groupLength]call
	full   [groupLength]*CallSeries
	looked uint64
}

// weigh updates crowded. The caller holds mu.
func (t *tree) weigh() {
	t.crowded.Store(t.limits.Series > 0 && callSeries*len(t.calls)+len(t.events)+t.older >= t.limits.Series)
}

// callSeries is how many time series a CallSeries is: the calls and their durations.
const callSeries = 2

// cause returns the label whose limit made a span count under Other.
func (t *tree) cause(l Label) Label {
	if t.crowded.Load() {
		return AllSeries
	}
	return l
}

// numbers gives each series the least free number, for records to refer to it. 0 is none. The series are in chunks, so that
// finding one by its number needs no list of pointers.
type numbers[T any] struct {
	chunks []*[chunkLength]T
	used   uint32 // the numbers below it were given
	free   []uint32
}

const chunkLength = 256

// add returns a new series and its number.
func (n *numbers[T]) add() (*T, uint32) {
	if last := len(n.free) - 1; last >= 0 {
		number := n.free[last]
		n.free = n.free[:last]
		return n.at(number), number
	}
	number := max(n.used, 1)
	return n.claim(number), number
}

// claim returns the series that has a number, perhaps one that was not given.
func (n *numbers[T]) claim(number uint32) *T {
	n.used = max(n.used, number+1)
	for int(number/chunkLength) >= len(n.chunks) {
		n.chunks = append(n.chunks, nil)
	}
	if n.chunks[number/chunkLength] == nil {
		n.chunks[number/chunkLength] = new([chunkLength]T)
	}
	return n.at(number)
}

func (n *numbers[T]) remove(number uint32) {
	var none T
	*n.at(number) = none
	n.free = append(n.free, number)
}

// at returns the series of a number that was given.
func (n *numbers[T]) at(number uint32) *T { return &n.chunks[number/chunkLength][number%chunkLength] }

// find is at for any number. It returns nil if the number has no series, which isFree tells.
func (n *numbers[T]) find(number uint32, isFree func(*T) bool) *T {
	if number == 0 || number >= n.used || n.chunks[number/chunkLength] == nil {
		return nil
	}
	if t := n.at(number); !isFree(t) {
		return t
	}
	return nil
}

// collect lists the free numbers, after calls of claim.
func (n *numbers[T]) collect(isFree func(*T) bool) {
	n.free = n.free[:0]
	for number := n.used; number > 1; number-- {
		if n.chunks[(number-1)/chunkLength] != nil && isFree(n.at(number-1)) {
			n.free = append(n.free, number-1)
		}
	}
}

func (s *CallSeries) isFree() bool { return s.operation == nil }

// addEvents gives a series a number.
func (t *tree) addEvents(s *EventSeries) {
	s.at, s.number = t.event.add()
	s.at.series = s
}

func newTree(limits Limits, objectives []slo.Objective, rules *judge.Rules) *tree {
	t := &tree{limits: limits, named: make(map[string]struct{}), operations: lookup.New[operation](), values: lookup.New[value](), clocks: clocks.New()}
	t.services.init(lookup.New[service](), limits.Services, &t.crowded)
	t.indicators = compile(objectives, rules)
	for _, in := range t.indicators {
		for name := range in.service.names {
			t.named[name] = struct{}{}
		}
	}
	return t
}

// service is one service.name.
type service struct {
	slot
	operations names[operation]
	versions   names[value]
	reasons    names[value]
	// indicators are those of this service, named the operations that any of them names.
	indicators []*indicator
	named      map[string]struct{}
}

// value is a version or a reason, which a service's series share.
type value struct {
	slot
	series int
}

// operation is one span name of a service.
type operation struct {
	tallies []tally // first, as this is in one line of the processor's cache then
	slot
	service *service
	// calls are the numbers of its series, by kind and status. The first of them, and whose it is, is also in the cell of the
	// table, so that most spans need not look here.
	calls  [wire.NumKinds * wire.NumStatuses]atomic.Uint32
	series int
	// unnamed says that it stands for more than one operation or service.
	unnamed bool
}

// callTag is the index of a kind and a status in operation.calls.
func callTag(kind, status uint8) uint32 { return uint32(kind)*wire.NumStatuses + uint32(status) }

// tally is what an indicator counts in an operation. Two of them share a cache line.
type tally struct {
	indicator *indicator
	versions  atomic.Pointer[versionTally] // the first
	// latest is the version of most spans, whose series are total and bad.
	latest atomic.Pointer[value]
	total  uint32 // the number of its total
	bad    uint32 // that of its bad events for the usual reason, 0 where it has none yet
}

// versionTally is what an indicator counts in an operation for one version of the service.
type versionTally struct {
	tally     *tally
	operation *operation
	version   *value
	next      atomic.Pointer[versionTally] // of the tally
	total     EventSeries
	// bad are the series of bad events, one per reason; the first is for the indicator's default reason.
	bad atomic.Pointer[EventSeries]
}

// EventSeries is the time series of total events, or of bad ones for a reason: one for each age. The first is of age 0.
type EventSeries struct {
	AgeSeries
	tally  *versionTally
	reason *value                      // nil for the total
	next   atomic.Pointer[EventSeries] // of the bad ones
	at     *eventNumber
	ending []minuteCount // the events in no sample yet, beside those of at
	// closed is the last minute in which no more of its events become marks, plus one.
	closed atomic.Int64
}

// CallSeries is the time series of calls and the one of their durations. Its parts begin lines of the processor's cache.
type CallSeries struct {
	recent recent
	// duration is what is not recent, and the calls: they are the sum of its weights.
	duration Histogram
	Series
	operation    *operation
	kind, status uint8
}

// of returns the tally of a version, or nil. There are one or two versions at a time, so this beats a map.
func (t *tally) of(version *value) *versionTally {
	v := t.versions.Load()
	for v != nil && v.version != version {
		v = v.next.Load()
	}
	return v
}

// because returns the series of a reason's bad events, or nil.
func (v *versionTally) because(reason *value) *EventSeries {
	s := v.bad.Load()
	for s != nil && s.reason != reason {
		s = s.next.Load()
	}
	return s
}

func (t *tree) newService(s slot) *service {
	svc := &service{slot: s, named: make(map[string]struct{})}
	svc.operations.init(t.operations, t.limits.Operations, &t.crowded)
	svc.versions.init(t.values, t.limits.Versions, &t.crowded)
	svc.reasons.init(t.values, t.limits.Reasons, &t.crowded)
	for _, in := range t.indicators {
		if in.service.meets(s.label) {
			svc.indicators = append(svc.indicators, in)
			for name := range in.operation.names {
				svc.named[name] = struct{}{}
			}
		}
	}
	t.services.put(s, svc)
	return svc
}

// newOperation comes with the number that its first series will have, and whose it is.
func (s *service) newOperation(at slot, number, tag uint32) *operation {
	op := &operation{slot: at, service: s, unnamed: at.label == Other || s.label == Other}
	selected := 0
	for _, in := range s.indicators {
		if in.selects(s.label, at.label) {
			selected++
		}
	}
	op.tallies = make([]tally, 0, selected)
	for _, in := range s.indicators {
		if in.selects(s.label, at.label) {
			op.tallies = op.tallies[:len(op.tallies)+1]
			last := &op.tallies[len(op.tallies)-1]
			last.indicator = in
		}
	}
	if number != 0 {
		op.calls[tag].Store(number)
	}
	s.operations.table.Insert(lookup.KeyOf([]byte(at.label), s.operations.seed), op, number, tag)
	s.operations.took(at)
	return op
}

// reason returns the value that stands for a reason, which the caller must give a series.
func (s *service) reason(text []byte) (v *value, overflow bool) {
	if v := s.reasons.get(text); v != nil {
		return v, v.label == Other
	}
	return admitValue(&s.reasons, string(text), isUsual(text))
}

// isUsual reports whether a reason is an indicator's default.
func isUsual(text []byte) bool { return string(text) == reasonError || string(text) == reasonLatency }

// version is reason's like for versions.
func (s *service) version(text []byte) (v *value, overflow bool) {
	if v := s.versions.get(text); v != nil {
		return v, v.label == Other
	}
	return admitValue(&s.versions, string(text), false)
}

func admitValue(n *names[value], text string, exempt bool) (*value, bool) {
	at, v, overflow := n.admit(text, exempt)
	if v == nil {
		v = &value{slot: at}
		n.put(at, v)
	}
	return v, overflow
}
