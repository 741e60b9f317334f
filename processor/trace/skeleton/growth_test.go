package skeleton_test

import (
	"encoding/binary"
	"hash/maphash"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

var seed = maphash.MakeSeed()

// spansOf returns the spans of a trace in a Skeleton's form.
func spansOf(td ptrace.Traces) (spans []skeleton.Span) {
	kept := lawtest.Kept(td)
	var resource, clock uint64
	for i := range kept.Spans {
		s := &kept.Spans[i]
		if i == 0 || s.Resource != kept.Spans[i-1].Resource {
			resource, clock = skeleton.Identify(kept.ResourceBytes(i))
		}
		spans = append(spans, skeleton.Span{
			ID: binary.BigEndian.Uint64(s.ID[:]), Parent: binary.BigEndian.Uint64(s.ParentID[:]), Start: s.Start, End: s.End,
			Name: maphash.Bytes(seed, s.Name.Of(kept.Bytes)),
			Kind: s.Kind, Status: s.Status, Service: resource, Resource: resource, Clock: clock,
		})
	}
	return spans
}

// For any input, each question about a trace takes n log n at most.
func TestNeverMoreThanNLogN(t *testing.T) {
	tracetest.RequireGrowth(t, tracetest.Hostile, 300, func(_ *testing.T, td ptrace.Traces) func() {
		spans := spansOf(td)
		var k skeleton.Skeleton
		return func() {
			k.Reset()
			k.Spans = append(k.Spans, spans...)
			k.Link()
			k.Orphans()
			k.Roots()
			k.Retries()
			k.FailureModes()
			k.CriticalPath(func(*skeleton.Span) bool { return true })
		}
	})
}
