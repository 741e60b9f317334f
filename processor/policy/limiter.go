package policy

import (
	"math"
	"time"
)

// limiter keeps what it samples near a rate of spans or bytes per second. It does so by a threshold that it knows before
// it sees a trace's randomness, so that what it keeps can be counted back up, which what is left of a token bucket cannot.
//
// It has the bucket nonetheless: rate fills it up to burst, and each trace that was sampled takes its cost out, into debt
// if need be. And it has an estimate of the offered rate, as Horvitz and Thompson estimate: the cost of each trace that
// was sampled divided by the probability that it was sampled with. What another policy, a drop policy or an upstream
// sampler leaves out is never sampled and so is not in the estimate. The probability is
//
//	p = rate/offered · credit
//
// at most 1. credit is 1 for a bucket that is neither full nor in debt, which is where overload takes it; more for a bucket
// with something in it, so that bursts pass; less in debt. As the bucket loses or gains what p is off by, an error of the
// estimate comes to nothing in the long run. p is never 0: a trace larger than the bucket can pass, and after it
// others have a chance, if a small one, before its debt is paid.
type limiter struct {
	rate, burst float64 // per second, and the most that the bucket holds
	memory      float64 // seconds over which the offered rate is averaged
	bytes       bool    // or spans

	at      time.Duration // of what follows
	level   float64       // of the bucket, negative in debt
	offered float64       // rate
}

const (
	// In how many seconds, roughly, what is in the bucket is spent on overload, and a debt is paid.
	spending, paying = 1, 0.5
	// The offered rate is averaged long enough that traces average out and a burst that fills the bucket does not
	// count as a rate, but not longer than it takes a load to come and go.
	leastMemory, mostMemory = 4, 60
)

func newLimiter(rate, burst float64, bytes bool) *limiter {
	memory := min(max(leastMemory, 2*burst/rate), mostMemory)
	return &limiter{rate: rate, burst: burst, memory: memory, bytes: bytes, level: burst}
}

// match gives every trace a threshold.
func (l *limiter) match(t *Trace) (uint64, bool) {
	return thresholdOfShare(l.probability(t)), true
}

// probability is that with which a trace is to be sampled.
func (l *limiter) probability(t *Trace) float64 {
	level, offered := l.after(time.Duration(t.Now) - l.at)
	// The trace is part of what is offered. It makes no difference but to one that is a large part.
	offered += costOf(t, l.bytes) / l.memory
	return l.rate * l.credit(level) / offered
}

// after is what level and offered rate have become when time has passed and nothing happened.
func (l *limiter) after(d time.Duration) (level, offered float64) {
	seconds := max(0, d.Seconds())
	return min(l.burst, l.level+l.rate*seconds), l.offered * math.Exp(-seconds/l.memory)
}

// credit is how many times its share a trace is to have, given what is in the bucket.
func (l *limiter) credit(level float64) float64 {
	if level < 0 {
		return 1 / (1 - level/(l.rate*paying))
	}
	return 1 + level/(l.rate*spending)
}

// costOf is what a trace takes of a limit.
func costOf(t *Trace, bytes bool) float64 {
	if bytes {
		return float64(t.Bytes)
	}
	return float64(t.Spans)
}

// count takes the cost of a sampled trace out of the bucket and into the estimate.
func (l *limiter) count(t *Trace, sampled bool) {
	if !sampled {
		return
	}
	p := min(1, l.probability(t))
	l.level, l.offered = l.after(time.Duration(t.Now) - l.at)
	l.at = max(l.at, time.Duration(t.Now))
	l.level -= costOf(t, l.bytes)
	l.offered += costOf(t, l.bytes) / p / l.memory
}

func (l *limiter) inherit(from rule) {
	old := from.(*limiter)
	l.at, l.level, l.offered = old.at, old.level, old.offered
}
