package rates

import (
	"math"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// Limiter keeps sampled traces near a rate of spans or bytes per second. It does so by a threshold that does not depend on the
// trace's randomness, so that kept traces have a weight; a token bucket alone would not give one.
//
// It still has a bucket: rate fills it up to burst, and each sampled trace takes its cost out, into debt if necessary. It also
// estimates the offered rate as Horvitz and Thompson do: the cost of each sampled trace, divided by the probability of its
// sampling. Traces that another policy, a drop policy or an upstream sampler leaves out are never sampled and so are not in
// the estimate. The probability is
//
//	p = rate/offered · credit
//
// at most 1. credit is 1 for an empty bucket without debt, which is where overload takes it; more for a bucket with a positive
// level, so that bursts pass; less in debt. The bucket absorbs errors of p, so that an error of the estimate cancels out in
// the long run. p is never 0: a trace larger than the bucket can pass, and others still have a small chance before its debt is
// paid.
type Limiter struct {
	rate, burst float64 // per second, and the largest level of the bucket
	memory      float64 // seconds over which the offered rate is averaged

	at      time.Duration // time of level and offered
	level   float64       // of the bucket, negative in debt
	offered float64       // rate
}

const (
	// spending is about the number of seconds in which an overload spends the bucket's level, and paying the
	// number in which a debt is paid.
	spending, paying = 1, 0.5
	// The offered rate is averaged for long enough that single traces average out and that a burst which fills
	// the bucket does not count as a rate, but no longer than a load takes to come and go.
	leastMemory, mostMemory = 4, 60
)

// NewLimiter returns a limiter with this rate per second, whose bucket holds burst.
func NewLimiter(rate, burst float64) *Limiter {
	memory := min(max(leastMemory, 2*burst/rate), mostMemory)
	return &Limiter{rate: rate, burst: burst, memory: memory, level: burst}
}

// Threshold returns the threshold of a trace of this cost.
func (l *Limiter) Threshold(cost float64, now int64) uint64 {
	return threshold.OfShare(l.probability(cost, now))
}

// Take takes the cost of a sampled trace out of the bucket and adds it to the estimate.
func (l *Limiter) Take(cost float64, now int64) {
	p := min(1, l.probability(cost, now))
	l.level, l.offered = l.after(time.Duration(now) - l.at)
	l.at = max(l.at, time.Duration(now))
	l.level -= cost
	l.offered += cost / p / l.memory
}

// Inherit continues from the state of another limiter with the same rate and burst.
func (l *Limiter) Inherit(from *Limiter) {
	l.at, l.level, l.offered = from.at, from.level, from.offered
}

// probability returns the probability of sampling a trace of this cost.
func (l *Limiter) probability(cost float64, now int64) float64 {
	level, offered := l.after(time.Duration(now) - l.at)
	// The trace is part of the offered load. This only matters if it is a large part.
	offered += cost / l.memory
	return l.rate * l.credit(level) / offered
}

// after returns the level and the offered rate after d without any trace.
func (l *Limiter) after(d time.Duration) (level, offered float64) {
	seconds := max(0, d.Seconds())
	return min(l.burst, l.level+l.rate*seconds), l.offered * math.Exp(-seconds/l.memory)
}

// credit returns the factor by which the bucket's level changes the probability.
func (l *Limiter) credit(level float64) float64 {
	if level < 0 {
		return 1 / (1 - level/(l.rate*paying))
	}
	return 1 + level/(l.rate*spending)
}
