package attr

// Attributes that tail_sampling writes on the scopes of kept traces. They hold for all spans of the trace.
const (
	// Policy is the name of the policy that decided the trace: the one whose threshold is written.
	Policy = "tailsampling.policy"
	// CompositePolicy is the sub-policy by which a composite one decided.
	CompositePolicy = "tailsampling.composite_policy"
	// CachedDecision is true where the spans came after their trace was decided.
	CachedDecision = "tailsampling.cached_decision"
	// Linked is the ID of the trace for which this one was kept: a link connects them. It is not contrib's.
	Linked = "tailsampling.linked"
	// Revived is true where the trace was not sampled, and then sampled because of spans that came late. It is not contrib's.
	Revived = "tailsampling.revived"
	// TrimmedSpans is how many spans of the trace were left out because it was too large. It is not contrib's.
	TrimmedSpans = "tailsampling.trimmed_spans"
)

// Attributes that delivery writes where it had to change something.
const (
	// TextRepaired is true on a span that had text that was not UTF-8, or on the scopes of a trace with such a resource or scope:
	// what was not is U+FFFD now.
	TextRepaired = "slowburn.text.repaired"
	// SpanTrimmed is how many bytes were cut from a span that was larger than a request may be.
	SpanTrimmed = "slowburn.span.trimmed"
)

// Attributes that reconstruct writes.
const (
	// SpanFlags lists what is odd about a span.
	SpanFlags = "slowburn.span.flags"
	// ClockOffset is what is to be added to a span's times, in nanoseconds.
	ClockOffset = "slowburn.clock.offset_ns"
	// ClockUncertainty is how far ClockOffset may be off, in nanoseconds.
	ClockUncertainty = "slowburn.clock.uncertainty_ns"
	// ClockStatus says how the clock stands to the others of its trace.
	ClockStatus = "slowburn.clock.status"
)
