package trace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestGroupSortsByTrace(t *testing.T) {
	td := ptrace.NewTraces()
	for _, trace := range []byte{3, 1, 3, 2} {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("r")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.SetSchemaUrl("s")
		ss.Spans().AppendEmpty().SetTraceID(pcommon.TraceID{trace})
	}
	groups := Group(td)
	require.Len(t, groups, 3)
	for i, n := range []int{1, 1, 2} {
		require.Equal(t, pcommon.TraceID{byte(i + 1)}, groups[i].ID)
		require.Len(t, groups[i].Inputs, n)
		require.Equal(t, "r", groups[i].Inputs[0].ResourceSchemaURL)
		require.Equal(t, "s", groups[i].Inputs[0].ScopeSchemaURL)
	}
	require.Empty(t, Group(ptrace.NewTraces()))
}

// What was merged has what any of its parts had, each once.
func TestMergedSpanIsTheUnion(t *testing.T) {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	for i, end := range []pcommon.Timestamp{0, 90, 50} {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(testTraceID)
		s.SetSpanID(numbered(1))
		s.SetStartTimestamp(10)
		s.SetEndTimestamp(end)
		s.Attributes().PutInt("same", int64(i))
		s.Attributes().PutInt(fmt.Sprint("only", i), 1)
		for _, name := range []string{"shared", fmt.Sprint("event", i)} {
			e := s.Events().AppendEmpty()
			e.SetName(name)
			e.SetTimestamp(20)
		}
		for _, id := range []int{7, 10 + i} {
			l := s.Links().AppendEmpty()
			l.SetTraceID(pcommon.TraceID{1})
			l.SetSpanID(numbered(id))
		}
	}
	tr := only(td, Options{})
	require.Len(t, tr.Spans, 1)
	s := tr.Spans[0]
	require.Equal(t, 1, s.Source, "the ended and longest is preferred")
	require.Equal(t, []int{0, 2}, s.Others)
	require.Equal(t, uint64(80), s.Duration())
	require.Equal(t, map[string]any{"same": int64(1), "only0": int64(1), "only1": int64(1), "only2": int64(1)},
		s.Data.Attributes().AsRaw())
	require.Equal(t, 4, s.Data.Events().Len())
	require.Len(t, s.Links, 4)
	requireLaws(t, td, Options{}, rand.New(rand.NewPCG(1, 1)))
}

// Which of two copies is kept that are equally good must not depend on which came first.
func TestCopiesThatDifferAreMergedInAnyOrder(t *testing.T) {
	names := []string{"GET /a", "GET /b", "GET /c"}
	merged := func(order ...int) Span {
		td := ptrace.NewTraces()
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for _, i := range order {
			s := ss.Spans().AppendEmpty()
			s.SetTraceID(testTraceID)
			s.SetSpanID(numbered(1))
			s.SetStartTimestamp(10)
			s.SetEndTimestamp(20)
			s.SetName(names[i])
		}
		tr := only(td, Options{})
		require.Len(t, tr.Spans, 1)
		return tr.Spans[0]
	}
	want := merged(0, 1, 2)
	for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		got := merged(order...)
		require.Equal(t, want.Data.Name(), got.Data.Name(), order)
	}
}

func TestUncertainty(t *testing.T) {
	tr := parsed(t, `
		a - server shop/h1 0us 100.001ms
		b a client shop/h1 10ms 90.001ms
		c b server cart/h2 -300.001ms -240ms
		d c internal cart/h2 -310ms -280ms
		e 9 producer mail/h3 50.001ms 60ms
		f e consumer bell/h4 40.001ms 70ms`)
	type answer struct {
		ns uint64
		ok bool
	}
	got := map[string]answer{}
	for i := range tr.Spans {
		u, ok := tr.Uncertainty(&tr.Spans[i])
		got[short(tr.Spans[i].ID)] = answer{u, ok}
	}
	require.Equal(t, map[string]answer{
		"a": {0, true}, "b": {0, true}, "9": {0, true},
		"c": {10_000_000, true},
		"d": {0, false}, // moved on its own
		"e": {0, false}, // moved on one-sided evidence
		"f": {0, true},
	}, got)
}

