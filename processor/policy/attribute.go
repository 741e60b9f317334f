package policy

import (
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
)

// predicate is a question about the value of an attribute.
type predicate interface{ holds(v wire.Value) bool }

// attribute is a key that policies ask about.
type attribute struct {
	key       string
	questions []question
}

// question has a bit, which is set once its predicate held.
type question struct {
	bit       int
	predicate predicate
}

// attribute returns the rule for traces in which the predicate holds for an attribute with the key or, inverted, does
// not hold for any. The description tells apart different predicates on the same key.
func (c *compiler) attribute(key, description string, p predicate, invert bool) rule {
	bit, known := c.bit(strconv.Quote(key) + " " + description)
	if !known {
		a := c.keys[key]
		if a == nil {
			a = &attribute{key: key}
			c.keys[key] = a
		}
		a.questions = append(a.questions, question{bit, p})
	}
	if invert {
		return noBit(bit)
	}
	return anyBit{bit}
}

// noBit matches traces that do not have this bit.
type noBit int

func (b noBit) match(t Trace) (uint64, bool) { return 0, !isSet(t.Bits, int(b)) }

// finish gives the set what was asked.
func (c *compiler) finish(s *Set) {
	s.warnings = c.warnings
	s.words = (len(c.bits) + 63) / 64
	s.status = c.status
	s.attributes = group(c.keys)
}
