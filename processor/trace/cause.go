package trace

// Cause is why a span's parent is missing, as far as the trace shows.
type Cause uint8

// The causes.
const (
	// CauseNone: the span is not missing, or stands for no particular span.
	CauseNone Cause = iota
	// CauseLate: it may still come.
	CauseLate
	// CauseSampled: the trace's spans were sampled with different thresholds, so some are expected to be missing.
	CauseSampled
	// CauseLost: its process sends spans, so it was created and did not arrive.
	CauseLost
	// CauseUninstrumented: a caller outside of the trace created it, which propagates context and sends no spans.
	CauseUninstrumented
)

var causeNames = [...]string{"", "late", "sampled", "lost", "uninstrumented"}

func (c Cause) String() string { return causeNames[c] }
