package traces

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// large is a trace of n spans as services send them, each with the given number of attributes.
func large(n, attributes int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "large")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		s := spans.AppendEmpty()
		s.SetTraceID(webtest.ExampleID)
		s.SetSpanID(pcommon.SpanID{byte(i >> 16), byte(i >> 8), byte(i), 7: 1})
		if parent := (i - 1) / 3; i > 0 {
			s.SetParentSpanID(pcommon.SpanID{byte(parent >> 16), byte(parent >> 8), byte(parent), 7: 1})
		}
		s.SetName(fmt.Sprintf("operation %d", i%100))
		s.SetStartTimestamp(1)
		s.SetEndTimestamp(2)
		for k := range attributes {
			s.Attributes().PutStr(fmt.Sprintf("attribute.%d", k), fmt.Sprintf("value %d of %d", k, i))
		}
	}
	return td
}

// discard is a client that counts its bytes.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { d.bytes += len(b); return len(b), nil }
func encoded(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return body
}

// show reconstructs a trace and writes its page.
func show(t testing.TB, spans []byte, id pcommon.TraceID) int {
	found, err := reconstruct(spans, wire.Count(spans), id)
	require.NoError(t, err)
	to := discard{header: http.Header{}}
	p := rest.NewPage(&to)
	writeTrace(p, found, &tracestore.Meta{}, nil)
	require.NoError(t, p.Close())
	return to.bytes
}

func BenchmarkShow(b *testing.B) {
	spans := encoded(b, large(20_000, 10))
	b.ReportAllocs()
	b.SetBytes(int64(len(spans)))
	for b.Loop() {
		show(b, spans, webtest.ExampleID)
	}
}

// TestMemory: showing a trace allocates no more than its reservation. For hostile traces, with many clocks and copies, the sum
// includes the garbage of several steps: no step uses as much at once.
func TestMemory(t *testing.T) {
	bound := func(t *testing.T, td ptrace.Traces, times int64) {
		spans := encoded(t, td)
		size := tracestore.Size{Bytes: len(spans), Spans: wire.Count(spans).Spans}
		var r wire.Request
		require.NoError(t, r.Scan(spans))
		id := pcommon.TraceID(r.Spans[0].TraceID)
		runtime.GC()
		runtime.GC() // pools are empty
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		show(t, spans, id)
		runtime.ReadMemStats(&after)
		took, reserved := int64(after.TotalAlloc-before.TotalAlloc)+int64(2*len(spans)), memoryFor(size)
		t.Logf("%d spans, %d bytes: %d, %d per span; reserved %d", size.Spans, size.Bytes, took, took/int64(size.Spans), reserved)
		assert.LessOrEqual(t, took, times*reserved)
	}
	for name, td := range map[string]ptrace.Traces{
		"no attributes": large(20_000, 0), "ten attributes": large(20_000, 10), "many attributes": large(2000, 100),
	} {
		t.Run(name, func(t *testing.T) { bound(t, td, 1) })
	}
	for _, shape := range tracetest.Hostile {
		t.Run(shape.Name, func(t *testing.T) { bound(t, shape.Of(3000), 3) })
	}
}

// A trace that needs more memory than all reads may use is refused before it is read, with the key to set.
func TestTooLarge(t *testing.T) {
	world := webtest.Everything()
	store := world.Pipelines["trace_store"].(*webtest.Store)
	store.Traces[webtest.ExampleID] = large(10_000, 10)
	config := reads.Default()
	config.Memory = 8 << 20
	limits, err := reads.New(config, gate.NewSlots(1))
	require.NoError(t, err)
	h := limits.Costly(rest.WriteProblem)(served(world))
	webtest.RequireProblem(t, webtest.Get(t, h, "/api/traces/v1/traces/"+webtest.ExampleHex), http.StatusUnprocessableEntity,
		"of memory, and all requests together may take 8MiB. Raise web::reads::memory, or read the trace with slowburn sample.")
	store.Traces[webtest.ExampleID] = large(1000, 10)
	w := webtest.Get(t, h, "/api/traces/v1/traces/"+webtest.ExampleHex)
	require.Equal(t, http.StatusOK, w.Code)
	shown := len(webtest.Decode[api.Trace](t, w).Spans)
	assert.Equal(t, 1000, shown)
}
