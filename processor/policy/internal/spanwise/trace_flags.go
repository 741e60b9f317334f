package spanwise

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// sampledFlag is W3C Trace Context's, among the low 8 bits of a span's flags.
const sampledFlag = 1

// TraceFlags makes the policy for traces with a span whose context was sampled where it was made. It has no section.
func TraceFlags(b *ask.Builder) rule.Node { return matched(b.Span("sampled flag", sampled{}), false) }

type sampled struct{}

func (sampled) Holds(v *rule.SpanView) bool { return v.Span.Flags&sampledFlag != 0 }
