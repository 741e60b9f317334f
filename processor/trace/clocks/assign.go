package clocks

import "github.com/slowburn/slowburn/processor/trace"

// clock is a Clock under construction.
type clock struct {
	trace.Clock
	backend bool // has a SERVER or CONSUMER span
	coarse  bool // ticks in milliseconds
}

// millisecond is the granularity of coarse clocks, mostly those of JavaScript.
const millisecond = 1_000_000

// assign gives each span its clock: its resource's, or, if the resource does not identify a process, one for each
// local segment of the trace. Clocks are in preorder of their first spans.
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

// manyResources is the number of resources from which on a map finds equal ones faster than a search.
const manyResources = 32

// firstWithClock returns, by resource, the first resource with the same clock.
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

// inSegment reports whether the span and its parent are from one process: same resource, and no remote parent.
func (c *corrector) inSegment(s *trace.Span) bool {
	if s.Parent < 0 || c.Spans[s.Parent].Synthetic || c.Spans[s.Parent].Resource != s.Resource {
		return false
	}
	return !s.MayHaveRemoteParent()
}
