package trace

import "strings"

// Cause is why a span that others name as their parent is missing, as far as the trace itself tells.
type Cause uint8

// Why a parent can be missing.
const (
	// CauseNone: the span is not missing, or stands for no span in particular.
	CauseNone Cause = iota
	// CauseLate: it may still come.
	CauseLate
	// CauseSampled: the trace's spans were sampled with different thresholds, so some are expected to be missing.
	CauseSampled
	// CauseLost: the process that made it sends spans, so it was made and did not arrive.
	CauseLost
	// CauseUninstrumented: it was made outside of what the trace shows: a caller that passes context on and sends nothing.
	CauseUninstrumented
)

var causeNames = [...]string{"", "late", "sampled", "lost", "uninstrumented"}

func (c Cause) String() string { return causeNames[c] }

// nameCauses says of each missing parent why it is missing: from the best witness among its children. One made by the
// same process proves that the process sends spans. A remote one proves it only where the trace's root is there, as the
// missing span then lies between two instrumented ends.
func (b *builder) nameCauses() {
	sampled := b.thresholdsDiffer()
	rooted := false
	for i := range b.spans {
		rooted = rooted || b.spans[i].Parent < 0 && !b.spans[i].Synthetic
	}
	for i := range b.spans {
		s := &b.spans[i]
		p := s.Parent
		if s.Synthetic || p < 0 || !b.spans[p].Synthetic {
			continue
		}
		cause := CauseUninstrumented
		switch {
		case b.opts.Open:
			cause = CauseLate
		case sampled:
			cause = CauseSampled
		case rooted || !mayHaveRemoteParent(s):
			cause = CauseLost
		}
		if b.spans[p].Cause != CauseLost {
			b.spans[p].Cause = cause
		}
	}
}

// mayHaveRemoteParent goes by the span's flags and, where they do not tell, by its kind.
func mayHaveRemoteParent(s *Span) bool {
	if flags := s.Data.Flags(); flags&flagHasIsRemote != 0 {
		return flags&flagIsRemote != 0
	}
	return isServer(s.Kind)
}

// thresholdsDiffer says whether the spans' W3C sampling thresholds differ.
func (b *builder) thresholdsDiffer() bool {
	first, any := "", false
	for i := range b.spans {
		s := &b.spans[i]
		if s.Synthetic {
			continue
		}
		th := threshold(s.Data.TraceState().AsRaw())
		if any && th != first {
			return true
		}
		first, any = th, true
	}
	return false
}

// threshold is the text of th in the tracestate's ot member, without the zeros at its end, which mean nothing. "" where
// there is none.
func threshold(tracestate string) string {
	for member := range strings.SplitSeq(tracestate, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(member), "ot=")
		if !ok {
			continue
		}
		for field := range strings.SplitSeq(value, ";") {
			if th, ok := strings.CutPrefix(field, "th:"); ok {
				return "th:" + strings.TrimRight(th, "0")
			}
		}
	}
	return ""
}
