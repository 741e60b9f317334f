package policy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/slowburn/slowburn/internal/wire"
)

// anyNumber is numeric_attribute in contrib: what is no integer is 0.
type anyNumber struct{ between }

func (n anyNumber) holds(v wire.Value) bool {
	var i int64
	if v.Kind() == wire.Int {
		i = v.Int()
	}
	return n.least <= i && i <= n.most
}

// unlessZero is a bound as contrib reads it: one of 0 is none.
func unlessZero(bound *int64) *int64 {
	if bound != nil && *bound == 0 {
		return nil
	}
	return bound
}

// anyBool is boolean_attribute in contrib: what is no boolean is false.
type anyBool bool

func (b anyBool) holds(v wire.Value) bool { return (v.Kind() == wire.Bool && v.Bool()) == bool(b) }

// compileContrib is for expressions: in contrib the empty string never matches one as the value of a span's attribute, and
// an attribute of a resource has it as its value if it is no string.
func (cfg *StringAttributeConfig) compileContrib(c *compiler, question string, e *anyRegexp) rule {
	text := c.attribute(cfg.Key, question, notEmpty{e}, cfg.InvertMatch)
	if !slices.ContainsFunc(e.expressions, func(e *regexp.Regexp) bool { return e.MatchString("") }) {
		return text
	}
	empty := c.span(fmt.Sprintf("resource without text %q", cfg.Key), emptyOfResource{cfg.Key}).(anyBit)
	if cfg.InvertMatch {
		return all{text, noBit(empty[0])}
	}
	return append(text.(anyBit), empty...)
}

// notEmpty holds for strings that match and have at least a byte.
type notEmpty struct{ *anyRegexp }

func (n notEmpty) holds(v wire.Value) bool {
	return v.Kind() == wire.String && len(v.Bytes()) > 0 && n.anyRegexp.holds(v)
}

// emptyOfResource holds for spans with a resource that has the attribute, but without text.
type emptyOfResource struct{ key string }

func (e emptyOfResource) holds(v *SpanView) bool {
	for key, value := range wire.ResourceAttributes(v.Resource) {
		if string(key) == e.key {
			return value.Kind() != wire.String || len(value.Bytes()) == 0
		}
	}
	return false
}

// validTraceState is trace_state in contrib: the tracestate as a whole must be valid.
type validTraceState struct{ traceState }

func (p *validTraceState) holds(v *SpanView) bool {
	if !p.traceState.holds(v) {
		return false
	}
	_, err := trace.ParseTraceState(string(v.TraceState()))
	return err == nil
}

// running is latency in contrib: the earliest start and latest end of the spans that have come, with the bounds put to
// them after each.
type running struct {
	start, end int // words
	bit        int
	over, upTo int64 // milliseconds; upTo 0 is no bound
}

func (c *compiler) running(over, upTo int64) rule {
	bit, known := c.bit(fmt.Sprintf("running latency %d %d", over, upTo))
	if !known {
		c.observers = append(c.observers, &running{start: c.word(), end: c.word(), bit: bit, over: over, upTo: upTo})
	}
	return latencySeen{bit: bit, upper: upTo != 0}
}

func (r *running) observe(words []uint64, v *SpanView) {
	start, end := &words[r.start], &words[r.end]
	if *start == 0 || v.Span.Start < *start {
		*start = v.Span.Start
	}
	if *end == 0 || v.Span.End > *end {
		*end = v.Span.End
	}
	ms := time.Unix(0, int64(*end)).Sub(time.Unix(0, int64(*start))).Milliseconds()
	if r.over < ms && (r.upTo == 0 || ms <= r.upTo) {
		set(words, r.bit)
	}
}

// latencySeen matches traces that had the bounds at some time.
type latencySeen struct {
	bit   int
	upper bool
}

func (l latencySeen) match(t *Trace) (uint64, bool) { return 0, isSet(t.Bits, l.bit) }

func (l latencySeen) bounded() bool { return l.upper }
