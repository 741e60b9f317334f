// Package retry computes retry delays: they double after each failure, up to a limit, and are a random share of that between
// half and all, so that many clients do not retry at once.
package retry

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// randomization spreads delays around three quarters of the full time: from half of it to all of it.
const (
	center        = 3. / 4
	randomization = 1. / 3
)

// New returns a back-off whose first delay is at most first, and whose longest is most. It is not safe for concurrent use.
func New(first, longest time.Duration) backoff.ExponentialBackOff {
	return backoff.ExponentialBackOff{
		InitialInterval: share(first), MaxInterval: share(longest), Multiplier: 2, RandomizationFactor: randomization,
	}
}

// After returns the delay after so many failures in a row, at least one, for callers that count failures and keep no
// back-off.
func After(failures int, first, longest time.Duration) time.Duration {
	b := New(Full(failures, first, longest), longest)
	return b.NextBackOff()
}

// Full returns the longest possible result of After.
func Full(failures int, first, longest time.Duration) time.Duration {
	if doubled := math.Ldexp(float64(first), max(failures-1, 0)); doubled < float64(longest) {
		return time.Duration(doubled)
	}
	return longest
}

func share(full time.Duration) time.Duration { return time.Duration(center * float64(full)) }
