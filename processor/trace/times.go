package trace

import (
	"slices"
	"time"
)

// farFuture is how much later than half of a trace's spans a start may be before it counts as garbage rather than as a
// clock that is off. A trace of a year is less likely than a wrong unit.
const farFuture = uint64(365 * 24 * time.Hour)

// judgeTimes flags the spans whose times cannot be what they say, and sorts the spans canonically. What is far in the
// future is judged against the other spans and not against today: the same spans give the same trace at any time.
func (b *builder) judgeTimes() {
	starts := make([]uint64, 0, len(b.spans))
	for i := range b.spans {
		if s := b.spans[i].Start; s != 0 {
			starts = append(starts, s)
		}
	}
	slices.Sort(starts)
	limit := ^uint64(0)
	if n := len(starts); n > 0 {
		if median := starts[(n-1)/2]; median < limit-farFuture {
			limit = median + farFuture
		}
	}
	for i := range b.spans {
		s := &b.spans[i]
		switch {
		case s.Start == 0:
			s.Flags |= FlagNoStart
		case s.Start > limit:
			s.Flags |= FlagFarFuture
		}
		switch {
		case s.End == 0:
			s.Flags |= FlagUnfinished
		case s.End < s.Start:
			s.Flags |= FlagInverted
		}
		s.farEnd = s.End > limit
		if late, ok := s.Data.Attributes().Get("tailsampling.cached_decision"); ok && late.Bool() {
			s.Flags |= FlagLate
		}
	}
	b.sortSpans(inCanonicalOrder)
}

// rawDuration is the span's duration by its own times, and 0 where they give none.
func (s *Span) rawDuration() uint64 {
	if s.End < s.Start || s.Start == 0 {
		return 0
	}
	return s.End - s.Start
}
