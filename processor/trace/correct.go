package trace

import "math"

// correct computes each span's corrected times. Going down, a span gets its clock's offset, what its ancestors on the
// same clock were moved by and, where it would still start before its parent, the least that mends that. Going up,
// placeholders span their children, and spans without a start of their own nor a parent to take it from start with them.
// Going down again, what is left takes its parent's start, or the trace's.
func (b *builder) correct() {
	for _, i := range b.preorder {
		s := &b.spans[i]
		if s.Synthetic {
			continue
		}
		parent := b.realParent(s)
		switch {
		case s.Flags&badStart == 0:
			b.place(s, parent)
		case parent != nil && parent.timed():
			s.setTimes(parent.CorrectedStart)
		}
	}
	b.correctUpwards()
	earliest := b.earliest()
	for _, i := range b.preorder {
		s := &b.spans[i]
		switch {
		case s.timed():
		case s.Parent >= 0:
			s.setTimes(b.spans[s.Parent].CorrectedStart)
		default:
			s.setTimes(earliest)
		}
	}
}

// earliest is where the trace starts, as far as is known yet; 0 where none of its spans has a start.
func (b *builder) earliest() uint64 {
	first := uint64(0)
	for i := range b.spans {
		if s := &b.spans[i]; s.timed() && (first == 0 || s.CorrectedStart < first) {
			first = s.CorrectedStart
		}
	}
	return first
}

// place gives a span with a start of its own its corrected times.
func (b *builder) place(s, parent *Span) {
	if parent != nil && parent.Clock == s.Clock {
		s.shift = parent.shift
	}
	start := moved(s.Start, b.clocks[s.Clock].Offset, s.shift)
	if parent != nil && parent.timed() && start < parent.CorrectedStart && !startsOnItsOwn(s) {
		s.Residual = int64(parent.CorrectedStart - start)
		s.shift += s.Residual
		s.Flags |= FlagResidual
		b.clocks[s.Clock].Status = ClockResidual
		start = parent.CorrectedStart
	}
	s.setTimes(start)
}

// correctUpwards gives placeholders the range of their children, and spans that are still without a start that of their
// earliest child.
func (b *builder) correctUpwards() {
	waiting := make([]bool, len(b.spans))
	for i := range b.spans {
		waiting[i] = !b.spans[i].timed()
	}
	for k := len(b.preorder) - 1; k >= 0; k-- {
		s := &b.spans[b.preorder[k]]
		if s.Parent < 0 || !s.timed() || !waiting[s.Parent] {
			continue
		}
		p := &b.spans[s.Parent]
		if p.timed() && p.CorrectedStart <= s.CorrectedStart {
			if p.Synthetic {
				p.CorrectedEnd = max(p.CorrectedEnd, s.CorrectedEnd)
			}
			continue
		}
		end := p.CorrectedEnd
		p.setTimes(s.CorrectedStart)
		if p.Synthetic {
			p.CorrectedEnd = max(end, s.CorrectedEnd)
		}
	}
}

// realParent is the span's parent, and nil where it has none or only a placeholder.
func (b *builder) realParent(s *Span) *Span {
	if s.Parent < 0 || b.spans[s.Parent].Synthetic {
		return nil
	}
	return &b.spans[s.Parent]
}

// timed says whether the span has got its corrected times.
func (s *Span) timed() bool { return s.CorrectedStart != 0 }

// setTimes places the span at its corrected start. A span whose start was 0 has no duration of its own to keep.
func (s *Span) setTimes(start uint64) {
	s.CorrectedStart = start
	s.CorrectedEnd = start + min(s.rawDuration(), math.MaxUint64-start)
}

// moved is the time plus both, and at least 1: 0 means that there is no time.
func moved(t uint64, offset, shift int64) uint64 {
	by := offset + shift
	if by < 0 && uint64(-by) >= t {
		return 1
	}
	return t + uint64(by)
}
