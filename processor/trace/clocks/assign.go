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
	known := c.firstWithClock()
	of := make([]int, len(c.Resources)) // by resource: its clock, from 1
	for i := range c.Spans {
		s := &c.Spans[i]
		if s.Synthetic {
			continue
		}
		r := c.Resources[s.Resource]
		switch first := known[s.Resource]; {
		case r.Clock != "" && of[first] > 0:
			s.Clock = of[first] - 1
		case r.Clock == "" && c.inSegment(s):
			s.Clock = c.Spans[s.Parent].Clock
		default:
			s.Clock = len(c.clocks)
			c.clocks = append(c.clocks, clock{Clock: trace.Clock{Name: r.ClockName}, coarse: true})
			of[first] = len(c.clocks)
		}
		k := &c.clocks[s.Clock]
		k.backend = k.backend || s.IsServer()
		k.coarse = k.coarse && s.Start%millisecond == 0 && s.End%millisecond == 0
	}
}

// manyResources is from how many resources on a map finds equal ones faster than looking at all.
const manyResources = 32

// firstWithClock returns, by resource, the first one that has the same clock.
func (c *corrector) firstWithClock() []int {
	first := make([]int, len(c.Resources))
	if len(first) < manyResources {
		for i := range first {
			for first[i] < i && c.Resources[first[i]].Clock != c.Resources[i].Clock {
				first[i]++
			}
		}
		return first
	}
	byClock := make(map[string]int, len(c.Resources))
	for i, r := range c.Resources {
		f, known := byClock[r.Clock]
		if !known {
			f = i
			byClock[r.Clock] = i
		}
		first[i] = f
	}
	return first
}

// inSegment reports whether the span was made by the process that made its parent: same resource, and no remote parent.
func (c *corrector) inSegment(s *trace.Span) bool {
	if s.Parent < 0 || c.Spans[s.Parent].Synthetic || c.Spans[s.Parent].Resource != s.Resource {
		return false
	}
	return !s.MayHaveRemoteParent()
}
