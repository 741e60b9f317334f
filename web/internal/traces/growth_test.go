package traces

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// assembled is the trace of td.
func assembled(t *testing.T, td ptrace.Traces) *trace.Trace {
	t.Helper()
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(body))
	var k wire.Kept
	_, err = k.Fill(&r)
	require.NoError(t, err)
	return assemble.One(&k, assemble.Options{})
}

// written is the page of a trace.
func written(t *trace.Trace) []byte {
	w := httptest.NewRecorder()
	p := rest.NewPage(w)
	writeTrace(p, t, &tracestore.Meta{}, nil)
	if err := p.Close(); err != nil {
		panic(err)
	}
	return w.Body.Bytes()
}

// Whatever a trace is, its page takes no more than n log n.
func TestNeverMoreThanNLogN(t *testing.T) {
	tracetest.RequireGrowth(t, tracetest.Hostile, 100, func(t *testing.T, td ptrace.Traces) func() {
		found := assembled(t, td)
		return func() {
			written(found)
		}
	})
}

// A trace of many MiB has a page of bounded size that says what it does not have.
func TestPagesAreBounded(t *testing.T) {
	long := strings.Repeat("é", 4<<20)
	for name, c := range map[string]struct {
		warns string
		fill  func(ss ptrace.ScopeSpans)
	}{
		"a long value": {"1 texts are cut", func(ss ptrace.ScopeSpans) { ss.Spans().At(0).Attributes().PutStr("k", long) }},
		"long bytes":   {"1 texts are cut", func(ss ptrace.ScopeSpans) { ss.Spans().At(0).Attributes().PutEmptyBytes("k").FromRaw([]byte(long)) }},
		"a long name":  {"1 texts are cut", func(ss ptrace.ScopeSpans) { ss.Spans().At(0).SetName(long) }},
		"a long scope": {"texts are cut", func(ss ptrace.ScopeSpans) { ss.Scope().SetName(long) }},
		"much in each": {"are left out here: an answer has at most 32 MiB", func(ss ptrace.ScopeSpans) {
			for _, s := range ss.Spans().All() {
				for _, k := range "abcdefghij" {
					s.Attributes().PutStr(string(k), long[:4000])
				}
			}
		}},
		"a long list": {"are left out here: an answer has at most 32 MiB", func(ss ptrace.ScopeSpans) {
			list := ss.Spans().At(0).Attributes().PutEmptySlice("k")
			for range 2 << 20 {
				list.AppendEmpty().SetInt(1)
			}
		}},
		"many spans": {"spans of 100100 are left out here", func(ss ptrace.ScopeSpans) {
			for i := range 100_000 {
				s := ss.Spans().AppendEmpty()
				ss.Spans().At(0).CopyTo(s)
				s.SetSpanID([8]byte{1, byte(i >> 16), byte(i >> 8), byte(i)})
			}
		}},
	} {
		td := ptrace.NewTraces()
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for i := range 1000 {
			s := ss.Spans().AppendEmpty()
			s.SetTraceID([16]byte{1})
			s.SetSpanID([8]byte{2, byte(i >> 8), byte(i)})
			s.SetStartTimestamp(1)
			s.SetEndTimestamp(2)
		}
		if name == "many spans" {
			ss.Spans().RemoveIf(func(s ptrace.Span) bool { id := s.SpanID(); return id[1] != 0 || id[2] >= 100 })
		}
		c.fill(ss)
		found := assembled(t, td)
		body := written(found)
		var page struct{ Warnings []string }
		require.NoError(t, json.Unmarshal(body, &page), name)
		require.Less(t, len(body), 100<<20, name)
		require.Contains(t, strings.Join(page.Warnings, "; "), c.warns, name)
	}
}
