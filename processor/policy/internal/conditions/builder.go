package conditions

import (
	"errors"
	"fmt"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Builder compiles the conditions of a set's policies.
type Builder struct {
	questions       *ask.Builder
	spans, resource []list
	errors          *evaluationErrors
	parsers         *parsers // nil until needed
}

// NewBuilder returns a Builder whose bits come from questions. The logger logs conditions that fail, at most once a minute;
// it may be nil.
func NewBuilder(questions *ask.Builder, logger *zap.Logger) *Builder {
	return &Builder{questions: questions, errors: newEvaluationErrors(logger)}
}

// parse parses the list under the key, which is also the name of the context. All errors are joined.
func (b *Builder) parse(key string, texts []string) (parsed []*condition, err error) {
	if len(texts) == 0 {
		return nil, nil
	}
	if b.parsers == nil {
		if b.parsers, err = newParsers(b.questions.Value); err != nil {
			return nil, err
		}
	}
	p := b.parsers.span
	if key == ottlspanevent.ContextName {
		p = b.parsers.event
	}
	var errs []error
	for i, text := range texts {
		cond, err := p.parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", key, i, err))
			continue
		}
		parsed = append(parsed, cond)
	}
	return parsed, errors.Join(errs...)
}

// add adds a policy's conditions to the set, those that read only the resource apart, to be evaluated once per
// resource. If a failure ends the list, it is only set apart as a whole.
func (b *Builder) add(all list) {
	ofResource := func(cond *condition) bool { return cond.ofResource }
	if all.propagate && (len(all.events) > 0 || slices.ContainsFunc(all.spans, func(cond *condition) bool { return !cond.ofResource })) {
		b.spans = append(b.spans, all)
		return
	}
	resource := all
	resource.events, resource.spans = nil, nil
	for _, cond := range all.spans {
		if cond.ofResource {
			resource.spans = append(resource.spans, cond)
		}
	}
	all.spans = slices.DeleteFunc(all.spans, ofResource)
	if len(resource.spans) > 0 {
		b.resource = append(b.resource, resource)
	}
	if len(all.spans)+len(all.events) > 0 {
		b.spans = append(b.spans, all)
	}
}

// Build returns the conditions. No policy may be compiled after it.
func (b *Builder) Build() *Set {
	return &Set{
		spans: b.spans, spanBits: b.bitsOf(b.spans), resource: b.resource, resourceBits: b.bitsOf(b.resource),
		values: b.questions.Values(), errors: b.errors,
	}
}

// bitsOf returns the bits of the lists, nil if there are none.
func (b *Builder) bitsOf(lists []list) rule.BitSet {
	if len(lists) == 0 {
		return nil
	}
	bits := make(rule.BitSet, b.questions.Words())
	for i := range lists {
		rule.Set(bits, lists[i].bit)
	}
	return bits
}
