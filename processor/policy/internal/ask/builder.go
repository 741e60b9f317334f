package ask

import (
	"fmt"
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Builder gives each distinct question about spans a bit, while policies are compiled.
type Builder struct {
	// Contrib reports whether policies decide as contrib's processor does.
	Contrib bool
	// Place is the place of the policy that is being compiled, for warnings.
	Place string

	warnings []string
	bits     map[string]int // question to bit
	words    int            // in use
	next     int            // the next free bit in the last word for bits
	values   int            // number of attributes that conditions read

	status     [wire.NumStatuses]int
	attributes map[string]*attribute
	spans      []spanQuestion
	observers  []Observer
}

// NewBuilder returns a Builder with one question: whether a span has the status ERROR.
func NewBuilder(contrib bool) *Builder {
	b := &Builder{Contrib: contrib, bits: map[string]int{}, attributes: map[string]*attribute{}}
	for code := range b.status {
		b.status[code] = unasked
	}
	b.Status(wire.StatusError) // the first, so that it is rule.ErrorBit
	return b
}

// Warn adds a warning about the policy being compiled.
func (b *Builder) Warn(format string, args ...any) {
	b.warnings = append(b.warnings, b.Place+": "+fmt.Sprintf(format, args...))
}

// Warnings returns the warnings so far.
func (b *Builder) Warnings() []string { return b.warnings }

// Bit returns the bit of a question, and whether the question was asked before.
func (b *Builder) Bit(question string) (bit int, known bool) {
	if bit, known = b.bits[question]; known {
		return bit, true
	}
	if b.next%rule.WordBits == 0 {
		b.next = b.Word() * rule.WordBits
	}
	bit = b.next
	b.next++
	b.bits[question] = bit
	return bit, false
}

// Word returns a word of each trace's bits for the exclusive use of an observer. It begins as 0.
func (b *Builder) Word() int {
	b.words++
	return b.words - 1
}

// Words returns the number of words of a trace so far.
func (b *Builder) Words() int { return b.words }

// Attribute returns the bit of traces in which the predicate holds for an attribute with the key. The description
// identifies the predicate among those for the key.
func (b *Builder) Attribute(key, description string, p Predicate) int {
	bit, known := b.Bit(strconv.Quote(key) + " " + description)
	if !known {
		a := b.attribute(key)
		a.questions = append(a.questions, question{bit, p})
	}
	return bit
}

// Value returns the index at which Questions.Observe stores the value of a span's attribute.
func (b *Builder) Value(key string) int {
	a := b.attribute(key)
	if a.value == noValue {
		a.value = b.values
		b.values++
	}
	return a.value
}

// Values returns the number of such indexes so far.
func (b *Builder) Values() int { return b.values }

// attribute returns the attribute with the key, adding it if it is new.
func (b *Builder) attribute(key string) *attribute {
	a := b.attributes[key]
	if a == nil {
		a = &attribute{key: key, value: noValue}
		b.attributes[key] = a
	}
	return a
}

// Span returns the bit of traces in which the predicate holds for a span. The description identifies the predicate.
func (b *Builder) Span(description string, p SpanPredicate) int {
	bit, known := b.Bit("span " + description)
	if !known {
		b.spans = append(b.spans, spanQuestion{bit, p})
	}
	return bit
}

// Status returns the bit of traces that have a span with this status.
func (b *Builder) Status(code int) int {
	if b.status[code] == unasked {
		b.status[code], _ = b.Bit(fmt.Sprintf("status %d", code))
	}
	return b.status[code]
}

// Observe shows each span to an observer.
func (b *Builder) Observe(o Observer) { b.observers = append(b.observers, o) }

// Observers returns the observers so far. A policy can share another's.
func (b *Builder) Observers() []Observer { return b.observers }

// Build returns the questions.
func (b *Builder) Build() Questions {
	return Questions{
		status: b.status, groups: group(b.attributes, b.words), spans: b.spans, observers: b.observers,
	}
}
