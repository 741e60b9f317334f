package contrib

import (
	"fmt"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// running is contrib's latency policy: the earliest start and latest end of the spans so far. The bounds are checked
// after each span.
type running struct {
	start, end int // words
	bit        int
	over, upTo int64 // milliseconds; upTo 0 is no bound
}

// Latency returns the bit of traces whose duration was once over so many milliseconds and, unless upTo is 0, at most
// upTo.
func Latency(b *ask.Builder, over, upTo int64) (bit int) {
	bit, known := b.Bit(fmt.Sprintf("running latency %d %d", over, upTo))
	if !known {
		b.Observe(&running{start: b.Word(), end: b.Word(), bit: bit, over: over, upTo: upTo})
	}
	return bit
}

func (r *running) Observe(words []uint64, v *rule.SpanView) {
	start, end := &words[r.start], &words[r.end]
	if *start == 0 || v.Span.Start < *start {
		*start = v.Span.Start
	}
	if *end == 0 || v.Span.End > *end {
		*end = v.Span.End
	}
	ms := time.Unix(0, int64(*end)).Sub(time.Unix(0, int64(*start))).Milliseconds()
	if r.over < ms && (r.upTo == 0 || ms <= r.upTo) {
		rule.Set(words, r.bit)
	}
}
