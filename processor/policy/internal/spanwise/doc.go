// Package spanwise has the policies that are answered span by span: by an attribute of a span or its resource, or by another
// field of a span.
//
// A type is a file: a Config, which is the section of that name, and its Compile, which makes a rule over bits of the trace.
//
// A predicate over attributes holds for the trace if an attribute of any of its spans, or of a resource of these, meets it.
// invert_match negates that: no span and no resource of the trace has such an attribute. If an attribute occurs twice in a
// span, the first one counts.
package spanwise

import "github.com/slowburn/slowburn/processor/policy/internal/rule"

// matched returns the policy for traces that have the bit or, inverted, do not.
func matched(bit int, invert bool) rule.Node {
	if invert {
		return rule.Node{Rule: rule.NoBit(bit), Not: rule.Monotone}
	}
	return rule.Node{Rule: rule.AnyBit{bit}}
}
