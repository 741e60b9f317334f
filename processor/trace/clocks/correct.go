package clocks

import (
	"github.com/slowburn/slowburn/processor/trace"
)

// Forest is a trace whose spans have parents but no corrected times yet.
type Forest struct {
	// Spans are in preorder.
	Spans []trace.Span
	// Resources are the described resources, by Span.Resource.
	Resources []*trace.Resource
}

// Correct gives each span of the forest its clock and its corrected times. It returns the clocks, in preorder of their
// first spans, and warnings about clocks that could not be corrected.
func Correct(f Forest) (found []trace.Clock, warnings []string) {
	c := &corrector{Forest: f}
	c.assign()
	c.collectBounds()
	warnings = c.solve()
	c.placeAll()
	found = make([]trace.Clock, len(c.clocks))
	for i := range c.clocks {
		found[i] = c.clocks[i].Clock
	}
	return found, warnings
}

// corrector holds a forest during the steps of Correct.
type corrector struct {
	Forest
	clocks []clock
	bounds []bound
}
