package divide_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/divide"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

const trimKey = "slowburn.span.trimmed"

func keptOf(t testing.TB, td ptrace.Traces) *wire.Kept {
	t.Helper()
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(td)))
	k := new(wire.Kept)
	_, err := k.Fill(&r)
	require.NoError(t, err)
	return k
}

func oneSpan(edit func(ptrace.Span)) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{1})
	s.SetSpanID(wiretest.SpanID(2))
	s.SetParentSpanID(wiretest.SpanID(3))
	s.SetName("GET /")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(5)
	s.SetEndTimestamp(9)
	s.Status().SetCode(ptrace.StatusCodeError)
	edit(s)
	return td
}

func long(n int) string { return strings.Repeat("é", n/2) }

func TestTrim(t *testing.T) {
	for _, test := range []struct {
		name   string
		edit   func(ptrace.Span)
		limit  int
		expect func(t *testing.T, s ptrace.Span)
	}{
		{"the longest text is cut, and no other", func(s ptrace.Span) {
			s.Attributes().PutStr("db.query.text", long(100_000))
			s.Attributes().PutStr("short", long(9000))
			s.Events().AppendEmpty().Attributes().PutStr("exception.stacktrace", long(20_000))
		}, 50_000, func(t *testing.T, s ptrace.Span) {
			text, _ := s.Attributes().Get("db.query.text")
			require.Greater(t, len(text.Str()), 20_000)
			require.True(t, utf8.ValidString(text.Str()))
			require.True(t, strings.HasPrefix(long(100_000), text.Str()))
			require.Equal(t, 2, s.Attributes().Len())
			require.Zero(t, s.DroppedAttributesCount())
		}},
		{"what is no text is left out", func(s ptrace.Span) {
			s.Attributes().PutEmptyBytes("blob").FromRaw(make([]byte, 40_000))
			s.Attributes().PutEmptySlice("list").AppendEmpty().SetStr(long(30_000))
			s.SetDroppedAttributesCount(7)
		}, 10_000, func(t *testing.T, s ptrace.Span) {
			require.EqualValues(t, 9, s.DroppedAttributesCount())
			require.Zero(t, s.Attributes().Len())
		}},
		{"a stack trace in an event", func(s ptrace.Span) {
			e := s.Events().AppendEmpty()
			e.SetName("exception")
			e.Attributes().PutStr("exception.stacktrace", long(50_000))
			e.Attributes().PutEmptyBytes("b").FromRaw(make([]byte, 60_000))
		}, 10_000, func(t *testing.T, s ptrace.Span) {
			require.Equal(t, "exception", s.Events().At(0).Name())
			require.EqualValues(t, 1, s.Events().At(0).DroppedAttributesCount())
			require.Zero(t, s.DroppedEventsCount())
		}},
		{"many small events: the first stay", func(s ptrace.Span) {
			for i := range 10_000 {
				s.Events().AppendEmpty().SetName(fmt.Sprintf("event %05d", i))
			}
			s.Links().AppendEmpty().SetSpanID(wiretest.SpanID(4))
			s.SetDroppedEventsCount(3)
		}, 50_000, func(t *testing.T, s ptrace.Span) {
			require.Equal(t, "event 00000", s.Events().At(0).Name())
			require.EqualValues(t, 10_003, s.Events().Len()+int(s.DroppedEventsCount()))
			require.Greater(t, s.Events().Len(), 1000)
		}},
		{"names and messages", func(s ptrace.Span) {
			s.SetName(long(100_000))
			s.Status().SetMessage(long(100_000))
			s.TraceState().FromRaw("a=" + long(100_000))
		}, 5000, func(t *testing.T, s ptrace.Span) {
			require.True(t, strings.HasPrefix(long(100_000), s.Name()))
			require.Empty(t, s.TraceState().AsRaw())
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			td := oneSpan(test.edit)
			k := keptOf(t, td)
			before := k.Spans[0].Size()
			k.SetAttribute(0, wire.StringAttribute("added", "stays"))
			cut := divide.TrimSpan(k, 0, test.limit, trimKey)
			require.Greater(t, cut, before-test.limit)
			require.LessOrEqual(t, k.Spans[0].Size(), test.limit+5)
			s := spanOf(t, k)
			mark, _ := s.Attributes().Get(trimKey)
			require.EqualValues(t, cut, mark.Int())
			added, _ := s.Attributes().Get("added")
			require.Equal(t, "stays", added.Str())
			s.Attributes().Remove(trimKey)
			s.Attributes().Remove("added")
			sameCore(t, td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0), s)
			test.expect(t, s)
		})
	}
}

// A span that is trimmed again states the sum of the cuts.
func TestTrimTwice(t *testing.T) {
	k := keptOf(t, oneSpan(func(s ptrace.Span) { s.Attributes().PutStr("text", long(100_000)) }))
	cut := divide.TrimSpan(k, 0, 50_000, trimKey)
	k.Spans[0].Sent = true
	cut += divide.TrimSpan(k, 0, 20_000, trimKey)
	require.True(t, k.Spans[0].Sent)
	s := spanOf(t, k)
	require.Equal(t, 2, s.Attributes().Len())
	mark, _ := s.Attributes().Get(trimKey)
	require.InDelta(t, cut, mark.Int(), 64)
	require.Zero(t, s.DroppedAttributesCount(), "the mark itself is no loss")
	require.Zero(t, divide.TrimSpan(k, 0, 20_000, trimKey), "fits")
}

