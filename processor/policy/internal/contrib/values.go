package contrib

import (
	"fmt"

	"go.opentelemetry.io/otel/trace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// AnyNumber is contrib's numeric_attribute: a value that is not an integer counts as 0.
type AnyNumber struct{ Min, Max int64 }

// Holds implements ask.Predicate.
func (n AnyNumber) Holds(v wire.Value) bool {
	var i int64
	if v.Kind() == wire.Int {
		i = v.Int()
	}
	return n.Min <= i && i <= n.Max
}

// UnlessZero returns a bound as contrib reads it: 0 is no bound.
func UnlessZero(bound *int64) *int64 {
	if bound != nil && *bound == 0 {
		return nil
	}
	return bound
}

// AnyBool is contrib's boolean_attribute: a value that is not a boolean counts as false.
type AnyBool bool

// Holds implements ask.Predicate.
func (b AnyBool) Holds(v wire.Value) bool { return (v.Kind() == wire.Bool && v.Bool()) == bool(b) }

// Expressions returns contrib's string_attribute with regular expressions; p holds if one matches. In contrib the empty string
// never matches as the value of a span's attribute, but an attribute of a resource that is not a string counts as the empty
// string.
func Expressions(b *ask.Builder, key, question string, p ask.Predicate, matchesEmpty, invert bool) rule.Node {
	bits := rule.AnyBit{b.Attribute(key, question, notEmpty{p})}
	if matchesEmpty {
		bits = append(bits, b.Span(fmt.Sprintf("resource without text %q", key), emptyOfResource{key}))
	}
	if invert {
		return rule.Node{Rule: noneOf(bits), Not: rule.Monotone}
	}
	return rule.Node{Rule: bits}
}

// noneOf matches traces that have none of these bits.
type noneOf rule.AnyBit

func (n noneOf) Match(t *rule.Trace) (uint64, bool) {
	_, any := rule.AnyBit(n).Match(t)
	return 0, !any
}

// notEmpty holds for non-empty strings that match.
type notEmpty struct{ ask.Predicate }

func (n notEmpty) Holds(v wire.Value) bool {
	return v.Kind() == wire.String && len(v.Bytes()) > 0 && n.Predicate.Holds(v)
}

// emptyOfResource holds for spans whose resource has the attribute, but empty or not as a string.
type emptyOfResource struct{ key string }

func (e emptyOfResource) Holds(v *rule.SpanView) bool {
	for key, value := range wire.ResourceAttributes(v.Resource) {
		if string(key) == e.key {
			return value.Kind() != wire.String || len(value.Bytes()) == 0
		}
	}
	return false
}

// ValidTraceState is contrib's trace_state: the whole tracestate must be valid.
type ValidTraceState struct{ ask.SpanPredicate }

// Holds implements ask.SpanPredicate.
func (p ValidTraceState) Holds(v *rule.SpanView) bool {
	if !p.SpanPredicate.Holds(v) {
		return false
	}
	_, err := trace.ParseTraceState(string(v.TraceState()))
	return err == nil
}
