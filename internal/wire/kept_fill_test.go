package wire_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// However many resources and scopes a trace has, spans of one are adjacent, resources and scopes in the order of their first
// spans, and spans in the order of starts.
func TestSpansArePlaced(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for _, services := range []int{1, 2, 3, 15, 16, 17, 18, 60} {
		for range 5 {
			const spans = 80
			td := ptrace.NewTraces()
			type placed struct{ service, scope, start int }
			var all []placed
			for start := range spans {
				at := placed{rnd.IntN(services), rnd.IntN(3), start}
				all = append(all, at)
				rs := td.ResourceSpans().AppendEmpty()
				rs.Resource().Attributes().PutInt("service", int64(at.service))
				ss := rs.ScopeSpans().AppendEmpty()
				ss.Scope().SetName(fmt.Sprint(at.scope))
				s := ss.Spans().AppendEmpty()
				s.SetTraceID(pcommon.TraceID{1})
				s.SetSpanID(pcommon.SpanID{byte(start), 1})
				s.SetStartTimestamp(pcommon.Timestamp(start + 1))
			}
			service, scope := map[int]int{}, map[[2]int]int{} // the start of each
			for _, p := range slices.Backward(all) {
				service[p.service], scope[[2]int{p.service, p.scope}] = p.start, p.start
			}
			want := slices.SortedStableFunc(slices.Values(all), func(x, y placed) int {
				return cmp.Or(cmp.Compare(service[x.service], service[y.service]),
					cmp.Compare(scope[[2]int{x.service, x.scope}], scope[[2]int{y.service, y.scope}]))
			})
			var r wire.Request
			require.NoError(t, r.Scan(wiretest.Marshal(td)))
			var k wire.Kept
			for range 2 {
				_, err := k.Fill(&r)
				require.NoError(t, err)
				var got []int
				for i := range k.Spans {
					got = append(got, int(k.Spans[i].Start)-1)
				}
				var starts []int
				for _, p := range want {
					starts = append(starts, p.start)
				}
				require.Equal(t, starts, got)
			}
		}
	}
}
