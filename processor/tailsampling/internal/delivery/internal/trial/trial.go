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
	Aside             // the one trace waits for its next try, and the others go on
	Apart             // so too, for long
	Refused           // the one trace is refused for good
)

// Acceptance is what a destination has accepted.
type Acceptance struct {
	Count  int64 // of calls, since the start
	Recent bool  // the last was within Recently
}

// Trial is what the same traces drew so far.
type Trial struct {
	retries  strikes // retryable answers, up to maxRetries
	failures strikes // answers of class Either in a row, up to maxFailures
}

// strikes are answers of one kind.
type strikes struct {
	n        uint8
	begun    bool
	accepted int64 // once begun: how many calls the destination had accepted, at the first of them or when the traces were parted
}

// add adds one.
func (s *strikes) add(a Acceptance, limit uint8) {
	if !s.begun {
		s.begun, s.accepted = true, a.Count
	}
	s.n = min(s.n+1, limit)
}

// others reports whether the destination has accepted others since they began.
func (s *strikes) others(a Acceptance) bool { return s.n > 0 && a.Recent && a.Count > s.accepted }

// Judge returns what becomes of traces that drew an answer. several says that they are more than one, a is what the destination
// has accepted. The table is in doc.go.
func (t *Trial) Judge(class answer.Class, several bool, a Acceptance) Verdict {
	pick := func(one, more Verdict) Verdict {
		if several {
			return more
		}
		return one
	}
	if class != answer.Either {
		t.failures = strikes{}
	}
	switch class {
	case answer.Accepted:
		return Delivered
	case answer.Data, answer.TooLarge:
		return pick(Refused, Halve)
	case answer.Retry:
		t.retries.add(a, maxRetries)
		return judge(&t.retries, a, maxRetries, pick(Aside, Again), pick(Apart, Halve))
	case answer.Either:
		t.failures.add(a, maxFailures)
		return judge(&t.failures, a, maxFailures, pick(Aside, Again), pick(Refused, Halve))
	}
	return Again
}

// judge returns a verdict on traces while others are accepted: one before the last strike, another from then on.
func judge(s *strikes, a Acceptance, limit uint8, before, after Verdict) Verdict {
	switch {
	case !s.others(a):
		return Again
	case s.n < limit:
		return before
	}
	return after
}

// Stuck reports whether the traces failed so often that they may be the reason, which only others can tell.
func (t *Trial) Stuck() bool { return t.retries.n == maxRetries || t.failures.n == maxFailures }

// Suspect reports whether others are to be tried before these are again: they are stuck, or one trace that failed.
func (t *Trial) Suspect(several bool) bool {
	return t.Stuck() || !several && (t.retries.n > 0 || t.failures.n > 0)
}

// Others reports whether the destination has accepted others since these failed.
func (t *Trial) Others(a Acceptance) bool { return t.retries.others(a) || t.failures.others(a) }

// Half is the trial of one half, of which nothing is known but that something is wrong with one of the two: others must be
// accepted after this. What several traces drew together counts for half of them too, so that a bad one is found in a few
// tries; a trace alone begins anew, for it is refused for good only by what it drew alone.
func (t Trial) Half(several bool, a Acceptance) Trial {
	began := strikes{begun: true, accepted: a.Count}
	half := Trial{retries: began, failures: began}
	if several {
		half.retries.n = min(t.retries.n, maxRetries-1)
		half.failures.n = min(t.failures.n, maxFailures-1)
	}
	return half
}
