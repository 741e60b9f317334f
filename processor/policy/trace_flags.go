package policy

// sampledFlag is W3C Trace Context's, among the low 8 bits of a span's flags.
const sampledFlag = 1

// traceFlags is trace_flags: it holds for a span whose context was sampled where it was made.
type traceFlags struct{}

func (traceFlags) holds(v *SpanView) bool { return v.Span.Flags&sampledFlag != 0 }