func TestTrimHeaders(t *testing.T) {
	td := oneSpan(func(ptrace.Span) {})
	rs := td.ResourceSpans().At(0)
	rs.Resource().Attributes().PutStr("process.command_args", long(100_000))
	rs.Resource().Attributes().PutEmptyBytes("b").FromRaw(make([]byte, 50_000))
	scope := rs.ScopeSpans().At(0)
	scope.Scope().SetName(long(40_000))
	k := keptOf(t, td)
	cut := divide.TrimHeaders(k, 0, 20_000, trimKey)
	require.Less(t, len(k.AppendRequest(nil, 0, 1)), 45_000)
	got, err := k.Decode()
	require.NoError(t, err)
	resource := got.ResourceSpans().At(0).Resource()
	name, _ := resource.Attributes().Get("service.name")
	require.Equal(t, "shop", name.Str())
	require.EqualValues(t, 1, resource.DroppedAttributesCount())
	ofResource, _ := resource.Attributes().Get(trimKey)
	ofScope, _ := got.ResourceSpans().At(0).ScopeSpans().At(0).Scope().Attributes().Get(trimKey)
	require.EqualValues(t, cut, ofResource.Int()+ofScope.Int())
	require.Zero(t, divide.TrimHeaders(k, 0, 20_000, trimKey))
}

// FuzzTrim trims spans of any request that pdata accepts.
func FuzzTrim(f *testing.F) {
	for _, seed := range wiretest.Seeds() {
		f.Add(seed, 100)
		f.Add(seed, 0)
	}
	f.Fuzz(sameTrimmed)
}

func TestTrimSeeds(t *testing.T) {
	for i, seed := range wiretest.Seeds() {
		for _, limit := range []int{0, 100, 300, 1000} {
			t.Run(fmt.Sprint(i, limit), func(t *testing.T) { sameTrimmed(t, seed, limit) })
		}
	}
}

func sameTrimmed(t *testing.T, data []byte, limit int) {
	var r wire.Request
	if r.Scan(data) != nil || limit < 0 {
		return
	}
	k := new(wire.Kept)
	_, err := k.Fill(&r)
	require.NoError(t, err)
	before, err := k.Decode()
	require.NoError(t, err)
	for i := range k.Spans {
		size := k.Spans[i].Size()
		cut := divide.TrimSpan(k, i, limit, trimKey)
		require.Equal(t, cut > 0, k.Spans[i].Size() < size)
		divide.TrimHeaders(k, i, limit, trimKey)
	}
	after, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, before.SpanCount(), after.SpanCount())
	want, got := spansOf(before), spansOf(after)
	for i := range want {
		sameCore(t, want[i], got[i])
	}
}

// sameCore checks the fields that are never cut, and the counts of cut ones.
func sameCore(t *testing.T, want, got ptrace.Span) {
	t.Helper()
	require.Equal(t, want.TraceID(), got.TraceID())
	require.Equal(t, want.SpanID(), got.SpanID())
	require.Equal(t, want.ParentSpanID(), got.ParentSpanID())
	require.Equal(t, want.Kind(), got.Kind())
	require.Equal(t, want.StartTimestamp(), got.StartTimestamp())
	require.Equal(t, want.EndTimestamp(), got.EndTimestamp())
	require.Equal(t, want.Flags(), got.Flags())
	require.Equal(t, want.Status().Code(), got.Status().Code())
	if len(want.Name()) <= 1024 {
		require.Equal(t, want.Name(), got.Name())
	}
	attributes := 0
	for k := range got.Attributes().All() {
		if k != trimKey {
			attributes++
		}
	}
	if added, is := got.Attributes().Get("added"); is && added.Str() == "stays" {
		attributes--
	}
	_, marked := want.Attributes().Get(trimKey)
	if !marked && want.DroppedAttributesCount() < 1<<31 && want.DroppedEventsCount() < 1<<31 && want.DroppedLinksCount() < 1<<31 {
		require.EqualValues(t, want.Attributes().Len()+int(want.DroppedAttributesCount()), attributes+int(got.DroppedAttributesCount()))
		require.EqualValues(t, want.Events().Len()+int(want.DroppedEventsCount()), got.Events().Len()+int(got.DroppedEventsCount()))
		require.EqualValues(t, want.Links().Len()+int(want.DroppedLinksCount()), got.Links().Len()+int(got.DroppedLinksCount()))
	}
}

func spanOf(t *testing.T, k *wire.Kept) ptrace.Span {
	t.Helper()
	td, err := k.Decode()
	require.NoError(t, err)
	return spansOf(td)[0]
}

func spansOf(td ptrace.Traces) (all []ptrace.Span) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				all = append(all, s)
			}
		}
	}
	return all
}
