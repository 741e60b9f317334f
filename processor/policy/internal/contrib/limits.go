package contrib

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Bucket is a limit in contrib: a token bucket. It matches traces whose whole cost is in it.
type Bucket struct {
	rate, burst float64 // per second, and the most that it holds
	bytes       bool    // or spans

	at    time.Duration
	level float64 // then
}

// NewBucket returns a full bucket for a rate per second, of bytes or spans.
func NewBucket(rate, burst float64, bytes bool) *Bucket {
	return &Bucket{rate: rate, burst: burst, bytes: bytes, level: burst}
}

// Match implements rule.Rule.
func (b *Bucket) Match(t *rule.Trace) (uint64, bool) { return 0, t.Cost(b.bytes) <= b.tokens(t) }

func (b *Bucket) tokens(t *rule.Trace) float64 {
	return min(b.burst, b.level+b.rate*max(0, (time.Duration(t.Now)-b.at).Seconds()))
}

// Count takes the cost out, whether or not others sample the trace.
func (b *Bucket) Count(t *rule.Trace, _ bool) {
	b.level = b.tokens(t) - t.Cost(b.bytes)
	b.at = max(b.at, time.Duration(t.Now))
}

// Inherit implements rule.Stateful.
func (b *Bucket) Inherit(from rule.Rule) { b.at, b.level = from.(*Bucket).at, from.(*Bucket).level }

// room is the share of a sub-policy of composite in contrib: so many spans in each second. It matches traces for which there
// are enough left.
type room struct {
	spans int64 // per second

	second  int64
	sampled int64 // then
}

// Match implements rule.Rule.
func (r *room) Match(t *rule.Trace) (uint64, bool) { return 0, r.taken(t)+int64(t.Spans) <= r.spans }

func (r *room) taken(t *rule.Trace) int64 {
	if r.second != secondOf(t) {
		return 0
	}
	return r.sampled
}

// Count implements rule.Counting.
func (r *room) Count(t *rule.Trace, _ bool) {
	r.sampled = r.taken(t) + int64(t.Spans)
	r.second = secondOf(t)
}

// Inherit implements rule.Stateful.
func (r *room) Inherit(from rule.Rule) {
	r.second, r.sampled = from.(*room).second, from.(*room).sampled
}

func secondOf(t *rule.Trace) int64 { return t.Now / int64(time.Second) }
