package wire_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// keptTraces is a Kept of n traces, of different services and with marks on their spans.
func keptTraces(t *testing.T, name string, traces, spans int) *wire.Kept {
	t.Helper()
	all := ptrace.NewTraces()
	for n := range traces {
		td := wiretest.Realistic(spans)
		for _, rs := range td.ResourceSpans().All() {
			rs.Resource().Attributes().PutStr("service.name", fmt.Sprint(name, n%2))
			for _, ss := range rs.ScopeSpans().All() {
				for i, span := range ss.Spans().All() {
					id := span.TraceID()
					copy(id[2:], fmt.Sprint(name, n))
					span.SetTraceID(id)
					if i%2 == 0 {
						span.TraceState().FromRaw("vendor=a")
					}
				}
			}
		}
		td.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(all)))
	var k wire.Kept
	_, err := k.Fill(&r)
	require.NoError(t, err)
	for n := range k.Traces {
		kept := &k.Traces[n]
		kept.Marks = []wire.Attribute{wire.StringAttribute("mark", fmt.Sprint(name, n))}
		kept.Found = name
		kept.Reconstructed = n%2 == 0
		for i := kept.From; i < kept.To; i++ {
			if i%3 > 0 {
				k.SetTraceState(i, []byte("ot=th:8"))
			}
			if i%3 > 1 {
				k.SetAttribute(i, wire.IntAttribute("n", int64(i)))
			}
			k.Spans[i].Sent = true
		}
	}
	return &k
}

// A copied trace stays the same, whatever it is copied between and whatever is written on it; its source does not change.
func TestKeptCopies(t *testing.T) {
	from := []*wire.Kept{keptTraces(t, "a", 4, 5), keptTraces(t, "b", 3, 1), keptTraces(t, "c", 2, 9)}
	var was [][]byte
	for _, k := range from {
		was = append(was, k.AppendRequest(nil, 0, len(k.Spans)))
	}
	var k wire.Kept
	for round := range 2 { // the second round reuses it
		k.Reset()
		var want []byte
		copied := 0
		for _, c := range []struct{ of, trace int }{{0, 0}, {1, 2}, {0, 3}, {2, 1}, {2, 0}, {0, 1}} {
			source := from[(c.of+round)%len(from)]
			trace := c.trace % len(source.Traces)
			require.True(t, k.AddCopy(source, trace))
			kept, original := k.Traces[copied], source.Traces[trace]
			require.Equal(t, original.ID, kept.ID)
			require.Equal(t, original.Found, kept.Found)
			require.Equal(t, original.Reconstructed, kept.Reconstructed)
			require.Equal(t, source.AppendRequest(nil, original.From, original.To), k.AppendRequest(nil, kept.From, kept.To))
			want = source.AppendRequest(want, original.From, original.To)
			for i := kept.From; i < kept.To; i++ {
				require.False(t, k.Spans[i].Sent)
				require.Equal(t, source.Spans[original.From+i-kept.From].Name.Of(source.Bytes), k.Spans[i].Name.Of(k.Bytes))
			}
			copied++
		}
		require.Equal(t, want, k.AppendRequest(nil, 0, len(k.Spans)))
		for i := range k.Spans {
			k.SetAttribute(i, wire.BoolAttribute("http.request.method", true))
		}
		for _, rs := range wiretest.Decode(t, k.AppendRequest(nil, 0, len(k.Spans))).ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					method, _ := span.Attributes().Get("http.request.method")
					require.True(t, method.Bool())
				}
			}
		}
		for i, k := range from {
			require.True(t, bytes.Equal(was[i], k.AppendRequest(nil, 0, len(k.Spans))))
		}
	}
}

// A span trimmed for one destination is whole for another.
func TestReplacedSpansAreNotCopied(t *testing.T) {
	from := keptTraces(t, "a", 2, 3)
	last := from.Traces[0].To - 1
	require.NoError(t, from.Replace(last, from.Spans[0].Body.Of(from.Bytes)))
	var k wire.Kept
	require.False(t, k.AddCopy(from, 0))
	require.Empty(t, k.Traces)
	require.Empty(t, k.Spans)
	require.True(t, k.AddCopy(from, 1))
}
