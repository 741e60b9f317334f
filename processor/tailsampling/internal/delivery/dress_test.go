package delivery

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

func marshal(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// loadOf returns the only sender's next load of kept traces.
func (s *setup) loadOf() *load {
	s.t.Helper()
	s.Open(s.config, 1)
	require.NoError(s.t, s.Senders()[0].fill())
	return s.Senders()[0].work[0].load
}

// Spans are grouped by resource, and within that by scope, in the order of their first spans, which are sorted by start
// and ID, whatever their order of arrival and batching.
func TestSpansAreArranged(t *testing.T) {
	spans := []testSpan{
		{trace: 1, id: 6, start: 10, service: "b", scope: "x"},
		{trace: 1, id: 5, start: 20, service: "a", scope: "x"},
		{trace: 1, id: 4, start: 20, service: "b", scope: "y"},
		{trace: 1, id: 3, start: 30, service: "b", scope: "x"},
		{trace: 1, id: 9, start: 30, service: "b", scope: "x"},
		{trace: 1, id: 2, start: 40, service: "a", scope: "y"},
		{trace: 1, id: 1, start: 50, service: "a", scope: "x"},
	}
	want := []struct {
		service, scope string
		ids            []byte
	}{{"b", "x", []byte{7, 4, 10}}, {"b", "y", []byte{5}}, {"a", "x", []byte{6, 2}}, {"a", "y", []byte{3}}}
	rnd := rand.New(rand.NewPCG(1, 1))
	var first []byte
	for range 20 {
		rnd.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		s := newSetup(t, 1)
		cut := rnd.IntN(len(spans))
		s.add(request(t, spans[:cut]...))
		s.keep(spans[cut:]...)
		got, err := s.loadOf().kept.Decode()
		require.NoError(t, err)
		require.Equal(t, 2, got.ResourceSpans().Len())
		i := 0
		for _, rs := range got.ResourceSpans().All() {
			service, _ := rs.Resource().Attributes().Get("service.name")
			for _, ss := range rs.ScopeSpans().All() {
				require.Equal(t, want[i].service, service.Str())
				require.Equal(t, want[i].scope, ss.Scope().Name())
				var ids []byte
				for _, span := range ss.Spans().All() {
					ids = append(ids, span.SpanID()[0])
				}
				require.Equal(t, want[i].ids, ids)
				i++
			}
		}
		require.Equal(t, 4, i)
		if first == nil {
			first = marshal(t, got)
		}
		require.Equal(t, first, marshal(t, got))
		s.Buffer.Close()
	}
}

// Spans with equal bytes, resource and scope are sent once; others are not merged.
func TestRepeatsAreOne(t *testing.T) {
	s := newSetup(t, 1)
	one := testSpan{trace: 1, id: 1, start: 10, service: "a", scope: "x"}
	differs := []testSpan{
		{trace: 1, id: 2, start: 10, service: "a", scope: "x"}, {trace: 1, id: 1, start: 11, service: "a", scope: "x"},
		{trace: 1, id: 1, start: 10, service: "b", scope: "x"}, {trace: 1, id: 1, start: 10, service: "a", scope: "y"},
		{trace: 1, id: 1, start: 10, service: "a", scope: "x", state: "a=b"},
	}
	s.keep(append([]testSpan{one, one, {trace: 2, id: 1}, one}, differs...)...)
	l := s.loadOf()
	td, err := l.kept.Decode()
	require.NoError(t, err)
	require.Equal(t, 1+len(differs)+1, td.SpanCount())
	require.Equal(t, 2, l.traces[0].Repeats)
	require.Zero(t, l.traces[1].Repeats)
	s.Buffer.Close()
}

// Text that is not UTF-8 is repaired, marked on the span, or on the scopes if it is the resource's or the scope's, and counted.
func TestTextIsMadeValid(t *testing.T) {
	const bad, good = "a\xffb", "a\uFFFDb"
	plain := testSpan{trace: 1, id: 1, service: "shop", scope: "lib"}
	for name, tc := range map[string]struct {
		spans    []testSpan
		repaired int
		scopes   bool
	}{
		"nothing":        {[]testSpan{plain}, 0, false},
		"a span":         {[]testSpan{plain, {trace: 1, id: 2, service: "shop", scope: "lib", state: bad}}, 1, false},
		"a resource":     {[]testSpan{plain, {trace: 1, id: 2, service: bad, scope: "lib"}, {trace: 1, id: 3, service: bad}}, 2, true},
		"a scope":        {[]testSpan{plain, {trace: 1, id: 2, service: "shop", scope: bad}}, 1, true},
		"all of a trace": {[]testSpan{{trace: 1, id: 2, service: bad, scope: bad, state: bad}}, 1, true},
	} {
		for _, silent := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				s := newSetup(t, 1, asBytes("backend"))
				s.TracestateOnly = silent
				s.keep(append(tc.spans, testSpan{trace: 2, service: "shop", scope: "lib"})...)
				l := s.loadOf()
				require.Equal(t, tc.repaired, l.traces[0].Repaired)
				require.Zero(t, l.traces[1].Repaired)
				td, err := l.kept.Decode()
				require.NoError(t, err)
				text := string(marshal(t, td))
				require.NotContains(t, text, "\xffb")
				require.Equal(t, tc.repaired > 0, strings.Contains(text, good))
				require.Equal(t, tc.repaired > 0 && !silent, strings.Contains(text, "slowburn.text.repaired"))
				for _, rs := range td.ResourceSpans().All() {
					for _, ss := range rs.ScopeSpans().All() {
						_, marked := ss.Scope().Attributes().Get("slowburn.text.repaired")
						require.Equal(t, tc.scopes && !silent && ss.Spans().At(0).TraceID()[0] == 1, marked)
						for _, span := range ss.Spans().All() {
							_, marked := span.Attributes().Get("slowburn.text.repaired")
							require.Equal(t, !silent && strings.Contains(span.TraceState().AsRaw(), good), marked)
						}
					}
				}
				s.Buffer.Close()
			})
		}
	}
}

