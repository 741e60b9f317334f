package tailsampling

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// The cost of a large trace's span does not depend on the number of its spans: neither while it waits for its decision, nor after
// it was kept, nor after it was not sampled.
func TestCostOfALargeTracesSpans(t *testing.T) {
	withEitherStorage(t, func(t *testing.T) {
		for _, c := range []struct {
			name          string
			kept, decided bool
		}{{"pending", false, false}, {"kept", true, true}, {"not kept", false, true}} {
			t.Run(c.name, func(t *testing.T) {
				tracetest.RequireFlat(t, 1000, func(t *testing.T, spans int) func() {
					cfg := keepErrors(testConfig())
					cfg.MemoryBudget = 128 << 20
					cfg.DecisionWait, cfg.ReviveWindow = time.Hour, time.Hour
					p := start(t, cfg, &sink{})
					t.Cleanup(func() { shutdown(t, p) })
					next := 0
					send := func(n int) {
						td := ptrace.NewTraces()
						list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
						for range n {
							next++
							s := list.AppendEmpty()
							s.SetTraceID(traceID(1))
							var id pcommon.SpanID
							binary.BigEndian.PutUint64(id[:], uint64(next))
							s.SetSpanID(id)
							s.SetParentSpanID(pcommon.SpanID{0xff})
							s.SetStartTimestamp(pcommon.Timestamp(epoch))
							s.SetEndTimestamp(pcommon.Timestamp(epoch + 1))
							if c.kept {
								s.Status().SetCode(ptrace.StatusCodeError)
							}
						}
						require.NoError(t, p.ConsumeTraces(t.Context(), td))
					}
					for left := spans; left > 0; left -= 500 {
						send(min(left, 500))
					}
					if c.decided {
						decideNow(p)
					}
					return func() {
						for range 100 {
							send(1)
						}
					}
				})
			})
		}
	})
}
