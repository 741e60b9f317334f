package policy

import "github.com/slowburn/slowburn/internal/wire"

// Trace is what a decision is made from.
type Trace struct {
	ID wire.TraceID
	// Bits are what Observe found, Set.Words() of them.
	Bits []uint64
	// Start is the earliest start and End the latest end of its spans, in nanoseconds since the Unix epoch. Leave out
	// spans whose start or end is 0, which says that it is unknown.
	Start, End uint64
	// Spans and Bytes say how large it is.
	Spans, Bytes int
	// Randomness is 56 bits: the explicit rv of its spans, else from the trace ID. See package tracestate.
	Randomness uint64
}

// Duration is from the earliest start to the latest end, in nanoseconds. It is 0 where the end is before the start.
func (t Trace) Duration() uint64 {
	if t.End < t.Start {
		return 0
	}
	return t.End - t.Start
}

// Verdict is what becomes of a trace.
type Verdict uint8

// The verdicts.
const (
	// NotSampled: no policy wants the trace.
	NotSampled Verdict = iota
	// Sampled: at least one policy does, and none drops it.
	Sampled
	// Dropped: a drop policy names it.
	Dropped
)

// String returns the verdict as it stands in metrics and records.
func (v Verdict) String() string {
	switch v {
	case Sampled:
		return "sampled"
	case Dropped:
		return "dropped"
	default:
		return "not_sampled"
	}
}

// None is the policy of a decision that no policy made.
const None = -1

// Decision says what becomes of a trace, and why.
type Decision struct {
	Verdict Verdict
	// Policy is the first policy that sampled or dropped the trace, None if it was not sampled.
	Policy int
	// Threshold is the 56-bit rejection threshold that a sampled trace passed, 0 if it was sure to be sampled.
	Threshold uint64
}

// Decide evaluates all policies for the trace.
func (s *Set) Decide(t Trace) Decision {
	// What a drop policy drops at random has left less than there was, and the weights must say so.
	var least uint64
	for i := range s.policies {
		if p := &s.policies[i]; p.kind == Drop {
			if th, ok := p.rule.match(t); ok {
				survivors := complement(th)
				if t.Randomness < survivors {
					return Decision{Verdict: Dropped, Policy: i}
				}
				least = max(least, survivors)
			}
		}
	}
	d := Decision{Policy: None, Threshold: never}
	for i := range s.policies {
		p := &s.policies[i]
		if p.kind == Drop {
			continue
		}
		if th, ok := p.rule.match(t); ok && th <= t.Randomness {
			if d.Policy == None {
				d.Verdict, d.Policy = Sampled, i
			}
			if d.Threshold = min(d.Threshold, th); d.Threshold == 0 {
				break
			}
		}
	}
	if d.Policy == None {
		return Decision{Policy: None}
	}
	d.Threshold = max(d.Threshold, least)
	return d
}

// rule is one policy or sub-policy.
type rule interface {
	// match reports whether the trace is one that the policy is for, and the threshold that the trace's randomness must
	// then pass: 0 if chance has no part in it. Randomness itself must not be looked at, or thresholds would not be
	// weights.
	match(t Trace) (threshold uint64, ok bool)
}
