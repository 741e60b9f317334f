package contrib

import (
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// Sequence is contrib's and and drop policies: the parts are asked in turn.
type Sequence struct {
	parts  []rule.Node
	counts bool
}

// NewSequence returns the rule of these parts.
func NewSequence(parts []rule.Node) Sequence {
	s := Sequence{parts: parts}
	for i := range parts {
		s.counts = s.counts || parts[i].Traits.Has(rule.Counts)
	}
	return s
}

// Match also matches traces that the parts do not, with a threshold that nothing passes, if parts count: so they
// count the trace.
func (s Sequence) Match(t *rule.Trace) (uint64, bool) {
	var highest uint64
	for i := range s.parts {
		th, ok := s.parts[i].Rule.Match(t)
		if !ok {
			return threshold.Never, s.counts
		}
		highest = max(highest, th)
	}
	return highest, true
}

// Count counts the trace in the parts, up to the first that does not sample it.
func (s Sequence) Count(t *rule.Trace, _ bool) {
	for i := range s.parts {
		th, ok := s.parts[i].Rule.Match(t)
		sampled := ok && th <= t.Randomness
		if c := s.parts[i].Counting(); c != nil && ok {
			c.Count(t, sampled)
		}
		if !sampled {
			return
		}
	}
}
