package trial

import (
	"time"

	"github.com/slowburn/slowburn/internal/answer"
)

// Limits of the tries of the same traces.
const (
	// maxRetries is the number of retryable answers after which the traces are suspected to be the cause.
	maxRetries = 5
	// maxFailures is the number of consecutive answers of class Either after which they are.
	maxFailures = 3
	// RecentAge is the largest age of an acceptance of other traces that makes a failure the traces' own.
	RecentAge = time.Minute
)

// Verdict is what follows for traces from an answer.
type Verdict uint8

// The verdicts.
const (
	Delivered Verdict = iota
	Again             // the same traces, after a pause
	Halve             // each half separately
	Park              // the one trace waits for its next try, and the others continue
	Apart             // likewise, for long
	Refused           // the one trace is refused for good
)

// Acceptance counts a destination's acceptances.
type Acceptance struct {
	Count  int64 // of calls, since the start
	Recent bool  // whether the last was within RecentAge
}

// Trial is the history of the same traces' answers.
type Trial struct {
	retries  strikes // retryable answers, up to maxRetries
	failures strikes // answers of class Either in a row, up to maxFailures
}

// strikes counts answers of one kind.
type strikes struct {
	n        uint8
	begun    bool
	accepted int64 // the destination's acceptances at the first of them, or when the traces were split
}

// add counts one.
func (s *strikes) add(a Acceptance, limit uint8) {
	if !s.begun {
		s.begun, s.accepted = true, a.Count
	}
	s.n = min(s.n+1, limit)
}

// others reports whether the destination has accepted other traces since the first strike.
func (s *strikes) others(a Acceptance) bool { return s.n > 0 && a.Recent && a.Count > s.accepted }

// Judge returns the verdict after an answer. several reports whether there is more than one trace. The table is in doc.go.
func (t *Trial) Judge(class answer.Class, several bool, a Acceptance) Verdict {
	pick := func(ofOne, ofSeveral Verdict) Verdict {
		if several {
			return ofSeveral
		}
		return ofOne
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
		return judge(&t.retries, a, maxRetries, pick(Park, Again), pick(Apart, Halve))
	case answer.Either:
		t.failures.add(a, maxFailures)
		return judge(&t.failures, a, maxFailures, pick(Park, Again), pick(Refused, Halve))
	}
	return Again
}

// judge returns a verdict while others are accepted: before below the limit, after from it on.
func judge(s *strikes, a Acceptance, limit uint8, before, after Verdict) Verdict {
	switch {
	case !s.others(a):
		return Again
	case s.n < limit:
		return before
	}
	return after
}

// Stuck reports whether the traces have failed so often that they may be the cause, which only other traces
// can tell.
func (t *Trial) Stuck() bool { return t.retries.n == maxRetries || t.failures.n == maxFailures }

// Suspect reports whether others must be tried before these again: they are stuck, or a single trace that failed.
func (t *Trial) Suspect(several bool) bool {
	return t.Stuck() || !several && (t.retries.n > 0 || t.failures.n > 0)
}

// OthersAccepted reports whether the destination has accepted others since these failed.
func (t *Trial) OthersAccepted(a Acceptance) bool { return t.retries.others(a) || t.failures.others(a) }

// Half returns the trial of one half. Something is wrong with one of the two halves, but it is unknown with which: only
// acceptances after this count. Half of the strikes of several traces count for each half, so that a bad trace is found in
// a few tries; a single trace starts without strikes, as only its own answers may refuse it for good.
func (t Trial) Half(several bool, a Acceptance) Trial {
	began := strikes{begun: true, accepted: a.Count}
	half := Trial{retries: began, failures: began}
	if several {
		half.retries.n = min(t.retries.n, maxRetries-1)
		half.failures.n = min(t.failures.n, maxFailures-1)
	}
	return half
}
