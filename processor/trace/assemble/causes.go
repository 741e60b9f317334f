package assemble

import (
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/trace"
)

// nameCauses sets the cause of each missing parent, from the best evidence among its children. A child of the same
// process proves that the process sends spans. A remote child proves that only if the trace's root is there, as the
// missing span then lies between two instrumented ends.
func (b *Batch) nameCauses() {
	if b.missing == 0 {
		return
	}
	spans := b.trace.Spans
	sampled := thresholdsDiffer(spans)
	rooted := false
	for _, i := range b.trace.Roots {
		rooted = rooted || !spans[i].Synthetic
	}
	for i := range spans {
		s := &spans[i]
		p := s.Parent
		if s.Synthetic || p < 0 || !spans[p].Synthetic {
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
		if spans[p].Cause != trace.CauseLost {
			spans[p].Cause = cause
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
		th := tracestate.Parse(spans[i].Data.TraceState).Threshold
		if any && th != first {
			return true
		}
		first, any = th, true
	}
	return false
}
