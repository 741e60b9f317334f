package trace

import "github.com/slowburn/slowburn/internal/tracestate"

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
	if n := len(b.spans); n == 0 || !b.spans[n-1].Synthetic {
		return // placeholders are last
	}
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
	var first uint64
	any := false
	for i := range b.spans {
		if b.spans[i].Synthetic {
			continue
		}
		th := tracestate.Parse(b.spans[i].Data.TraceState().AsRaw()).Threshold
		if any && th != first {
			return true
		}
		first, any = th, true
	}
	return false
}
