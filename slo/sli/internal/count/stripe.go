package count

import (
	"encoding/binary"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/count/lookup"
	"github.com/slowburn/slowburn/slo/sli/internal/judge"
)

// Log stores records that survive the process. It is safe for concurrent use.
type Log interface {
	// Append copies a record, and reports whether it kept it. It takes no lock that all share. After the first that it refused
	// it refuses all.
	Append(record []byte) bool
}

// stripe turns the spans of requests into records, one request at a time. There are at least two stripes per processor, up to
// maxStripes.
type stripe struct {
	*tree
	mu    sync.Mutex
	judge *judge.Judge
	// pending holds the records of spans that are not folded into their series yet.
	pending []byte
	// log keeps the records, nil for none. refused says that it refused some.
	log     Log
	refused bool
	turn    uint64 // of the log

	keys    [runLength]lookup.Key // of the names of the spans being counted
	marking marking               // of the request being counted
	looked  uint64                // has no meaning: it keeps the reads of cells from being dead code

	_ [64]byte // stripes share no cache line
}

const (
	// foldAt is how many bytes of pending records make a request fold them, if no other goroutine folds.
	foldAt = 64 << 10
	// maxStripes bounds the memory of stripes on large machines.
	maxStripes = 256
)

// count appends one record of the request's spans to pending and to the log, and adds their numbers to n. It sets refused if
// the log refuses the record.
func (s *stripe) count(r *wire.Request, id RequestID, at int64, n *Result) {
	begin := len(s.pending)
	s.pending = appendSpansHead(s.pending, id, at)
	res := resource{index: -1}
	now := newMoment(at)
	for rest := r.Spans; len(rest) > 0; {
		if rest[0].TraceID.IsZero() || rest[0].ID.IsZero() {
			rest = rest[1:]
			continue
		}
		if of := rest[0].Resource; of != res.index {
			res.ages.note()
			res = s.resource(of, r.Resources[of].Body.Of(r.Bytes))
		}
		run := s.run(rest, r.Bytes, &res)
		for i := range run {
			s.span(r.Bytes, &run[i], s.keys[i], &res, &now, &n.Overflow)
		}
		n.Spans += int64(len(run))
		rest = rest[len(run):]
	}
	res.ages.note()
	s.judge.Release()
	if n.Spans == 0 && id.IsZero() {
		s.pending = s.pending[:begin]
		return
	}
	record := s.pending[begin:]
	binary.LittleEndian.PutUint32(record[4:], uint32(len(record)))
	if s.log != nil && !s.log.Append(record) {
		s.refused = true
	}
}

// runLength is how many spans are looked up at once.
const runLength = 64

// run returns the leading spans that share a resource and have IDs, at most runLength, and computes their keys. It touches the
// cells of all of them before any is used: with many names these are not in the processor's caches, and so it waits for all of
// them at once.
func (s *stripe) run(spans []wire.Span, b []byte, res *resource) []wire.Span {
	seed := res.service.operations.seed
	n := 0
	for n < min(len(spans), runLength) && spans[n].Resource == res.index && !spans[n].TraceID.IsZero() && !spans[n].ID.IsZero() {
		s.keys[n] = lookup.KeyOf(spans[n].Name.Of(b), seed)
		n++
	}
	s.looked += s.operations.Touch(s.keys[:n])
	if len(res.service.indicators) > 0 {
		s.lookAtTallies(n)
	}
	return spans[:n]
}

// lookAtTallies touches the tallies of the cells that run touched.
func (s *stripe) lookAtTallies(n int) {
	var tallies [runLength]*tally
	for i := range s.keys[:n] {
		if op := s.operations.Likely(s.keys[i]); op != nil && len(op.tallies) > 0 {
			tallies[i] = &op.tallies[0]
		}
	}
	for _, t := range tallies[:n] {
		if t != nil && t.latest.Load() != nil {
			s.looked++
		}
	}
}

// resource caches the resource of the spans that are being counted.
type resource struct {
	index    int32
	service  *service
	overflow bool // service stands for another one
	text     []byte
	version  *value // nil until asked for
	// versionOverflow says that version stands for another one.
	versionOverflow bool
	ages            processAges
}

// resource looks a resource up, once for all of its spans.
func (s *stripe) resource(index int32, body []byte) resource {
	res := resource{index: index}
	name := resourceText(body, "service.name")
	if len(name) == 0 {
		name = []byte(unknownService)
	}
	res.service, res.overflow = s.serviceOf(name)
	if len(res.service.indicators) > 0 {
		res.text = resourceText(body, "service.version")
		s.judge.SetResource(judge.Resource{Body: body, Service: name, Version: res.text})
		res.ages.process = s.clocks.Of(res.service.label, res.service.operations.seed, instanceOf(body))
	}
	return res
}

// resourceText returns a resource attribute as text, empty where there is none.
func resourceText(resourceSpans []byte, key string) []byte {
	v, ok := wire.ResourceAttribute(resourceSpans, key)
	switch {
	case !ok:
		return nil
	case v.Kind() == wire.String:
		return v.Bytes()
	default:
		return []byte(v.AsString())
	}
}

