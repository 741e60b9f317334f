package contrib

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Bucket is contrib's limit: a token bucket. It matches traces for whose whole cost there are tokens.
type Bucket struct {
	rate, burst float64 // tokens per second, and the largest number of tokens
	bytes       bool    // it counts bytes, otherwise spans

	at    time.Duration
	level float64 // at that time
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

// Count takes the cost out of the bucket, whether or not others sample the trace.
func (b *Bucket) Count(t *rule.Trace, _ bool) {
	b.level = b.tokens(t) - t.Cost(b.bytes)
	b.at = max(b.at, time.Duration(t.Now))
}

// Inherit implements rule.Stateful.
func (b *Bucket) Inherit(from rule.Rule) { b.at, b.level = from.(*Bucket).at, from.(*Bucket).level }

// room is a sub-policy's share in contrib's composite policy: so many spans in each second. It matches traces for which
// enough are left.
type room struct {
	spans int64 // per second

	second  int64
	sampled int64 // in that second
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