func TestEntry(t *testing.T) {
	for text, want := range map[string]string{
		"a - server s/h 0s 1s":                           "a",
		"b a server s/h 0s 1s":                           "b",
		"b a server s/h 2s 3s\n d c internal s/h 0s 1s":  "d",
		"a - client s/h 0s 9s\n b - internal s/h 1s 2s":  "b",
		"a - client s/h 1s 9s\n d c internal s/h 0s 10s": "a",
	} {
		tr := parsed(t, text)
		require.Equal(t, want, short(tr.Spans[tr.Entry()].ID), text)
	}
	require.Equal(t, -1, Reconstruct(Spans{}, Options{}).Entry())
}

func TestGaveUp(t *testing.T) {
	for attribute, want := range map[string]bool{
		"http.response.status_code=504": true, "http.status_code=408": true, "http.response.status_code=500": false,
		"rpc.grpc.status_code=4": true, "rpc.grpc.status_code=1": true, "rpc.grpc.status_code=14": false,
		"rpc.response.status_code=DEADLINE_EXCEEDED": true, "rpc.response.status_code=UNAVAILABLE": false,
		"error.type=java.net.SocketTimeoutException": true, "error.type=CancelledError": true,
		"error.type=ECONNREFUSED": false, "net.peer.name=timeout": false,
	} {
		s := ptrace.NewSpan()
		key, value, _ := strings.Cut(attribute, "=")
		s.Attributes().PutStr(key, value)
		require.Equal(t, want, gaveUp(s), attribute)
	}
}

// More connected clocks than can be closed over are left alone, but for spans that start before their parents.
func TestTooManyClocks(t *testing.T) {
	var b strings.Builder
	b.WriteString("1 - server s/h0 1us 10.001s\n")
	for i := range maxClosure + 10 {
		fmt.Fprintf(&b, "%x 1 server s/h%d 100.001ms 200ms\n", i+2, i+1)
	}
	b.WriteString("fff 1 server late/hx -5ms 1.000001s")
	tr := parsed(t, b.String())
	require.Equal(t, ClockResidual, tr.Clock)
	require.Len(t, tr.Warnings, 1)
	require.Contains(t, tr.Warnings[0], "not corrected together")
}

// A loop of thousands of calls between many skewed hosts is solved in little time, and the test ends within its own.
func TestManyBoundsAreThinned(t *testing.T) {
	td := ptrace.NewTraces()
	add := func(id, parent, host int, kind ptrace.SpanKind, start, end int64) {
		rs := td.ResourceSpans().AppendEmpty()
		setResource(rs.Resource().Attributes(), fmt.Sprintf("s/h%d", host))
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(testTraceID)
		s.SetSpanID(numbered(id))
		s.SetParentSpanID(numbered(parent))
		s.SetKind(kind)
		skew := int64(host) * int64(time.Second)
		s.SetStartTimestamp(pcommon.Timestamp(testEpoch.UnixNano() + start + skew))
		s.SetEndTimestamp(pcommon.Timestamp(testEpoch.UnixNano() + end + skew))
	}
	const calls, hosts = 20_000, 100
	add(1, 0, 0, ptrace.SpanKindServer, 1, calls*1001)
	for i := range int64(calls) {
		at, spare := i*1000+1, 1+(calls-i)/100
		add(int(2*i+2), 1, 0, ptrace.SpanKindClient, at, at+900)
		add(int(2*i+3), int(2*i+2), 1+int(i)%(hosts-1), ptrace.SpanKindServer, at+spare, at+900-spare)
	}
	tr := only(td, Options{})
	require.Equal(t, ClockBounded, tr.Clock)
	for i, c := range tr.Clocks {
		if i > 0 {
			require.InDelta(t, -int64(i)*int64(time.Second), c.Offset, 10, c.Name)
			require.LessOrEqual(t, c.Uncertainty, int64(10), "the tightest bounds are kept")
		}
	}
}

func TestMovedStaysATime(t *testing.T) {
	require.Equal(t, uint64(15), moved(10, 3, 2))
	require.Equal(t, uint64(1), moved(10, -20, 5))
	require.Equal(t, uint64(5), moved(10, -5, 0))
}

func parsed(t *testing.T, text string) *Trace {
	t.Helper()
	td, err := parseSpans(text)
	require.NoError(t, err)
	return only(td, Options{})
}
