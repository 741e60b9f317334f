package clocks

import (
	"math"

	"github.com/slowburn/slowburn/processor/trace"
)

// placeAll computes each span's corrected times. Going down, a span gets its clock's offset, what its ancestors on the
// same clock were moved by and, where it would still start before its parent, the least that mends that. Going up,
// placeholders span their children, and spans without a start of their own nor a parent to take it from start with them.
// Going down again, what is left takes its parent's start, or the trace's.
func (c *corrector) placeAll() {
	untimed := 0
	for i := range c.Spans {
		s := &c.Spans[i]
		if s.Synthetic {
			untimed++
			continue
		}
		parent := c.realParent(s)
		switch {
		case s.Flags.OwnStart():
			c.place(s, parent)
		case parent != nil && timed(parent):
			setTimes(s, parent.CorrectedStart)
		default:
			untimed++
		}
	}
	if untimed == 0 {
		return
	}
	c.placeUpwards()
	earliest := c.earliest()
	for i := range c.Spans {
		s := &c.Spans[i]
		switch {
		case timed(s):
		case s.Parent >= 0:
			setTimes(s, c.Spans[s.Parent].CorrectedStart)
		default:
			setTimes(s, earliest)
		}
	}
}

// earliest is where the trace starts, as far as is known yet; 0 where none of its spans has a start.
func (c *corrector) earliest() uint64 {
	first := uint64(0)
	for i := range c.Spans {
		if s := &c.Spans[i]; timed(s) && (first == 0 || s.CorrectedStart < first) {
			first = s.CorrectedStart
		}
	}
	return first
}

// place gives a span with a start of its own its corrected times.
func (c *corrector) place(s, parent *trace.Span) {
	if parent != nil && parent.Clock == s.Clock {
		s.Shift = parent.Shift
	}
	start := moved(s.Start, c.clocks[s.Clock].Offset, s.Shift)
	if parent != nil && timed(parent) && start < parent.CorrectedStart && !startsOnItsOwn(s) {
		s.Residual = int64(parent.CorrectedStart - start)
		s.Shift += s.Residual
		s.Flags |= trace.FlagResidual
		c.clocks[s.Clock].Status = trace.ClockResidual
		start = parent.CorrectedStart
	}
	setTimes(s, start)
}

// placeUpwards gives placeholders the range of their children, and spans that are still without a start that of their
// earliest child.
func (c *corrector) placeUpwards() {
	waiting := make([]bool, len(c.Spans))
	for i := range c.Spans {
		waiting[i] = !timed(&c.Spans[i])
	}
	for i := len(c.Spans) - 1; i >= 0; i-- {
		s := &c.Spans[i]
		if s.Parent < 0 || !timed(s) || !waiting[s.Parent] {
			continue
		}
		p := &c.Spans[s.Parent]
		if timed(p) && p.CorrectedStart <= s.CorrectedStart {
			if p.Synthetic {
				p.CorrectedEnd = max(p.CorrectedEnd, s.CorrectedEnd)
			}
			continue
		}
		end := p.CorrectedEnd
		setTimes(p, s.CorrectedStart)
		if p.Synthetic {
			p.CorrectedEnd = max(end, s.CorrectedEnd)
		}
	}
}

// realParent is the span's parent, and nil where it has none or only a placeholder.
func (c *corrector) realParent(s *trace.Span) *trace.Span {
	if s.Parent < 0 || c.Spans[s.Parent].Synthetic {
		return nil
	}
	return &c.Spans[s.Parent]
}

// timed reports whether the span has got its corrected times.
func timed(s *trace.Span) bool { return s.CorrectedStart != 0 }

// setTimes places the span at its corrected start. A span whose start was 0 has no duration of its own to keep.
func setTimes(s *trace.Span, start uint64) {
	s.CorrectedStart = start
	s.CorrectedEnd = start + min(s.RawDuration(), math.MaxUint64-start)
}

// moved is the time plus both, and at least 1: 0 means that there is no time.
func moved(t uint64, offset, shift int64) uint64 {
	by := offset + shift
	if by < 0 && uint64(-by) >= t {
		return 1
	}
	return t + uint64(by)
}
