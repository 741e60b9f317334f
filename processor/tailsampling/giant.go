package tailsampling

import "github.com/slowburn/slowburn/internal/wire"

// A trace that has reached maximum_trace_size_bytes goes on waiting for its decision, but of the spans that follow only
// those are stored that explain it. The others are looked at by the policies, counted as trimmed, and let go. Should what
// explains it come to as much again, the trace is decided.

// statusError is OTLP's status code ERROR.
const statusError = 2

// skeletonShare is how long a span must be to be on the skeleton of the critical path, as a share of the trace as far as
// it is known: what a trace waits for is in the longest spans, and only a few can be that long one after the other.
const skeletonShare = 2

// trims reports whether a span is left out of its trace, which is larger than allowed.
func (s *shard) trims(e *entry, span *wire.Span) bool {
	if e.bytes < s.waits.size || e.state == late {
		return false
	}
	if span.ParentID.IsZero() || span.Status == statusError {
		return false
	}
	long := span.End > span.Start && e.end > e.start && (span.End-span.Start)*skeletonShare >= e.end-e.start
	return !long
}

// trim takes note of a span that is left out.
func (s *shard) trim(in *ingest, span *wire.Span, n uint32, e *entry, now int64) {
	s.stats.trimmed++
	s.look(in, span, n, e, now)
	if e.state == revivable || s.ingests {
		s.touch(n)
	}
}
