package otlp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/internal/wire"
)

// Errors of rejected spans for the Collector's own metrics.
var (
	errInvalidID     = errors.New("zero trace ID or span ID")
	errLargeResource = errors.New("a resource or scope larger than max_resource_size")
)

// Reasons of rejected spans in the metric.
const (
	rejectedInvalidID     = "invalid_id"
	rejectedLargeResource = "large_resource"
)

// reject counts the spans that are left out of a request, and returns the text for the sender.
func (d *tracesDoor) reject(ctx context.Context, enc *encoding, rejected wire.Rejected) string {
	var told []string
	note := func(n int, reason string, err error, text string) {
		if n == 0 {
			return
		}
		d.obs.EndTracesOp(d.obs.StartTracesOp(ctx), enc.name, n, err)
		d.refusals.reject(ctx, n, reason)
		told = append(told, fmt.Sprintf("%d spans rejected: %s", n, text))
	}
	note(rejected.InvalidIDs, rejectedInvalidID, errInvalidID,
		errInvalidID.Error()+", which OTLP declares invalid: the exporter must set both")
	note(rejected.LargeHeaders, rejectedLargeResource, errLargeResource,
		fmt.Sprintf("the attributes and names of their resource or scope are %d bytes, and may be %s: send fewer or shorter ones, or raise receivers::otlp::max_resource_size at the gateway",
			rejected.Largest, units.Size(d.maxResource)))
	return strings.Join(told, "; ")
}

// dropRejected removes the spans that wire.Request.Accept would leave out, and returns their counts.
func dropRejected(td ptrace.Traces, maxHeader int) (rejected wire.Rejected) {
	drop := func(header, spans int) bool {
		if header <= maxHeader || spans == 0 {
			return false
		}
		rejected.LargeHeaders += spans
		rejected.Largest = max(rejected.Largest, header)
		return true
	}
	td.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		spans := 0
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			before := ss.Spans().Len()
			ss.Spans().RemoveIf(func(s ptrace.Span) bool { return s.TraceID().IsEmpty() || s.SpanID().IsEmpty() })
			n := ss.Spans().Len()
			rejected.InvalidIDs += before - n
			if drop(scopeHeader(ss), n) {
				return true
			}
			spans += n
			return false
		})
		return drop(resourceHeader(rs), spans)
	})
	return rejected
}

var sizes ptrace.ProtoMarshaler

// resourceHeader returns the length of a resource's header in protobuf. It moves the parts instead of copying them, and so
// allocates nothing.
func resourceHeader(rs ptrace.ResourceSpans) int {
	alone := ptrace.NewResourceSpans()
	rs.Resource().MoveTo(alone.Resource())
	alone.SetSchemaUrl(rs.SchemaUrl())
	defer alone.Resource().MoveTo(rs.Resource())
	return sizes.ResourceSpansSize(alone)
}

// scopeHeader is the same for a scope's.
func scopeHeader(ss ptrace.ScopeSpans) int {
	alone := ptrace.NewScopeSpans()
	ss.Scope().MoveTo(alone.Scope())
	alone.SetSchemaUrl(ss.SchemaUrl())
	defer alone.Scope().MoveTo(ss.Scope())
	return sizes.ScopeSpansSize(alone)
}
