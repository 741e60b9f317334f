package count

import (
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
)

// unknownService is the service of a resource that does not say: the name that SDKs fall back to.
const unknownService = "unknown_service"

// Counter counts the spans of requests. It is goroutine-safe: its mutex is held for one request, or for a part of the
// series when they are read, and while it is held nothing waits. No other lock is taken under it.
type Counter struct {
	limits     Limits
	indicators []*indicator
	// named are the services that indicators name.
	named map[string]struct{}

	mu         sync.Mutex
	attributes attributes
	services   names[service]
	// calls and events are all series, in the order of their birth.
	calls  []*CallSeries
	events []*EventSeries
}

// Limits are the most values that a label may have. What exceeds one is counted under Other. What an objective names comes
// on top.
type Limits struct {
	Services, Operations, Versions, Reasons int
}

// New returns a counter of spans, and of the events of the objectives.
func New(limits Limits, objectives []slo.Objective) *Counter {
	c := &Counter{
		limits:   limits,
		named:    make(map[string]struct{}),
		services: newNames[service](limits.Services),
	}
	c.indicators = compile(objectives, &c.attributes)
	for _, in := range c.indicators {
		if in.service != "" {
			c.named[in.service] = struct{}{}
		}
	}
	return c
}

// Label is a label that has a limit.
type Label int

// The labels.
const (
	ServiceName Label = iota
	SpanName
	ServiceVersion
	Reason

	NumLabels
)

// Result says what became of the spans of a request.
type Result struct {
	Spans int64
	// Overflow is the number of spans that were counted under Other for want of a slot, by label.
	Overflow [NumLabels]int64
}

// resource is the resource of the spans being counted.
type resource struct {
	index    int32
	service  *service
	overflow bool // service stands for another one
	text     []byte
	version  *value // nil until asked for
	// versionOverflow says that version stands for another one.
	versionOverflow bool
}

// Count counts every span of the request, except for those that are none because their trace or span ID is zero.
// Nothing of the request is kept.
func (c *Counter) Count(r *wire.Request) (n Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	res := resource{index: -1}
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.TraceID.IsZero() || s.ID.IsZero() {
			continue
		}
		if s.Resource != res.index {
			res = c.resource(s.Resource, r.Resources[s.Resource].Body.Of(r.Bytes))
		}
		n.Spans++
		c.span(r.Bytes, s, &res, &n.Overflow)
	}
	c.attributes.release()
	return n
}

// resource looks at a resource once for all of its spans.
func (c *Counter) resource(index int32, body []byte) resource {
	res := resource{index: index}
	c.attributes.setResource(body)
	name := text(body, "service.name")
	if len(name) == 0 {
		name = []byte(unknownService)
	}
	res.service = c.services.get(name)
	if res.service == nil {
		_, exempt := c.named[string(name)]
		var at slot
		at, res.service, res.overflow = c.services.admit(string(name), exempt)
		if res.service == nil {
			res.service = c.newService(at)
		}
	}
	if len(res.service.indicators) > 0 {
		res.text = text(body, "service.version")
	}
	return res
}

// text returns a resource attribute as text, empty where there is none.
func text(resourceSpans []byte, key string) []byte {
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

// span counts one span.
func (c *Counter) span(b []byte, s *wire.Span, res *resource, overflow *[NumLabels]int64) {
	op := c.operation(res.service, s.Name.Of(b), overflow)
	if res.overflow {
		overflow[ServiceName]++
	}
	kind, status := kindOf(s.Kind), statusOf(s.Status)
	calls := op.calls[kind][status]
	if calls == nil {
		calls = c.newCalls(op, kind, status)
	}
	w := weightOf(s.TraceID, s.TraceState.Of(b))
	var duration uint64
	if s.End > s.Start {
		duration = s.End - s.Start
	}
	calls.n.add(w)
	calls.duration.add(duration, w)
	if len(op.tallies) > 0 {
		e := event{body: s.Body.Of(b), kind: int32(kind), failed: status == wire.StatusError, duration: duration, weight: w}
		c.event(op, &e, res, overflow)
	}
}

func (c *Counter) operation(svc *service, name []byte, overflow *[NumLabels]int64) *operation {
	if op := svc.operations.get(name); op != nil {
		return op
	}
	_, exempt := svc.named[string(name)]
	at, op, over := svc.operations.admit(string(name), exempt)
	if over {
		overflow[SpanName]++
	}
	if op == nil {
		op = svc.newOperation(at)
	}
	return op
}

// event is what indicators want to know of a span.
type event struct {
	body     []byte
	kind     int32
	failed   bool
	duration uint64
	weight   Weight
	reason   *value // why it failed, nil until asked for
}

// event counts a span for each indicator that selects it.
func (c *Counter) event(op *operation, e *event, res *resource, overflow *[NumLabels]int64) {
	c.attributes.setSpan(e.body)
	selected := false
	for i := range op.tallies {
		t := &op.tallies[i]
		if !c.matches(t.indicator, e) {
			continue
		}
		if res.version == nil {
			res.version, res.versionOverflow = op.service.version(res.text)
		}
		v := t.of(res.version)
		if v == nil {
			v = c.newTally(t, res.version)
		}
		v.total.n.add(e.weight)
		switch {
		case t.indicator.latency && e.duration > t.indicator.threshold:
			v.bad[0].n.add(e.weight)
		case !t.indicator.latency && e.failed:
			c.badSeries(v, c.reason(op.service, e, overflow)).n.add(e.weight)
		}
		selected = true
	}
	if selected && res.versionOverflow {
		overflow[ServiceVersion]++
	}
}

func (c *Counter) matches(in *indicator, e *event) bool {
	if in.kind != anyKind && in.kind != e.kind {
		return false
	}
	for _, condition := range in.conditions {
		if !c.attributes.match(condition) {
			return false
		}
	}
	return true
}

// reason finds out once why a span failed.
func (c *Counter) reason(svc *service, e *event, overflow *[NumLabels]int64) *value {
	if e.reason == nil {
		var scratch [maxReason]byte
		var over bool
		if e.reason, over = svc.reason(failureReason(e.body, scratch[:])); over {
			overflow[Reason]++
		}
	}
	return e.reason
}
