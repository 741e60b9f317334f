package clocks

import (
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// Forest is a trace whose spans know their parents, and not yet when they ran.
type Forest struct {
	Spans []trace.Span
	// Preorder are the indexes of the spans, parents before children.
	Preorder []int
	// Resources are what the resources say, by Span.Resource.
	Resources []*describe.Resource
}

// Correct gives each span of the forest its clock and its corrected times. It returns the clocks, in preorder of their
// first spans, and sentences about what could not be corrected.
func Correct(f Forest) (found []trace.Clock, warnings []string) {
	c := &corrector{Forest: f}
	c.assign()
	c.collectBounds()
	warnings = solve(c.clocks, c.bounds)
	c.placeAll()
	found = make([]trace.Clock, len(c.clocks))
	for i := range c.clocks {
		found[i] = c.clocks[i].Clock
	}
	return found, warnings
}

// corrector is a forest on its way through the steps of Correct.
type corrector struct {
	Forest
	clocks []clock
	bounds []bound
}
