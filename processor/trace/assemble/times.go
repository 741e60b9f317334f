package assemble

import (
	"math"
	"slices"
	"time"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/trace"
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
	b.latest = math.MaxUint64
	if n := len(starts); n > 0 {
		if median := starts[(n-1)/2]; median < b.latest-farFuture {
			b.latest = median + farFuture
		}
	}
	for i := range b.spans {
		s := &b.spans[i]
		switch {
		case s.Start == 0:
			s.Flags |= trace.FlagNoStart
		case s.Start > b.latest:
			s.Flags |= trace.FlagFarFuture
		}
		switch {
		case s.End == 0:
			s.Flags |= trace.FlagUnfinished
		case s.End < s.Start:
			s.Flags |= trace.FlagInverted
		}
		if late, ok := s.Data.Attributes().Get(attr.CachedDecision); ok && late.Bool() {
			s.Flags |= trace.FlagLate
		}
	}
	b.spans = sorted(b.spans, inCanonicalOrder)
}
