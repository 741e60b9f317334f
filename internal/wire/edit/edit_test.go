package edit_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/edit"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// someActions returns a list of actions on keys that wiretest's requests have, and on others.
func someActions(rng *rand.Rand) (list []edit.Action) {
	for range 1 + rng.IntN(5) {
		a := edit.Action{Kind: edit.Kind(rng.IntN(4)), Key: keys[rng.IntN(len(keys))], Value: pcommon.NewValueEmpty()}
		switch rng.IntN(4) {
		case 0:
			a.Value.SetStr("new")
		case 1:
			a.Value.SetInt(int64(rng.IntN(1000)))
		case 2:
			a.Value.SetEmptySlice().AppendEmpty().SetBool(true)
		}
		list = append(list, a)
	}
	return list
}

var keys = []string{"", "a", "k", "key", "http.route", "url.path", "string", "bool", "service.name", "cart.total"}

// apply is Actions on a map instead of on bytes.
func apply(list []edit.Action, m pcommon.Map) {
	for _, a := range list {
		v, there := m.Get(a.Key)
		switch {
		case a.Kind == edit.Delete:
			m.Remove(a.Key)
		case there && a.Kind != edit.Insert:
			a.Value.CopyTo(v)
		case !there && a.Kind != edit.Update:
			a.Value.CopyTo(m.PutEmpty(a.Key))
		}
	}
}

// same checks that a request is edited like its decoded spans, and that the result equals a Scan's.
func same(t *testing.T, data []byte, spans, resources []edit.Action, drop func(span int) bool) {
	t.Helper()
	var r wire.Request
	if r.Scan(data) != nil {
		return
	}
	var e edit.Edit
	var err error
	if spans != nil {
		e.Spans, err = edit.NewActions(spans)
		require.NoError(t, err)
	}
	if resources != nil {
		e.Resources, err = edit.NewActions(resources)
		require.NoError(t, err)
	}
	if drop != nil {
		e.Drop = func(_ *wire.Request, span int) bool { return drop(span) }
	}
	w := edit.Get()
	defer edit.Put(w)
	got, err := w.Write(&r, &e)
	require.NoError(t, err)
	assert.LessOrEqual(t, int64(len(got.Bytes)), e.Size(&r))
	scannedAs(t, got)

	var b wire.Builder // as Scan sees it, without the deprecated form of scope_spans
	for i := range r.Spans {
		if i == 0 || r.Spans[i].Resource != r.Spans[i-1].Resource {
			b.Resource(wire.AppendResourceHeader(nil, r.Resources[r.Spans[i].Resource].Body.Of(r.Bytes)))
		}
		if i == 0 || r.Spans[i].Scope != r.Spans[i-1].Scope {
			b.Scope(wire.AppendScopeHeader(nil, r.Scopes[r.Spans[i].Scope].Body.Of(r.Bytes)))
		}
		b.Span(r.Spans[i].Body.Of(r.Bytes))
	}
	want := wiretest.Decode(t, b.Bytes())
	n := 0
	want.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		apply(resources, rs.Resource().Attributes())
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			ss.Spans().RemoveIf(func(s ptrace.Span) bool {
				apply(spans, s.Attributes())
				n++
				return drop != nil && drop(n-1)
			})
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	require.Equal(t, text(t, want), text(t, wiretest.Decode(t, kept(got))))
}

// dictionary is the index of a key in a dictionary that traces do not have. An attribute that is replaced has none.
var dictionary = regexp.MustCompile(`,?"keyStrindex":[0-9-]+`)

// text returns a request as text, without that index.
func text(t *testing.T, td ptrace.Traces) string {
	t.Helper()
	b, err := new(ptrace.JSONMarshaler).MarshalTraces(td)
	require.NoError(t, err)
	return dictionary.ReplaceAllString(string(b), "")
}

// kept returns a request without resources and scopes that have no spans: without changes Write returns its input.
func kept(r *wire.Request) []byte {
	if len(r.Spans) == 0 {
		return nil
	}
	return r.Bytes
}

