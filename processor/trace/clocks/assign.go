package clocks

import "github.com/slowburn/slowburn/processor/trace"

// clock is a Clock in the making.
type clock struct {
	trace.Clock
	backend bool // has a SERVER or CONSUMER span
	coarse  bool // ticks in milliseconds
}

// millisecond is the granularity of clocks that do not tick in nanoseconds: those of JavaScript, mostly.
const millisecond = 1_000_000

// assign gives each span its clock: that of its resource or, where the resource does not tell processes apart, one
// for each local segment of the trace. Clocks are in preorder of their first spans.
func (c *corrector) assign() {
	byKey := make(map[string]int)
	for _, i := range c.Preorder {
		s := &c.Spans[i]
		if s.Synthetic {
			continue
		}
		r := c.Resources[s.Resource]
		switch known, ok := byKey[r.Clock]; {
		case r.Clock != "" && ok:
			s.Clock = known
		case r.Clock == "" && c.inSegment(s):
			s.Clock = c.Spans[s.Parent].Clock
		default:
			s.Clock = len(c.clocks)
			c.clocks = append(c.clocks, clock{Clock: trace.Clock{Name: r.ClockName}, coarse: true})
			if r.Clock != "" {
				byKey[r.Clock] = s.Clock
			}
		}
		k := &c.clocks[s.Clock]
		k.backend = k.backend || s.IsServer()
		k.coarse = k.coarse && s.Start%millisecond == 0 && s.End%millisecond == 0
	}
}

// inSegment reports whether the span was made by the process that made its parent: same resource, and no remote parent.
func (c *corrector) inSegment(s *trace.Span) bool {
	if s.Parent < 0 || c.Spans[s.Parent].Synthetic || c.Spans[s.Parent].Resource != s.Resource {
		return false
	}
	return !s.MayHaveRemoteParent()
}