// span appends the entries of one span.
func (s *stripe) span(b []byte, span *wire.Span, k lookup.Key, res *resource, now *moment, overflow *[NumLabels]int64) {
	kind, status := kindOf(span.Kind), statusOf(span.Status)
	var op *operation
	var number uint32
	of := callTag(kind, status)
	if c := s.operations.Find(k); c != nil {
		op = c.Value
		if c.Tag == of {
			number = c.Number
		}
	} else {
		var over bool
		if op, over = s.operationOf(res.service, span.Name.Of(b), kind, status); over {
			overflow[s.cause(SpanName)]++
		}
	}
	if number == 0 {
		if number = op.calls[of].Load(); number == 0 {
			number = s.newCalls(op, kind, status, overflow)
		}
	}
	if res.overflow {
		overflow[s.cause(ServiceName)]++
	}
	w := weightOne
	if span.TraceState.Len() > 0 {
		w = weightOf(span.TraceID, span.TraceState.Of(b))
	}
	var duration uint64
	if span.End > span.Start {
		duration = span.End - span.Start
	}
	s.pending = appendCall(s.pending, number, duration, w)
	if len(res.service.indicators) > 0 && len(op.tallies) > 0 {
		if age := now.age(span.End, &res.ages); age != 0 {
			s.pending = appendAge(s.pending, age)
		}
		e := event{from: span, span: judge.Span{Body: span.Body.Of(b), Name: span.Name.Of(b), Kind: kind, Status: status, Duration: duration}, weight: w}
		s.event(op, &e, res, overflow)
	}
}

// event holds what indicators need of a span.
type event struct {
	from    *wire.Span
	span    judge.Span
	weight  Weight
	reasons [judge.NumCauses]*value // by cause, nil until asked for
}

// event appends the entries of a span for each indicator that selects it.
func (s *stripe) event(op *operation, e *event, res *resource, overflow *[NumLabels]int64) {
	s.judge.SetSpan(e.span)
	selected := false
	for i := range op.tallies {
		t := &op.tallies[i]
		if !s.matches(t.indicator, e, op) {
			continue
		}
		if res.version == nil {
			res.version, res.versionOverflow = s.versionOf(op.service, res.text)
		}
		selected = true
		var cause judge.Cause
		usual := t.indicator.latency && e.span.Duration > t.indicator.threshold
		bad := usual
		if !usual {
			cause, bad = s.judge.First(t.indicator.bad)
		}
		if t.latest.Load() == res.version {
			if !bad {
				s.pending = appendEvent(s.pending, t.total, e.weight)
				continue
			}
			if usual && t.bad != 0 && !s.marking.open(t.indicator) {
				s.pending = appendEvent(appendEvent(s.pending, t.total, e.weight), t.bad, e.weight)
				continue
			}
		}
		v := t.of(res.version)
		if v == nil {
			v = s.newTally(op, t, res.version, e, overflow)
		}
		s.pending = appendEvent(s.pending, v.total.number, e.weight)
		switch {
		case !bad:
		case usual:
			s.bad(v.bad.Load(), e)
		default:
			s.bad(s.badSeries(v, e, cause, overflow), e)
		}
	}
	if selected && res.versionOverflow {
		overflow[s.cause(ServiceVersion)]++
	}
}

// bad appends the entry of a bad event, and makes it a mark if there is room for one.
func (s *stripe) bad(series *EventSeries, e *event) {
	s.pending = appendEvent(s.pending, series.number, e.weight)
	if s.marking.most > 0 {
		s.marking.add(series, e)
	}
}

// marking collects the marks of a request.
type marking struct {
	most   int // for an objective and minute
	at     int64
	minute int64 // of at
	list   []Mark
}

// open reports whether a bad event of an objective may become a mark.
func (m *marking) open(in *indicator) bool { return m.most > 0 && in.quota.Open(m.minute) }

// add makes a bad event a mark, if its objective may have one more in this minute.
func (m *marking) add(series *EventSeries, e *event) {
	in := series.tally.tally.indicator
	if !m.open(in) || series.closed.Load() == m.minute+1 {
		return
	}
	reason := series.reason.label
	if in.latency && in.bad == judge.NoList {
		reason = "" // the only one
	}
	if !in.quota.Take(m.minute, m.most, reason) {
		series.closed.Store(m.minute + 1)
		return
	}
	m.list = append(m.list, Mark{
		Series: series, Trace: e.from.TraceID, Span: e.from.ID, At: m.at, Duration: e.span.Duration,
		Kind: e.span.Kind, Status: e.span.Status,
	})
}

// matches reports whether an indicator selects a span of an operation.
func (s *stripe) matches(in *indicator, e *event, op *operation) bool {
	if in.kinds&(1<<e.span.Kind) == 0 {
		return false
	}
	exclude := in.exclude
	if op.unnamed {
		exclude = in.excludeUnnamed
		for _, condition := range in.unnamed {
			if !s.judge.Meets(condition) {
				return false
			}
		}
	}
	for _, condition := range in.conditions {
		if !s.judge.Meets(condition) {
			return false
		}
	}
	if exclude == judge.NoList {
		return true
	}
	_, excluded := s.judge.First(exclude)
	return !excluded
}
