package attr

// Attributes that tail_sampling writes on kept spans.
const (
	// Policy is the name of the policy that decided the trace.
	Policy = "tailsampling.policy"
	// CompositePolicy is the sub-policy by which a composite one decided.
	CompositePolicy = "tailsampling.composite_policy"
	// CachedDecision is true on a span that came after its trace was decided.
	CachedDecision = "tailsampling.cached_decision"
	// Linked is the ID of the trace for which this one was kept: a link connects them. It is not contrib's.
	Linked = "tailsampling.linked"
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
