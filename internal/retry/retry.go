// Package retry says how long to wait before something is tried again: twice as long after each failure, up to a limit, and of
// that a random share between half and all, so that many who wait do not come back at once.
package retry

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// randomization spreads waits around three quarters of the full time: from half of it to all of it.
const (
	center        = 3. / 4
	randomization = 1. / 3
)

// New returns a back-off whose first wait is first in full, and whose longest one is most. It is not safe for concurrent use.
func New(first, most time.Duration) backoff.ExponentialBackOff {
	return backoff.ExponentialBackOff{
		InitialInterval: share(first), MaxInterval: share(most), Multiplier: 2, RandomizationFactor: randomization,
	}
}

// After returns the wait after so many failures in a row, one at least, for those who count them and keep no back-off.
func After(failures int, first, most time.Duration) time.Duration {
	b := New(Full(failures, first, most), most)
	return b.NextBackOff()
}

// Full is the longest that After can return.
func Full(failures int, first, most time.Duration) time.Duration {
	if doubled := math.Ldexp(float64(first), max(failures-1, 0)); doubled < float64(most) {
		return time.Duration(doubled)
	}
	return most
}

func share(full time.Duration) time.Duration { return time.Duration(center * float64(full)) }
