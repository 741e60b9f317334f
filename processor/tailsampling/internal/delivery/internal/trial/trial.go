package trial

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
	// Recently is how long ago a destination accepted other traces at most for a failure to be about these.
	Recently = time.Minute
)

// Verdict is what becomes of traces after an answer.
type Verdict uint8

// The verdicts.
const (
	Delivered Verdict = iota
	Again             // the same traces, after a pause
	Halve             // each half by itself
	Apart             // the one trace waits by itself, and the others go on
	Refused           // the one trace is refused for good
)

// Trial is what the same traces drew so far.
type Trial struct {
	retries  uint8 // retryable answers, up to maxRetries
	failures uint8 // answers of class Either in a row, up to maxFailures
}

// Judge returns what becomes of traces that drew an answer. several says that they are more than one, others that the
// destination accepted other traces recently. The table is in doc.go.
func (t *Trial) Judge(class answer.Class, several, others bool) Verdict {
	one := func(v Verdict) Verdict {
		if several {
			return Halve
		}
		return v
	}
	if class != answer.Either {
		t.failures = 0
	}
	switch class {
	case answer.Accepted:
		return Delivered
	case answer.Data, answer.TooLarge:
		return one(Refused)
	case answer.Retry:
		if t.retries = min(t.retries+1, maxRetries); t.retries == maxRetries && others {
			return one(Apart)
		}
	case answer.Either:
		if t.failures = min(t.failures+1, maxFailures); t.failures == maxFailures && (several || others) {
			return one(Refused)
		}
	}
	return Again
}

// Stuck reports whether the traces may be the reason why they fail, which only others can tell.
func (t *Trial) Stuck() bool { return t.retries == maxRetries || t.failures == maxFailures }

// Half is the trial of one half. What several traces drew together counts for half of them too, so that a bad one is found
// in a few tries; a trace alone begins anew, for it is refused for good only by what it drew alone.
func (t Trial) Half(several bool) Trial {
	if !several {
		return Trial{}
	}
	return Trial{retries: min(t.retries, maxRetries-1), failures: min(t.failures, maxFailures-1)}
}
