package delivery

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// decode makes pdata of the batch, with what was decided written into every span. withoutThreshold is how many spans
// could not get one.
func (b *batch) decode(names *version.Names) (td ptrace.Traces, unknown, withoutThreshold int, err error) {
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
		name := names.Of(t.Policy)
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

// mark writes the decision into a span, and reports whether its weight could be written. A trace that has none, because
// something other than its randomness chose it, keeps no threshold of an earlier sampler either: what it stood for is not
// known any more.
func (t *outgoing) mark(span ptrace.Span, name version.Name) bool {
	span.Attributes().PutStr(attr.Policy, name.Policy)
	if name.Sub != "" {
		span.Attributes().PutStr(attr.CompositePolicy, name.Sub)
	}
	if !t.Linked.IsZero() {
		span.Attributes().PutStr(attr.Linked, t.Linked.String())
	}
	if t.Late {
		span.Attributes().PutBool(attr.CachedDecision, true)
	}
	updated, ok := tracestate.Update(span.TraceState().AsRaw(), t.ID, t.Random, t.Threshold)
	span.TraceState().FromRaw(updated)
	return ok || t.Threshold == tracestate.None
}
