// Package spanwise has the policies that are answered span by span: by an attribute of a span or its resource, or by what
// else stands in a span.
//
// A type is a file: a Config, which is the section of that name, and its Compile, which makes a rule over bits of the trace.
//
// A predicate over attributes holds for the trace if any span has an attribute, or any resource that has a span in the
// trace has one, that meets it. invert_match negates that: no span and no resource of the trace has such an attribute.
// Of an attribute that a span has twice the first counts.
package spanwise

import "github.com/slowburn/slowburn/processor/policy/internal/rule"

// matched returns the policy for traces that have the bit or, inverted, do not.
func matched(bit int, invert bool) rule.Node {
	if invert {
		return rule.Node{Rule: rule.NoBit(bit), Not: rule.Lasts}
	}
	return rule.Node{Rule: rule.AnyBit{bit}}
}
