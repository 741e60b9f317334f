package web

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

// BenchmarkLargeTrace serves a trace of 20,000 spans, which the waterfall is designed for.
func BenchmarkLargeTrace(b *testing.B) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "batch")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range uint64(20_000) {
		s := webtest.ExampleSpan(spans, 0, 0, "job", int64(i), int64(i)+10)
		var id, parent pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], i+1)
		binary.BigEndian.PutUint64(parent[:], (i+1)/4)
		s.SetSpanID(id)
		s.SetParentSpanID(parent)
		s.Attributes().PutStr("http.route", "/checkout/{id}")
		s.Attributes().PutInt("http.response.status_code", 200)
		s.Attributes().PutStr("db.query.text", "SELECT * FROM orders WHERE id = ?")
	}
	world := webtest.Everything()
	world.Pipelines["trace_store"].(*webtest.Store).Traces[webtest.ExampleID] = td
	h := handler(b, world, webtest.Pages, "")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/traces/v1/traces/"+webtest.ExampleHex, nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
		b.SetBytes(int64(w.Body.Len()))
	}
}
