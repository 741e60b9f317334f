package assemble

import (
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/trace"
)

// nameCauses says of each missing parent why it is missing: from the best witness among its children. One made by the
// same process proves that the process sends spans. A remote one proves it only where the trace's root is there, as the
// missing span then lies between two instrumented ends.
func (b *builder) nameCauses() {
	if n := len(b.spans); n == 0 || !b.spans[n-1].Synthetic {
		return // placeholders are last
	}
	sampled := thresholdsDiffer(b.spans)
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
		cause := trace.CauseUninstrumented
		switch {
		case b.opts.Open:
			cause = trace.CauseLate
		case sampled:
			cause = trace.CauseSampled
		case rooted || !s.MayHaveRemoteParent():
			cause = trace.CauseLost
		}
		if b.spans[p].Cause != trace.CauseLost {
			b.spans[p].Cause = cause
		}
	}
}

// thresholdsDiffer reports whether the spans' W3C sampling thresholds differ.
func thresholdsDiffer(spans []trace.Span) bool {
	var first uint64
	any := false
	for i := range spans {
		if spans[i].Synthetic {
			continue
		}
		th := tracestate.Parse(spans[i].Data.TraceState().AsRaw()).Threshold
		if any && th != first {
			return true
		}
		first, any = th, true
	}
	return false
}
