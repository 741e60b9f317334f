package trace

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
