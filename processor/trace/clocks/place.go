package clocks

import (
	"math"

	"github.com/slowburn/slowburn/processor/trace"
)

// placeAll computes each span's corrected times. Going down, a span gets its clock's offset, the shifts of its ancestors
// on the same clock and, if it would still start before its parent, the least shift that prevents that. Going up,
// placeholders span their children, and spans without a start, and without a parent to take it from, start with them.
// Going down again, the remaining spans take their parent's start, or the trace's.
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

// earliest returns the start of the trace as far as it is known; 0 if none of its spans has a start.
func (c *corrector) earliest() uint64 {
	first := uint64(0)
	for i := range c.Spans {
		if s := &c.Spans[i]; timed(s) && (first == 0 || s.CorrectedStart < first) {
			first = s.CorrectedStart
		}
	}
	return first
}

// place sets the corrected times of a span with a start of its own.
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

// placeUpwards gives placeholders the range of their children, and spans without a start that of their earliest
// child.
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

// realParent returns the span's parent, nil if there is none or only a placeholder.
func (c *corrector) realParent(s *trace.Span) *trace.Span {
	if s.Parent < 0 || c.Spans[s.Parent].Synthetic {
		return nil
	}
	return &c.Spans[s.Parent]
}

// timed reports whether the span has corrected times.
func timed(s *trace.Span) bool { return s.CorrectedStart != 0 }

// setTimes moves the span to a corrected start. A span whose start was 0 has no duration to keep.
func setTimes(s *trace.Span, start uint64) {
	s.CorrectedStart = start
	s.CorrectedEnd = start + min(s.RawDuration(), math.MaxUint64-start)
}

// moved returns the time plus offset and shift, at least 1, because 0 means no time.
func moved(t uint64, offset, shift int64) uint64 {
	by := offset + shift
	if by < 0 && uint64(-by) >= t {
		return 1
	}
	return t + uint64(by)
}
