package tailsampling

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
)

// The attributes that kept spans get. They are contrib's.
const (
	attributePolicy = "tailsampling.policy"
	attributeCached = "tailsampling.cached_decision"
)

// decode makes pdata of the batch, with what was decided written into every span. withoutThreshold is how many spans
// could not get one.
func (b *batch) decode(policyName func(int32) string) (td ptrace.Traces, unknown, withoutThreshold int, err error) {
	request, unknown, err := b.build()
	if err != nil {
		return td, 0, 0, fmt.Errorf("read kept spans: %w", err)
	}
	var u ptrace.ProtoUnmarshaler
	if td, err = u.UnmarshalTraces(request); err != nil {
		return td, 0, 0, fmt.Errorf("decode kept spans: %w", err)
	}
	resources := td.ResourceSpans()
	r := 0
	for i := range b.traces {
		t := &b.traces[i]
		name := policyName(t.policy)
		for range t.resources {
			scopes := resources.At(r).ScopeSpans()
			r++
			for j := range scopes.Len() {
				spans := scopes.At(j).Spans()
				for k := range spans.Len() {
					if !t.mark(spans.At(k), name) {
						withoutThreshold++
					}
				}
			}
		}
	}
	return td, unknown, withoutThreshold, nil
}

// mark writes the decision into a span, and reports whether its weight could be told.
func (t *outgoing) mark(span ptrace.Span, policy string) bool {
	span.Attributes().PutStr(attributePolicy, policy)
	if t.late {
		span.Attributes().PutBool(attributeCached, true)
	}
	updated, ok := tracestate.Update(span.TraceState().AsRaw(), t.id, t.rv, t.threshold)
	span.TraceState().FromRaw(updated)
	return ok
}
