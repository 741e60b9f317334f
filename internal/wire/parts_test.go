package wire_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

func TestOf(t *testing.T) {
	td := wiretest.Realistic(4)

	t.Run("decoded", func(t *testing.T) {
		r, release, err := wire.Of(t.Context(), td)
		require.NoError(t, err)
		assert.Len(t, r.Spans, 4)
		release()
	})
	t.Run("in the context", func(t *testing.T) {
		var r wire.Request
		require.NoError(t, r.Scan(wiretest.Marshal(td)))
		got, release, err := wire.Of(wire.NewContext(t.Context(), &r), ptrace.NewTraces())
		require.NoError(t, err)
		assert.Same(t, &r, got)
		release()
		assert.Len(t, r.Spans, 4, "it is not ours to release")
	})
	t.Run("spans win over the context", func(t *testing.T) {
		var stale wire.Request
		r, release, err := wire.Of(wire.NewContext(t.Context(), &stale), td)
		require.NoError(t, err)
		defer release()
		assert.Len(t, r.Spans, 4)
	})
	t.Run("neither", func(t *testing.T) {
		r, release, err := wire.Of(t.Context(), ptrace.NewTraces())
		require.NoError(t, err)
		defer release()
		assert.Empty(t, r.Spans)
	})
	t.Run("too deep", func(t *testing.T) {
		var u ptrace.ProtoUnmarshaler
		deep, err := u.UnmarshalTraces(wiretest.InRequest(wiretest.Nested(5001)))
		require.NoError(t, err)
		_, _, err = wire.Of(t.Context(), deep)
		assert.ErrorContains(t, err, "nested deeper")
	})
}

func TestFromContext(t *testing.T) {
	_, ok := wire.FromContext(t.Context())
	assert.False(t, ok)
	_, ok = wire.FromContext(wire.NewContext(context.Background(), nil))
	assert.False(t, ok)
}

// TestTaken checks that only the component that takes a request marks it, and that spans beside it are not the request.
func TestTaken(t *testing.T) {
	td := wiretest.Realistic(1)
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(td)))
	read := func(of func(context.Context, ptrace.Traces) (*wire.Request, func(), error), td ptrace.Traces) (taken bool) {
		ctx := wire.NewContext(t.Context(), &r)
		got, release, err := of(context.WithoutCancel(ctx), td)
		require.NoError(t, err)
		assert.Len(t, got.Spans, 1)
		release()
		return wire.Taken(ctx)
	}
	assert.True(t, read(wire.Of, ptrace.NewTraces()))
	assert.False(t, read(wire.Peek, ptrace.NewTraces()))
	assert.False(t, read(wire.Of, td))
	assert.False(t, read(wire.Peek, td))
	assert.False(t, wire.Taken(t.Context()))
}

func TestPool(t *testing.T) {
	r := wire.Get()
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Realistic(3))))
	wire.Put(r)
	assert.Nil(t, r.Bytes, "the bytes are the caller's again")
	assert.Empty(t, r.Spans)

	huge := &wire.Request{Spans: make([]wire.Span, 100_000)}
	wire.Put(huge)
	assert.Len(t, huge.Spans, 100_000, "left to the garbage collector")
}

// TestHeaders checks that headers contain everything but spans, verbatim, unknown fields included.
func TestHeaders(t *testing.T) {
	resource := wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wiretest.KV("service.name", wiretest.Msg{}.Str(1, "shop"))...)...)
	scope := wiretest.Msg{}.Len(1, wiretest.Msg{}.Str(1, "lib")...)
	spans := wiretest.Msg{}.Len(2, wiretest.ASpan()...)
	body := append(wiretest.Msg{}, resource...).Len(2, append(append(wiretest.Msg{}, scope...), spans...)...).Str(3, "url").Str(77, "future").Len(1000, spans...)
	assert.Equal(t, []byte(append(wiretest.Msg{}, resource...).Str(3, "url").Str(77, "future")), wire.AppendResourceHeader(nil, body))

	scopeBody := append(append(wiretest.Msg{}, scope...), spans...).Str(3, "url").Varint(88, 5)
	assert.Equal(t, append([]byte("x"), append(wiretest.Msg{}, scope...).Str(3, "url").Varint(88, 5)...), wire.AppendScopeHeader([]byte("x"), scopeBody))

	v, ok := wire.ResourceAttribute(wire.AppendResourceHeader(nil, body), "service.name")
	assert.True(t, ok)
	assert.Equal(t, "shop", v.AsString())
}

