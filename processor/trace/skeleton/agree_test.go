package skeleton_test

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// A trace's skeleton agrees with the tree of the kept trace: the number of spans, orphans and roots, and each span's parent.
func TestAgreesWithTheTree(t *testing.T) {
	for seed := range uint64(500) {
		td := lawtest.RandomGraph(rand.New(rand.NewPCG(seed, 13)), 25)
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				ss.Spans().RemoveIf(func(s ptrace.Span) bool { return s.SpanID().IsEmpty() }) // refused at ingest
			}
		}
		kept := lawtest.Kept(td)
		tree := assemble.One(kept, assemble.Options{})
		var k skeleton.Skeleton
		for i := range kept.Spans {
			s := &kept.Spans[i]
			resource, clock := skeleton.Identify(kept.ResourceBytes(i))
			service, _ := wire.ResourceAttribute(kept.ResourceBytes(i), "service.name")
			h := fnv.New64()
			_, _ = h.Write(service.Bytes())
			k.Spans = append(k.Spans, skeleton.Span{
				ID: binary.BigEndian.Uint64(s.ID[:]), Parent: binary.BigEndian.Uint64(s.ParentID[:]), Start: s.Start, End: s.End,
				Kind: s.Kind, Status: s.Status, Service: h.Sum64(), Resource: resource, Clock: clock,
			})
		}
		k.Link()
		roots, real := 0, 0
		for i := range tree.Spans {
			s := &tree.Spans[i]
			if s.Synthetic {
				continue
			}
			real++
			if s.Parent < 0 {
				roots++
			}
		}
		require.Len(t, k.Spans, real, "seed %d", seed)
		require.Equal(t, tree.Orphans, k.Orphans(), "seed %d", seed)
		require.Equal(t, roots, k.Roots(), "seed %d", seed)
	}
}
