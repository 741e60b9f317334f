package webtest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// Page makes the page of a trace, as it leaves in JSON.
type Page func(*trace.Trace) []byte

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

// RequireGrowth fails where a page of some trace takes more than n log n.
func RequireGrowth(t *testing.T, render Page) {
	tracetest.RequireGrowth(t, tracetest.Hostile, 100, func(t *testing.T, td ptrace.Traces) func() {
		found := assembled(t, td)
		return func() {
			render(found)
		}
	})
}

// RequireBounded fails where a trace of many MiB has a page that is not bounded, or does not say what it does not have. list is what
// it says where an attribute is a long list.
func RequireBounded(t *testing.T, list string, render Page) {
	const cut, left = "texts are cut", "are left out: an answer has at most 32 MiB"
	long := strings.Repeat("é", 4<<20)
	for name, c := range map[string]struct {
		warns string
		fill  func(ss ptrace.ScopeSpans)
	}{
		"a long value": {"1 " + cut, func(ss ptrace.ScopeSpans) { ss.Spans().At(0).Attributes().PutStr("k", long) }},
		"long bytes":   {"1 " + cut, func(ss ptrace.ScopeSpans) { ss.Spans().At(0).Attributes().PutEmptyBytes("k").FromRaw([]byte(long)) }},
		"a long name":  {"1 " + cut, func(ss ptrace.ScopeSpans) { ss.Spans().At(0).SetName(long) }},
		"a long scope": {cut, func(ss ptrace.ScopeSpans) { ss.Scope().SetName(long) }},
		"much in each": {left, func(ss ptrace.ScopeSpans) {
			for _, s := range ss.Spans().All() {
				for _, k := range "abcdefghij" {
					s.Attributes().PutStr(string(k), long[:4000])
				}
			}
		}},
		"a long list": {list, func(ss ptrace.ScopeSpans) {
			values := ss.Spans().At(0).Attributes().PutEmptySlice("k")
			for range 2 << 20 {
				values.AppendEmpty().SetInt(1)
			}
		}},
		"many spans": {"of 101000 spans are left out", func(ss ptrace.ScopeSpans) {
			for i := range 100_000 {
				s := ss.Spans().AppendEmpty()
				ss.Spans().At(0).CopyTo(s)
				s.SetSpanID([8]byte{1, byte(i >> 16), byte(i >> 8), byte(i)})
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			td := ptrace.NewTraces()
			ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
			for i := range 1000 {
				s := ss.Spans().AppendEmpty()
				s.SetTraceID([16]byte{1})
				s.SetSpanID([8]byte{2, byte(i >> 8), byte(i)})
				s.SetStartTimestamp(1)
				s.SetEndTimestamp(2)
			}
			c.fill(ss)
			body := render(assembled(t, td))
			var page struct{ Warnings []string }
			require.NoError(t, json.Unmarshal(body, &page))
			require.Less(t, len(body), 100<<20)
			require.Contains(t, strings.Join(page.Warnings, "; "), c.warns)
		})
	}
}
