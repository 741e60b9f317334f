package clocks

import "github.com/slowburn/slowburn/processor/trace"

// bound says that the correction of clock a minus that of clock b is at most w nanoseconds.
type bound struct {
	a, b int
	w    int64
	// soft bounds may be wrong: they are left out if they contradict the others, the tightest first.
	soft bool
	// client is the index of the client span of a soft bound.
	client int
	// slack orders soft bounds: client duration minus server duration, the width of the interval.
	slack int64
}

// untimely are the flags of spans whose times do not bound clocks.
const untimely = trace.FlagNoStart | trace.FlagFarFuture | trace.FlagInverted

// maxBound is the largest difference of two clocks, 36 years: more is garbage, and would overflow sums.
const maxBound = int64(1) << 60

// collectBounds collects the bounds that parents and links set on pairs of clocks. It skips spans with impossible
// times.
func (c *corrector) collectBounds() {
	c.bounds = make([]bound, 0, len(c.Spans)) // usually enough: about every other span is remote, and sets two
	for i := range c.Spans {
		s := &c.Spans[i]
		if s.Synthetic || s.Flags&untimely != 0 {
			continue
		}
		if s.Parent >= 0 {
			c.boundByParent(s.Parent, s)
		}
		for _, l := range s.Links {
			if l.Target == trace.LinkSpan {
				c.boundByLink(&c.Spans[l.Span], s)
			}
		}
	}
}

// boundByParent adds the request bound (no child starts before its parent) and the response bound (no server ends
// after a client that waits for it).
func (c *corrector) boundByParent(p int, child *trace.Span) {
	parent := &c.Spans[p]
	if parent.Synthetic || parent.Clock == child.Clock || parent.Flags&untimely != 0 || startsOnItsOwn(child) {
		return
	}
	wider := c.granularity(parent.Clock, child.Clock)
	c.clocks[parent.Clock].Pairs++
	c.clocks[child.Clock].Pairs++
	c.addBound(bound{a: parent.Clock, b: child.Clock, w: int64(child.Start-parent.Start) + wider})
	if !waitsFor(parent, child) {
		return
	}
	c.addBound(bound{
		a: child.Clock, b: parent.Clock, w: int64(parent.End-child.End) + wider,
		soft: true, client: p, slack: int64(parent.RawDuration() - child.RawDuration()),
	})
}

// boundByLink adds the bound that a span starts no later than a span that links to it ends.
func (c *corrector) boundByLink(target, linking *trace.Span) {
	if target.Clock == linking.Clock || target.Flags&untimely != 0 || linking.Flags&trace.FlagUnfinished != 0 {
		return
	}
	wider := c.granularity(target.Clock, linking.Clock)
	c.addBound(bound{a: target.Clock, b: linking.Clock, w: int64(linking.End-target.Start) + wider})
}

func (c *corrector) addBound(x bound) {
	if x.w > -maxBound && x.w < maxBound {
		c.bounds = append(c.bounds, x)
	}
}

func (c *corrector) granularity(x, y int) int64 {
	if c.clocks[x].coarse || c.clocks[y].coarse {
		return millisecond
	}
	return 0
}