func TestBuilder(t *testing.T) {
	var b wire.Builder
	assert.Empty(t, b.Bytes())
	resource, scope := wiretest.Msg{}.Str(3, "r"), wiretest.Msg{}.Str(3, "s")

	b.Resource(resource)
	b.Scope(scope)
	assert.Empty(t, b.Bytes(), "nothing without spans")

	b.Reset()
	b.Resource(resource)
	b.Scope(scope)
	b.Span(wiretest.ASpan())
	b.Span(wiretest.ASpan())
	b.Scope(nil)
	b.Resource(nil)
	b.Scope(scope)
	b.Span(wiretest.ASpan())
	var r wire.Request
	require.NoError(t, r.Scan(b.Bytes()))
	assert.Len(t, r.Resources, 2)
	assert.Len(t, r.Scopes, 2)
	assert.Len(t, r.Spans, 3)
	assert.Equal(t, b.Bytes(), b.Bytes(), "Bytes may be asked for again")

	b.Reset()
	b.Span(wiretest.ASpan())
	assert.Equal(t, wiretest.InRequest(wiretest.ASpan()), b.Bytes(), "resource and scope may be left out")
	span := wiretest.ASpan()
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		b.Reset()
		b.Resource(resource)
		b.Scope(scope)
		b.Span(span)
		b.Bytes()
	}), "its buffers are kept")
}

// TestBuilderKeepsGroupsValid checks that an unknown group, which may not end a message, can be copied to a new request.
func TestBuilderKeepsGroupsValid(t *testing.T) {
	body := wiretest.Msg{}.Group(300).Len(2, wiretest.Msg{}.Group(20).Len(2, wiretest.ASpan()...)...)
	request := wiretest.Msg{}.Len(1, body...)
	sameAsPdata(t, request)
	var r wire.Request
	require.NoError(t, r.Scan(request))
	assert.Len(t, r.Spans, 1)
}

func TestLookupsAllocateNothing(t *testing.T) {
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Everything())))
	span, resource, scope := r.Spans[0].Body.Of(r.Bytes), r.Resources[0].Body.Of(r.Bytes), r.Scopes[0].Body.Of(r.Bytes)
	allocs := testing.AllocsPerRun(100, func() {
		if v, ok := wire.SpanAttribute(span, "http.response.status_code"); !ok || v.Int() != 200 {
			t.Fatal(v)
		}
		if v, ok := wire.ResourceAttribute(resource, "service.name"); !ok || string(v.Bytes()) != "checkout" {
			t.Fatal(v)
		}
		if v, ok := wire.ScopeAttribute(scope, "short"); !ok || !v.Bool() {
			t.Fatal(v)
		}
		if _, ok := wire.SpanAttribute(span, "missing"); ok {
			t.Fatal("found")
		}
		for k, v := range wire.SpanAttributes(span) {
			if string(k) == "cart.total" && v.Double() != 42.5 {
				t.Fatal(v)
			}
		}
	})
	assert.Zero(t, allocs)
}

func TestIteratorsStop(t *testing.T) {
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Everything())))
	n := 0
	for range wire.SpanAttributes(r.Spans[0].Body.Of(r.Bytes)) {
		n++
		break
	}
	for range wire.ResourceAttributes(r.Resources[0].Body.Of(r.Bytes)) {
		n++
		break
	}
	for range wire.ScopeAttributes(r.Scopes[0].Body.Of(r.Bytes)) {
		n++
		break
	}
	assert.Equal(t, 3, n)
}

func TestValueOfAnotherKind(t *testing.T) {
	v, ok := wire.SpanAttribute(wiretest.ASpan().Len(9, wiretest.KV("k", wiretest.Msg{}.Str(1, "text"))...), "k")
	require.True(t, ok)
	assert.Equal(t, wire.String, v.Kind())
	assert.Zero(t, v.Int())
	assert.Zero(t, v.Double())
	assert.False(t, v.Bool())
	assert.Equal(t, "String", v.Kind().String())
	assert.Equal(t, "ValueKind(99)", wire.ValueKind(99).String())
}

// Reading links allocates nothing, and stops when yield returns false.
func TestLinks(t *testing.T) {
	td := wiretest.Realistic(1)
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	s.Links().RemoveIf(func(ptrace.SpanLink) bool { return true })
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(td)))
	require.False(t, r.Spans[0].Linked)

	for _, id := range []pcommon.TraceID{{1}, {}, {2}, {1}} { // the second has no state
		s.Links().AppendEmpty().SetTraceID(id)
	}
	require.NoError(t, r.Scan(wiretest.Marshal(td)))
	require.True(t, r.Spans[0].Linked)
	body := r.Spans[0].Body.Of(r.Bytes)
	require.Equal(t, []wire.TraceID{{1}, {2}, {1}}, slices.Collect(wire.Links(body)))
	n := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for range wire.Links(body) {
			n++
			break
		}
	}))
	require.Equal(t, 101, n)
}

// Of several trace IDs in a link the last counts, and an empty one clears the earlier ones.
func TestLinksWithSeveralTraceIDs(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	for name, c := range map[string]struct {
		link wiretest.Msg
		want []wire.TraceID
	}{
		"the last":               {wiretest.Msg{}.Len(1, one...).Len(1, two...), []wire.TraceID{wire.TraceID(two)}},
		"empty at the end":       {wiretest.Msg{}.Len(1, one...).Len(1), nil},
		"empty in the beginning": {wiretest.Msg{}.Len(1).Len(1, one...), []wire.TraceID{wire.TraceID(one)}},
	} {
		b := wiretest.InRequest(wiretest.ASpan().Len(13, c.link...))
		sameAsPdata(t, b)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		require.Equal(t, c.want, slices.Collect(wire.Links(r.Spans[0].Body.Of(b))), name)
	}
}
