package policy

import (
	"slices"
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
)

// predicate is a question about the value of an attribute.
type predicate interface{ holds(v wire.Value) bool }

// attribute is a key that policies ask about.
type attribute struct {
	key       string
	questions []question
	value     int // where conditions find the value in spanContext.values; noValue if none asks
}

const noValue = -1

// question has a bit, which is set once its predicate held.
type question struct {
	bit       int
	predicate predicate
}

// wanted returns the attribute with the key, as one that is asked about.
func (c *compiler) wanted(key string) *attribute {
	a := c.keys[key]
	if a == nil {
		a = &attribute{key: key, value: noValue}
		c.keys[key] = a
	}
	return a
}

// attribute returns the rule for traces in which the predicate holds for an attribute with the key or, inverted, does
// not hold for any. The description tells apart different predicates on the same key.
func (c *compiler) attribute(key, description string, p predicate, invert bool) rule {
	bit, known := c.bit(strconv.Quote(key) + " " + description)
	if !known {
		a := c.wanted(key)
		a.questions = append(a.questions, question{bit, p})
	}
	if invert {
		return noBit(bit)
	}
	return anyBit{bit}
}

// noBit matches traces that do not have this bit.
type noBit int

func (b noBit) match(t *Trace) (uint64, bool) { return 0, !isSet(t.Bits, int(b)) }

// span returns the rule for traces in which the predicate holds for a span. The description tells apart different ones.
func (c *compiler) span(description string, p spanPredicate) rule {
	bit, known := c.bit("span " + description)
	if !known {
		c.questions = append(c.questions, spanQuestion{bit, p})
	}
	return anyBit{bit}
}

// finish gives the set what was asked.
func (c *compiler) finish(s *Set) {
	s.warnings = c.warnings
	s.words = c.words
	s.status = c.status
	s.attributes = group(c.keys, c.words)
	s.questions = c.questions
	s.conditions = c.conditions
	s.conditionBits = c.bitsOf(c.conditions)
	s.resourceConditions = c.resourceConditions
	s.resourceConditionBits = c.bitsOf(c.resourceConditions)
	s.values = c.values
	s.errors = c.errors
	s.observers = c.observers
	s.skeleton = c.skeleton
	for i := range s.policies {
		if s.policies[i].kind == Drop {
			s.drops = append(s.drops, i)
		} else {
			s.samplers = append(s.samplers, i)
		}
		if hasNoWeight(s.policies[i].rule) {
			s.policies[i].weightless = true
			s.weightlessDrop = s.weightlessDrop || s.policies[i].kind == Drop
		}
		if r, ok := s.policies[i].rule.(counting); ok && countsAny(r) {
			s.counting = append(s.counting, i)
			for leaf := range leaves(r) {
				if k, ok := leaf.(keeper); ok {
					s.keepers = append(s.keepers, k)
				}
			}
		}
	}
	s.steady = s.withoutCounting()
}

// countsAny reports whether a rule's answers really depend on the traces before: that of a rule made of others does only
// where theirs do.
func countsAny(r rule) bool {
	if group, ok := r.(interface{ rules() []rule }); ok {
		return slices.ContainsFunc(group.rules(), countsAny)
	}
	_, ok := r.(counting)
	return ok
}