// scannedAs checks that a request equals a Scan's, except that unknown fields may be reported after the last was removed.
func scannedAs(t *testing.T, got *wire.Request) {
	t.Helper()
	var again wire.Request
	require.NoError(t, again.Scan(got.Bytes))
	require.Len(t, got.Spans, len(again.Spans))
	for i := range again.Spans {
		require.False(t, again.Spans[i].Unknown && !got.Spans[i].Unknown)
		again.Spans[i].Unknown = got.Spans[i].Unknown
	}
	if len(again.Spans) == 0 {
		return
	}
	require.Equal(t, again.Spans, got.Spans)
	if len(got.Resources) == len(again.Resources) {
		require.Equal(t, again.Resources, got.Resources)
		require.Equal(t, again.Scopes, got.Scopes)
	}
}

// requests holds requests as exporters write them, and others.
func requests() [][]byte {
	return append(wiretest.Seeds(), wiretest.Marshal(wiretest.Realistic(9)), wiretest.Marshal(wiretest.Everything()),
		wiretest.InRequest(twice()), wiretest.InRequest(twice().Raw(wiretest.ASpan()...).Raw(twice()...)))
}

// twice is a span with attributes between its other fields, one key three times.
func twice() wiretest.Msg {
	return wiretest.ASpan().
		Len(9, wiretest.KV("a", wiretest.Msg{}.Str(1, "first"))...).Str(5, "name").
		Len(9, wiretest.KV("k", wiretest.Msg{}.Varint(3, 1))...).
		Len(9, wiretest.KV("a", wiretest.Msg{}.Str(1, "second"))...).Str(3, "ot=th:8").
		Len(9, wiretest.KV("a", wiretest.Msg{}.Str(1, string(make([]byte, 300))))...).Str(5, "another name").
		Len(9, wiretest.Msg{}.Len(2, wiretest.Msg{}.Varint(2, 1)...).Str(1, "key")...)
}

// TestActions compares edited requests with pdata's result.
func TestActions(t *testing.T) {
	for i, data := range requests() {
		for seed := range uint64(10) {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			spans, resources := someActions(rng), someActions(rng)
			var drop func(int) bool
			if mask := rng.Uint64(); seed%3 == 0 {
				drop = func(span int) bool { return mask>>(span%64)&1 == 1 }
			}
			same(t, data, spans, nil, drop)
			same(t, data, nil, resources, drop)
			same(t, data, nil, nil, drop)
			same(t, data, spans, resources, drop)
		}
	}
}

func FuzzActions(f *testing.F) {
	for _, b := range requests() {
		f.Add(b, uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		mask := rng.Uint64() & rng.Uint64()
		same(t, data, someActions(rng), someActions(rng), func(span int) bool { return mask>>(span%64)&1 == 1 })
	})
}

// TestNothingChanges checks that a request from which nothing is dropped is returned as it is.
func TestNothingChanges(t *testing.T) {
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Realistic(3))))
	w := edit.Get()
	defer edit.Put(w)
	for _, e := range []edit.Edit{{}, {Drop: func(*wire.Request, int) bool { return false }}} {
		got, err := w.Write(&r, &e)
		require.NoError(t, err)
		assert.Same(t, &r, got)
	}
}

// TestAllocations checks that a request like earlier ones allocates nothing.
func TestAllocations(t *testing.T) {
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Realistic(12))))
	e := upsert(t)
	w := edit.Get()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := w.Write(&r, &e); err != nil {
			t.Error(err)
		}
	}))
}

func TestTooManyActions(t *testing.T) {
	_, err := edit.NewActions(make([]edit.Action, 1<<14+1))
	require.ErrorContains(t, err, "more than 16384")
}

func upsert(t testing.TB) edit.Edit {
	actions, err := edit.NewActions([]edit.Action{{Kind: edit.Upsert, Key: "deployment.environment.name", Value: pcommon.NewValueStr("production")}})
	require.NoError(t, err)
	return edit.Edit{Spans: actions}
}

// BenchmarkUpsert sets an attribute that spans do not have, BenchmarkDelete removes one that they have. Both report per span.
func BenchmarkUpsert(b *testing.B) { benchmark(b, upsert(b)) }

func BenchmarkDelete(b *testing.B) {
	actions, err := edit.NewActions([]edit.Action{{Kind: edit.Delete, Key: "user_agent.original"}})
	require.NoError(b, err)
	benchmark(b, edit.Edit{Spans: actions})
}

func benchmark(b *testing.B, e edit.Edit) {
	const spans = 200
	var r wire.Request
	require.NoError(b, r.Scan(wiretest.AsSDK(wiretest.Marshal(wiretest.Realistic(spans)))))
	w := edit.Get()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Write(&r, &e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}
