package stateful

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// limitOf compiles the policy for a rate. key is its key in the section.
func limitOf(b *ask.Builder, key string, rate, burst int64, bytes bool) (rule.Node, error) {
	var errs []error
	if rate <= 0 {
		errs = append(errs, fmt.Errorf("%s: %d must be greater than 0", key, rate))
	}
	if burst < 0 {
		errs = append(errs, fmt.Errorf("burst_capacity: %d must not be negative; 0 is two seconds' worth", burst))
	}
	if err := errors.Join(errs...); err != nil {
		return rule.Node{}, err
	}
	capacity := float64(burst)
	if burst == 0 {
		capacity = 2 * float64(rate)
	}
	if b.Contrib {
		return rule.Node{Rule: contrib.NewBucket(float64(rate), capacity, bytes)}, nil
	}
	return rule.Node{Rule: NewLimit(float64(rate), capacity, bytes)}, nil
}

// Limit gives every trace a threshold that keeps the sampled traces near a rate.
type Limit struct {
	limiter *rates.Limiter
	bytes   bool // it counts bytes, otherwise spans
}

// NewLimit returns a limit for a rate per second, of bytes or spans, with room for a burst.
func NewLimit(rate, burst float64, bytes bool) *Limit {
	return &Limit{rates.NewLimiter(rate, burst), bytes}
}

// Match implements rule.Rule.
func (l *Limit) Match(t *rule.Trace) (uint64, bool) {
	return l.limiter.Threshold(t.Cost(l.bytes), t.Now), true
}

// Count takes the cost of a sampled trace.
func (l *Limit) Count(t *rule.Trace, sampled bool) {
	if sampled {
		l.limiter.Take(t.Cost(l.bytes), t.Now)
	}
}

// Inherit implements rule.Stateful.
func (l *Limit) Inherit(from rule.Rule) { l.limiter.Inherit(from.(*Limit).limiter) }
