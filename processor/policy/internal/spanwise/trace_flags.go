package spanwise

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// TraceFlags returns the policy for traces with a span that has the sampled flag of W3C Trace Context. It has no
// section.
func TraceFlags(b *ask.Builder) rule.Node { return matched(b.Span("sampled flag", sampled{}), false) }

type sampled struct{}

func (sampled) Holds(v *rule.SpanView) bool { return v.Span.Flags&wire.FlagSampled != 0 }
