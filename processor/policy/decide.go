package policy

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

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
	// Now is the time of the decision in nanoseconds since some beginning, for policies that have a rate or a period. It
	// never goes back.
	Now int64
	// Skeleton reads the trace's spans, for policies that look at how they hang together. It is nil where they cannot be
	// had, and such policies then match nothing.
	Skeleton func() iter.Seq[SpanView]

	linked   *trace.Skeleton // what was made of it, until Decide returns
	unlinked bool            // nothing could be
}

// Duration is from the earliest start to the latest end, in nanoseconds. It is 0 where the end is before the start.
func (t *Trace) Duration() uint64 {
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
	// Sub is the sub-policy that sampled the trace if Policy is a composite one, else None. See Set.Subs.
	Sub int
	// Threshold is the 56-bit rejection threshold that a sampled trace passed, 0 if it was sure to be sampled.
	Threshold uint64
	// Weightless says that the trace was sampled by something other than its randomness, so that Threshold is not the
	// measure of it and must not be written to spans.
	Weightless bool
}

// Vote is what one policy says of a trace.
type Vote struct {
	// Matched says that the trace is one that the policy is for.
	Matched bool
	// Threshold is what the trace's randomness must then pass for the policy to sample it. Of a drop policy it is what it
	// leaves: a trace whose randomness does not pass it is dropped.
	Threshold uint64
}

// Sampled reports whether the policy that voted so samples (or, of a drop policy, spares) a trace of this randomness.
func (v Vote) Sampled(randomness uint64) bool { return v.Matched && v.Threshold <= randomness }

// Decide evaluates all policies for the trace. What each of them says it writes to votes, if that is not nil; it must have
// room for Len of them. Policies that have a rate or a period take account of the trace, but samplers not of one that is dropped.
func (s *Set) Decide(t *Trace, votes []Vote) Decision {
	if len(s.counting) > 0 {
		s.state.Lock()
		defer s.state.Unlock()
	}
	defer t.release()
	d := s.decide(t, t.Randomness, votes)
	for _, i := range s.counting {
		p := &s.policies[i]
		if !s.asked(i, d) {
			continue
		}
		if th, ok := p.rule.match(t); ok {
			taken := th <= t.Randomness
			if p.kind == Drop {
				taken = t.Randomness < complement(th)
			}
			p.rule.(counting).count(t, taken)
		}
	}
	if d.Verdict == Sampled {
		for _, c := range s.keepers {
			c.kept(t)
		}
	}
	return d
}

// asked reports whether the policy is to take account of a trace that was decided so. What is dropped takes no part of a
// rate, but of that of the policy that dropped it and those before. What is sampled takes no part of the rates of the
// policies after the first that sampled it, if that is to be the last.
func (s *Set) asked(policy int, d Decision) bool {
	if s.policies[policy].kind == Drop {
		return d.Verdict != Dropped || policy <= d.Policy
	}
	return d.Verdict == NotSampled || d.Verdict == Sampled && (!s.firstMatch || policy <= d.Policy)
}

// decide is Decide without consequences, and as if the trace had this randomness.
func (s *Set) decide(t *Trace, randomness uint64, votes []Vote) Decision {
	// What a drop policy drops at random has left less than there was, and the weights must say so.
	var least uint64
	clear(votes)
	for _, i := range s.drops {
		if th, ok := s.policies[i].rule.match(t); ok {
			survivors := complement(th)
			if votes != nil {
				votes[i] = Vote{Matched: true, Threshold: survivors}
			}
			if randomness < survivors {
				return Decision{Verdict: Dropped, Policy: i, Sub: None}
			}
			least = max(least, survivors)
		}
	}
	d := Decision{Policy: None, Sub: None, Threshold: never, Weightless: true}
	for _, i := range s.samplers {
		th, ok := s.policies[i].rule.match(t)
		if !ok {
			continue
		}
		if votes != nil {
			votes[i] = Vote{Matched: true, Threshold: th}
		}
		if th <= randomness {
			if d.Policy == None {
				d.Verdict, d.Policy = Sampled, i
			}
			if s.policies[i].weightless {
				continue
			}
			d.Weightless = false
			if d.Threshold = min(d.Threshold, th); d.Threshold == 0 && votes == nil {
				break
			}
		}
	}
	switch {
	case d.Policy == None:
		return Decision{Policy: None, Sub: None}
	case d.Weightless:
		d.Threshold = 0 // chance as it is measured had no part in it
	}
	d.Threshold = max(d.Threshold, least)
	d.Weightless = d.Weightless || s.weightlessDrop
	if c, ok := s.policies[d.Policy].rule.(interface {
		sampler(t *Trace, randomness uint64) int
	}); ok {
		d.Sub = c.sampler(t, randomness)
	}
	return d
}

// rule is one policy or sub-policy.
type rule interface {
	// match reports whether the trace is one that the policy is for, and the threshold that the trace's randomness must
	// then pass: 0 if chance has no part in it. Randomness itself must not be looked at, or thresholds would not be
	// weights.
	match(t *Trace) (threshold uint64, ok bool)
}

// counting is a rule whose answers depend on the traces before. Its methods are called with the set's state locked, and
// match changes nothing.
type counting interface {
	rule
	// count takes account of a trace that is decided and that match was for. sampled says whether it passed the threshold.
	count(t *Trace, sampled bool)
}

// keeper is a counting rule that wants to know of every trace that is kept, whichever policy sampled it.
type keeper interface {
	counting
	kept(t *Trace)
}
