package otlp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/internal/wire"
)

// rejectedBy returns how many spans were rejected for a reason.
func (g *gateway) rejectedBy(reason string) int64 {
	g.t.Helper()
	m, err := g.tel.GetMetric("otelcol_receiver_otlp_rejected_spans")
	require.NoError(g.t, err)
	return sumOf(g.t, m, map[string]string{"reason": reason})
}

// wide makes attributes so large that a resource with nothing else is at its limit, less or more.
func wide(attributes pcommon.Map, limit, more int) {
	const heads = 3 + 3 + len("k") + 2 + 3 + 3 // of the resource, its attribute, the key, the value, and the value's text
	attributes.PutStr("k", strings.Repeat("v", limit-heads+more))
}

// Spans of a resource or scope above the size limit are rejected through every door, on the wire path and off it; the request's
// other spans are accepted unchanged. The sender and the operator get the reason.
func TestRejectsLargeResources(t *testing.T) {
	const limit = 8 << 10
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on, "max_resource_size": "8KiB"})
		for _, door := range doors {
			td, ids := someTraces(3, true) // the second resource has two of the spans, and one without an ID
			wide(td.ResourceSpans().At(1).Resource().Attributes(), limit, 1)
			got := g.send(door, "gzip", td)
			assert.Equal(t, codes.OK, got.status.Code(), door)
			assert.EqualValues(t, 4, got.rejected, door)
			assert.Contains(t, got.message, "zero trace ID or span ID")
			assert.Contains(t, got.message, "2 spans rejected: the attributes and names of their resource or scope are 8193 bytes, and may be 8KiB: ")
			assert.Contains(t, got.message, "receivers::otlp::max_resource_size")
			assert.Equal(t, ids[1:2], g.take(), door)

			td, ids = someTraces(3, false)
			for _, rs := range td.ResourceSpans().All() {
				wide(rs.Resource().Attributes(), limit, 0)
				wide(rs.ScopeSpans().At(0).Scope().Attributes(), limit, 0)
			}
			got = g.send(door, "", td)
			assert.Zero(t, got.rejected, "%s: %s", door, got.message)
			assert.ElementsMatch(t, ids, g.take(), door)

			td, _ = someTraces(3, false)
			for _, rs := range td.ResourceSpans().All() {
				wide(rs.ScopeSpans().At(0).Scope().Attributes(), limit, 1)
			}
			got = g.send(door, "", td)
			assert.Equal(t, codes.OK, got.status.Code(), door)
			assert.EqualValues(t, 3, got.rejected, door)
			assert.Empty(t, g.take(), door)
		}
		n := int64(len(doors))
		assert.Equal(t, 5*n, g.rejectedBy(rejectedLargeResource))
		assert.Equal(t, 2*n, g.rejectedBy(rejectedInvalidID))
	})
}

// Decoded requests reject the same spans as a scan, and the rest stays unchanged.
func TestDropRejectedIsAccept(t *testing.T) {
	for more := -2; more <= 2; more++ {
		for _, where := range []string{"resource", "scope", "schema of the resource", "schema of the scope"} {
			td, _ := someTraces(5, true)
			rs := td.ResourceSpans().At(0)
			const limit = 1 << 10
			switch where {
			case "resource":
				wide(rs.Resource().Attributes(), limit, more)
			case "scope":
				wide(rs.ScopeSpans().At(0).Scope().Attributes(), limit, more)
			case "schema of the resource":
				rs.SetSchemaUrl(strings.Repeat("u", limit-3-2+more)) // and an empty resource
			case "schema of the scope":
				rs.ScopeSpans().At(0).SetSchemaUrl(strings.Repeat("u", limit-3-2+more))
			}
			body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
			require.NoError(t, err)
			var r wire.Request
			want, err := r.Accept(body, limit)
			require.NoError(t, err)
			before := ptrace.NewTraces()
			td.CopyTo(before)
			assert.Equal(t, want, dropRejected(td, limit), "%s, %d", where, more)
			assert.Len(t, r.Spans, td.SpanCount())
			if more <= 0 {
				assert.Zero(t, want.LargeHeaders, "%s, %d", where, more)
				for i, rs := range td.ResourceSpans().All() {
					assert.Equal(t, before.ResourceSpans().At(i).Resource(), rs.Resource())
					assert.Equal(t, before.ResourceSpans().At(i).ScopeSpans().At(0).Scope(), rs.ScopeSpans().At(0).Scope())
				}
			} else {
				assert.Equal(t, 2, want.LargeHeaders, "%s, %d", where, more)
			}
		}
	}
}
