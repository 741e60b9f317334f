package divide_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/divide"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// someTraces are traces with the given numbers of spans.
func someTraces(spans ...int) ptrace.Traces {
	td := ptrace.NewTraces()
	for i, n := range spans {
		one := wiretest.Realistic(n)
		for _, s := range spansOf(one) {
			s.SetTraceID(pcommon.TraceID{1, byte(i + 1)})
		}
		one.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	}
	return td
}

func TestRequests(t *testing.T) {
	all := []int{1, 30, 5, 100, 2, 2, 40}
	for _, limit := range []int{1, 600, 3000, 20_000, 33_000, 1 << 20} {
		for _, marks := range []int{0, 3} {
			t.Run(fmt.Sprint(limit, marks), func(t *testing.T) {
				k := keptOf(t, someTraces(all...))
				for i := range k.Traces {
					for m := range marks {
						k.Traces[i].Marks = append(k.Traces[i].Marks, wire.StringAttribute(fmt.Sprint("mark", m), "value"))
					}
				}
				want, err := k.Decode()
				require.NoError(t, err)
				r := divide.Requests{Kept: k, Limit: limit, Key: trimKey}
				var parts []byte
				var last int
				for from, to, ok := r.Next(); ok; from, to, ok = r.Next() {
					require.Equal(t, last, from)
					last = to
					b := k.AppendRequest(nil, from, to)
					parts = append(parts, b...)
					if limit >= 3000 { // below, nothing that could be cut is left
						require.LessOrEqual(t, len(b), limit)
					} else {
						require.Equal(t, 1, to-from)
					}
					if limit == 20_000 { // traces of up to 30 spans fit
						for _, tr := range k.Traces {
							whole := tr.From >= from && tr.To <= to
							none := tr.To <= from || tr.From >= to
							require.True(t, whole || none || tr.To-tr.From > 30, "cut in two")
						}
					}
				}
				require.Equal(t, len(k.Spans), last)
				if limit >= 3000 {
					require.Zero(t, r.Trimmed)
					require.Equal(t, wiretest.Canonical(t, want), wiretest.Canonical(t, wiretest.Decode(t, parts)))
				}
			})
		}
	}
}

// Spans that were sent are not sent again, wherever they are.
func TestRequestsPassSent(t *testing.T) {
	k := keptOf(t, someTraces(4, 4, 4))
	for _, i := range []int{0, 3, 4, 7, 11} {
		k.Spans[i].Sent = true
	}
	k.Spans[8].Omitted = true
	r := divide.Requests{Kept: k, Limit: 1 << 20, Key: trimKey}
	for range 2 {
		var seen []int
		for from, to, ok := r.Next(); ok; from, to, ok = r.Next() {
			for i := from; i < to; i++ {
				require.False(t, k.Spans[i].Sent)
				seen = append(seen, i)
			}
		}
		require.Equal(t, []int{1, 2, 5, 6, 9, 10}, seen)
		r.Again()
	}
	for i := range k.Spans {
		k.Spans[i].Sent = true
	}
	_, _, ok := r.Next()
	require.False(t, ok)
	_, _, ok = (&divide.Requests{Kept: new(wire.Kept), Limit: 1}).Next()
	require.False(t, ok)
}

// A span larger than a request is trimmed, and so are large headers; neighbouring spans are not.
func TestRequestsTrim(t *testing.T) {
	const limit = 64 << 10
	td := someTraces(3, 5, 3)
	large := td.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(1)
	large.Attributes().PutStr("db.query.text", long(300_000))
	td.ResourceSpans().At(2).Resource().Attributes().PutStr("process.command_line", long(200_000))
	k := keptOf(t, td)
	r := divide.Requests{Kept: k, Limit: limit, Key: trimKey}
	var sizes []int
	spans := 0
	for from, to, ok := r.Next(); ok; from, to, ok = r.Next() {
		b := k.AppendRequest(nil, from, to)
		require.LessOrEqual(t, len(b), limit)
		sizes = append(sizes, len(b))
		spans += wiretest.Decode(t, b).SpanCount()
	}
	require.Equal(t, 11, spans)
	require.Equal(t, 2, r.Trimmed)
	require.Greater(t, slices.Max(sizes), limit-200, "as little as can be is cut")
}
