package tailsampling

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
)

// The attributes that kept spans get. They are contrib's, but for the last.
const (
	attributePolicy    = "tailsampling.policy"
	attributeComposite = "tailsampling.composite_policy"
	attributeCached    = "tailsampling.cached_decision"
	attributeLinked    = "tailsampling.linked" // ours: the trace for which the span's is kept
)

// decode makes pdata of the batch, with what was decided written into every span. withoutThreshold is how many spans
// could not get one.
func (b *batch) decode(known *names) (td ptrace.Traces, unknown, withoutThreshold int, err error) {
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
		by := known.of(t.policy)
		for range t.resources {
			scopes := resources.At(r).ScopeSpans()
			r++
			for j := range scopes.Len() {
				spans := scopes.At(j).Spans()
				for k := range spans.Len() {
					if !t.mark(spans.At(k), by) {
						withoutThreshold++
					}
				}
			}
		}
	}
	return td, unknown, withoutThreshold, nil
}

// mark writes the decision into a span, and reports whether its weight could be told. A trace that has none, because
// something other than its randomness chose it, keeps no threshold of an earlier sampler either: what it stood for is not
// known any more.
func (t *outgoing) mark(span ptrace.Span, by name) bool {
	span.Attributes().PutStr(attributePolicy, by.policy)
	if by.sub != "" {
		span.Attributes().PutStr(attributeComposite, by.sub)
	}
	if !t.linked.IsZero() {
		span.Attributes().PutStr(attributeLinked, t.linked.String())
	}
	if t.late {
		span.Attributes().PutBool(attributeCached, true)
	}
	updated, ok := tracestate.Update(span.TraceState().AsRaw(), t.id, t.rv, t.threshold)
	span.TraceState().FromRaw(updated)
	return ok || t.threshold == tracestate.None
}
