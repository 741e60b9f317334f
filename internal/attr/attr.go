package attr

// Attributes that tail_sampling writes on the scopes of kept traces. They apply to all spans of the trace.
const (
	// Policy is the name of the deciding policy: the one whose threshold is written.
	Policy = "tailsampling.policy"
	// CompositePolicy is the deciding sub-policy of a composite policy.
	CompositePolicy = "tailsampling.composite_policy"
	// CachedDecision is true if the spans came after their trace was decided.
	CachedDecision = "tailsampling.cached_decision"
	// Linked is the ID of the linked trace for which this one was kept. It is not contrib's.
	Linked = "tailsampling.linked"
	// Revived is true if the trace was not sampled at first, and then sampled because of late spans. It is not contrib's.
	Revived = "tailsampling.revived"
	// TrimmedSpans is the number of spans that were left out because the trace was too large. It is not
	// contrib's.
	TrimmedSpans = "tailsampling.trimmed_spans"
)

// Attributes that delivery writes if it had to change a span.
const (
	// TextRepaired is true on a span with text that was not UTF-8, or on the scopes of a trace with such a resource or scope:
	// invalid bytes were replaced by U+FFFD.
	TextRepaired = "slowburn.text.repaired"
	// SpanTrimmed is the number of bytes cut from a span that was larger than a request may be.
	SpanTrimmed = "slowburn.span.trimmed"
)

// Attributes that reconstruct writes.
const (
	// SpanFlags lists anomalies of a span.
	SpanFlags = "slowburn.span.flags"
	// ClockOffset is to be added to a span's times, in nanoseconds.
	ClockOffset = "slowburn.clock.offset_ns"
	// ClockUncertainty is the largest error of ClockOffset, in nanoseconds.
	ClockUncertainty = "slowburn.clock.uncertainty_ns"
	// ClockStatus is the result of the correction of the span's clock.
	ClockStatus = "slowburn.clock.status"
)
