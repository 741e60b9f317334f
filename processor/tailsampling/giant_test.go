package tailsampling

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// giant makes the requests of a trace with the given number of spans, 1,000 in each. The spans that explain it are spread over
// the requests, and the root is the last span of all.
type giant struct {
	spans, errors int
	template      ptrace.Traces
	explains      map[pcommon.SpanID]string
}

const (
	giantTrace   = 1_000_000
	giantRequest = 1000
	giantLength  = 100 * time.Second
)

func newGiant(spans int) *giant {
	g := &giant{spans: spans, template: ptrace.NewTraces(), explains: map[pcommon.SpanID]string{}}
	to := newSpan(giantTrace, 1)
	to.td.ResourceSpans().At(0).CopyTo(g.template.ResourceSpans().AppendEmpty())
	list := g.template.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	list.At(0).Attributes().PutStr("padding", string(make([]byte, 240)))
	for range giantRequest - 1 {
		list.At(0).CopyTo(list.AppendEmpty())
	}
	return g
}

// request returns the i-th request.
func (g *giant) request(i int) ptrace.Traces {
	list := g.template.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for j, s := range list.All() {
		n := i*giantRequest + j
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], uint64(n+1))
		s.SetSpanID(id)
		s.SetParentSpanID(pcommon.SpanID{0xff})
		s.Status().SetCode(ptrace.StatusCodeUnset)
		at := epoch + uint64(n)*uint64(giantLength)/uint64(g.spans)
		s.SetStartTimestamp(pcommon.Timestamp(at))
		s.SetEndTimestamp(pcommon.Timestamp(at + uint64(time.Millisecond)))
		switch {
		case n == g.spans-1:
			s.SetParentSpanID(pcommon.SpanID{})
			g.explain(s, "the root", 0)
		case n%(g.spans/100) == 17:
			s.Status().SetCode(ptrace.StatusCodeError)
			g.explains[id] = "a span with an error"
			g.errors++
		case n%(g.spans/10) == 18:
			g.explain(s, "on the critical path", uint64(n/(g.spans/10))*uint64(time.Second))
		}
	}
	return g.template
}

// explain makes a span last nearly as long as the trace.
func (g *giant) explain(s ptrace.Span, why string, less uint64) {
	s.SetStartTimestamp(pcommon.Timestamp(epoch + less))
	s.SetEndTimestamp(pcommon.Timestamp(epoch + uint64(giantLength) - less))
	g.explains[s.SpanID()] = why
}

// A trace of a million spans, eight times the memory budget, keeps its root, its errors and its longest spans. The
// others are counted, and other traces are not affected: none is decided early, refused or torn.
func TestTraceOfAMillionSpans(t *testing.T) { withEitherStorage(t, testTraceOfAMillionSpans) }

func testTraceOfAMillionSpans(t *testing.T) {
	spans := 1_000_000
	if raceEnabled || testing.Short() {
		spans = 100_000
	}
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.MemoryBudget, cfg.DecisionWait = 64<<20, time.Minute
		var next sink
		p := start(t, cfg, &next)
		g := newGiant(spans)
		bytes, peak := 0, int64(0)
		const every = 5 // requests of the giant per request of a neighbour
		neighbours := 0
		for i := range spans / giantRequest {
			b := marshal(t, g.request(i))
			bytes += len(b)
			var r wire.Request
			require.NoError(t, r.Scan(b))
			require.NoError(t, p.ConsumeTraces(wire.NewContext(t.Context(), &r), ptrace.NewTraces()))
			if i%every == 0 {
				require.NoError(t, wireDoor(t, p, request(newTrace(neighbours, 3, neighbours%2 == 0)...)))
				neighbours++
			}
			peak = max(peak, p.buffer.Pool.Used())
			time.Sleep(10 * time.Millisecond)
		}
		st := p.Status()
		assert.Equal(t, int64(1+neighbours), st.TracesPending, "nothing is decided yet")
		assert.LessOrEqual(t, peak, int64(cfg.MemoryBudget))
		assert.LessOrEqual(t, st.SpansBuffered, int64(cfg.MaximumTraceSizeBytes)/400+int64(3*neighbours))

		time.Sleep(cfg.DecisionWait + time.Second)
		got := next.traces()
		require.Len(t, got[traceID(giantTrace)], 1)
		left, kept := g.explains, 0
		for _, s := range spansOf(got[traceID(giantTrace)][0]) {
			delete(left, s.SpanID())
			kept++
		}
		assert.Empty(t, left, "of what explains the trace, this is missing")
		assert.Equal(t, 100, g.errors)
		st = p.Status()
		assert.Equal(t, int64(spans-kept), st.TrimmedSpans, "the rest is counted")
		for n := 0; n < neighbours; n += 2 {
			require.Len(t, got[traceID(n)], 1)
			require.Len(t, spansOf(got[traceID(n)][0]), 3)
		}
		assert.Len(t, got, 1+(neighbours+1)/2)
		assert.Zero(t, st.EarlyDecisions)
		assert.Zero(t, st.RefusedSpans)
		t.Logf("%d spans, %d MiB: %d spans kept, %.1f MiB of memory at the peak", spans, bytes>>20, kept, float64(peak)/(1<<20))
		shutdown(t, p)
	})
}