// The same load is equal as bytes and decoded.
func TestBytesAndDecodedAreEqual(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	for range 30 {
		var spans []testSpan
		for range 1 + rnd.IntN(60) {
			spans = append(spans, testSpan{
				trace: byte(1 + rnd.IntN(5)), id: byte(rnd.IntN(12)), start: uint64(rnd.IntN(4)), service: pick("", "a", "b", "\xc3"),
				scope: pick("", "x", "y\x80"), state: pick("", "a=b", "ot=th:8", "ot=rv:ff000000000000;th:c,q=\xfe"),
			})
		}
		list := []destination.Destination{asBytes("backend"), decoded}
		synctest.Test(t, func(t *testing.T) {
			s := newSetup(t, 1+rnd.IntN(3), list...)
			r := s.run(1 + rnd.IntN(2))
			for chunk := range slices.Chunk(spans, 1+rnd.IntN(20)) {
				s.add(request(t, chunk...))
			}
			s.decide()
			time.Sleep(time.Second)
			synctest.Wait()
			byDestination := map[string][]string{}
			s.sink.mu.Lock()
			for i, td := range s.sink.batches {
				to := s.sink.to[i]
				byDestination[to] = append(byDestination[to], canonical(t, td)...)
				slices.Sort(byDestination[to])
			}
			s.sink.mu.Unlock()
			require.NotEmpty(t, byDestination["backend"])
			require.Equal(t, byDestination["backend"], byDestination[""])
			r.end()
			s.Buffer.Close()
		})
	}
}

// canonical returns the spans of td as bytes, each with its resource and scope.
func canonical(t *testing.T, td ptrace.Traces) (all []string) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				one := ptrace.NewTraces()
				to := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				scope := to.ScopeSpans().AppendEmpty()
				ss.Scope().CopyTo(scope.Scope())
				span.CopyTo(scope.Spans().AppendEmpty())
				all = append(all, string(marshal(t, one)))
			}
		}
	}
	return all
}
