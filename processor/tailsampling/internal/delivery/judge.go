package delivery

import (
	"time"

	"github.com/slowburn/slowburn/internal/answer"
)

// Limits of what the same traces are tried.
const (
	// maxRetries is how often traces draw a retryable answer before they are suspected of being the reason.
	maxRetries = 5
	// maxFailures is how often in a row traces draw an answer that can be about them or about the destination.
	maxFailures = 3
	// recently is how long ago a destination accepted other traces at most for a failure to be about these.
	recently = time.Minute
)

// verdict is what becomes of traces after an answer.
type verdict uint8

const (
	delivered verdict = iota
	again             // the same traces, after a pause
	halve             // each half by itself
	apart             // the one trace waits by itself, and the others go on
	refused           // the one trace is refused for good
)

// trial is what the same traces drew so far.
type trial struct {
	retries  uint8 // retryable answers, up to maxRetries
	failures uint8 // answers of class Either in a row, up to maxFailures
}

// judge returns what becomes of traces that drew an answer. several says that they are more than one, others that the
// destination accepted other traces recently. The table is in doc.go.
func (t *trial) judge(class answer.Class, several, others bool) verdict {
	one := func(v verdict) verdict {
		if several {
			return halve
		}
		return v
	}
	if class != answer.Either {
		t.failures = 0
	}
	switch class {
	case answer.Accepted:
		return delivered
	case answer.Data, answer.TooLarge:
		return one(refused)
	case answer.Retry:
		if t.retries = min(t.retries+1, maxRetries); t.retries == maxRetries && others {
			return one(apart)
		}
	case answer.Either:
		if t.failures = min(t.failures+1, maxFailures); t.failures == maxFailures && (several || others) {
			return one(refused)
		}
	}
	return again
}

// stuck reports whether the traces may be the reason why they fail, which only others can tell.
func (t *trial) stuck() bool { return t.retries == maxRetries || t.failures == maxFailures }

// half is the trial of one half. What several traces drew together counts for half of them too, so that a bad one is found
// in a few tries; a trace alone begins anew, for it is refused for good only by what it drew alone.
func (t trial) half(several bool) trial {
	if !several {
		return trial{}
	}
	return trial{retries: min(t.retries, maxRetries-1), failures: min(t.failures, maxFailures-1)}
}
