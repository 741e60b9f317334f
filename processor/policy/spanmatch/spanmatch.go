// Package spanmatch answers conditions in the OpenTelemetry Transformation Language (OTTL) of single spans, where their bytes are,
// for components other than a sampling policy. Its type is Conditions.
package spanmatch

import (
	"errors"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Conditions are OTTL conditions on spans. Their methods may be called concurrently.
type Conditions struct {
	questions ask.Questions
	set       *conditions.Set
	bit       int
}

// Compile parses conditions as contrib's span context has them. A condition that cannot be evaluated for a span does not hold for
// it, which is logged at most once a minute. Errors begin with the index of the condition.
func Compile(texts []string, logger *zap.Logger) (*Conditions, error) {
	q := ask.NewBuilder(false)
	b := conditions.NewBuilder(q, logger)
	node, err := b.Compile(&conditions.Config{Span: texts})
	if err != nil {
		return nil, err
	}
	bits, ok := node.Rule.(rule.AnyBit)
	if !ok || len(bits) != 1 || q.Words() != 1 {
		return nil, errors.New("conditions do not have one answer")
	}
	return &Conditions{questions: q.Build(), set: b.Build(), bit: bits[0]}, nil
}

// OfResource reports whether a condition that reads nothing but the resource holds. resource is the body of a ResourceSpans.
func (c *Conditions) OfResource(resource []byte) bool {
	var bits [1]uint64
	if c.set.OpenResource(bits[:]) {
		c.set.Resource(bits[:], resource)
	}
	return rule.IsSet(bits[:], c.bit)
}

// OfSpan reports whether a condition holds for a span of the request, those aside that OfResource answers.
func (c *Conditions) OfSpan(r *wire.Request, span int) bool {
	var bits [1]uint64
	if !c.set.Open(bits[:]) {
		return false
	}
	s := &r.Spans[span]
	v := rule.SpanView{
		Span: s, Bytes: r.Bytes, Body: s.Body.Of(r.Bytes),
		Resource: r.Resources[s.Resource].Body.Of(r.Bytes), Scope: r.Scopes[s.Scope].Body.Of(r.Bytes),
	}
	on := c.set.Begin(&v)
	c.questions.Observe(bits[:], &v, on.Values())
	c.set.End(bits[:], on)
	return rule.IsSet(bits[:], c.bit)
}
