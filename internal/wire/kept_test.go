package wire_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// FuzzKept compares marks written on bytes with the same marks written by pdata.
func FuzzKept(f *testing.F) {
	for _, seed := range wiretest.Seeds() {
		f.Add(seed)
	}
	f.Add(wiretest.Marshal(wiretest.Realistic(12)))
	f.Add(wiretest.Marshal(wiretest.Everything()))
	f.Fuzz(sameKept)
}

func TestKept(t *testing.T) {
	for i, seed := range append(wiretest.Seeds(), wiretest.Marshal(wiretest.Realistic(40)), wiretest.Marshal(wiretest.Everything()), wiretest.AsSDK(wiretest.Marshal(wiretest.Realistic(9)))) {
		t.Run(fmt.Sprint(i), func(t *testing.T) { sameKept(t, seed) })
	}
}

func sameKept(t *testing.T, data []byte) {
	var r wire.Request
	if r.Scan(data) != nil {
		return
	}
	var k wire.Kept
	_, err := k.Fill(&r)
	require.NoError(t, err)
	plain, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, wiretest.Canonical(t, wiretest.Decode(t, data)), wiretest.Canonical(t, plain), "nothing is changed")

	const key, mark, trace = "tailsampling.policy", "slowburn.mark", "a=b,ot=th:8"
	want := plain
	edit := func(td ptrace.Traces) {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				put(ss.Scope().Attributes(), mark, "m")
				for _, span := range ss.Spans().All() {
					put(span.Attributes(), key, "p")
					span.TraceState().FromRaw(trace)
				}
			}
		}
	}
	edit(want)
	for i := range k.Spans {
		k.SetAttribute(i, wire.StringAttribute(key, "p"))
	}
	for i := range k.Spans { // repeated, so that the added fields are not at the end
		require.Equal(t, string(k.Spans[i].TraceState.Of(k.Bytes)), string(wire.TraceStateOf(&k, i)))
		k.SetTraceState(i, []byte(trace))
		require.Equal(t, trace, string(wire.TraceStateOf(&k, i)))
	}
	for i := range k.Traces {
		k.Traces[i].Marks = []wire.Attribute{wire.StringAttribute(mark, "m")}
	}
	got, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, wiretest.Canonical(t, want), wiretest.Canonical(t, got))

	n := len(k.Spans)
	all := k.AppendRequest(nil, 0, n)
	for _, cut := range []int{0, 1, n / 2, n} {
		cut = min(cut, n)
		parts := k.AppendRequest(k.AppendRequest(nil, 0, cut), cut, n) // two requests in sequence are one
		require.Equal(t, wiretest.Canonical(t, want), wiretest.Canonical(t, wiretest.Decode(t, parts)))
	}

	// An output that comes in again is marked again, without duplicates.
	require.NoError(t, r.Scan(all))
	_, err = k.Fill(&r)
	require.NoError(t, err)
	for i := range k.Spans {
		k.SetTraceState(i, []byte(trace))
		k.SetAttribute(i, wire.StringAttribute(key, "p"))
	}
	for i := range k.Traces {
		k.Traces[i].Marks = []wire.Attribute{wire.StringAttribute(mark, "m")}
	}
	again := k.AppendRequest(nil, 0, len(k.Spans))
	require.Len(t, again, len(all))

	_, err = k.Fill(&r)
	require.NoError(t, err)
	for i := range k.Spans {
		k.SetTraceState(i, nil)
		require.Empty(t, wire.TraceStateOf(&k, i))
	}
}

// put replaces all attributes with the key, duplicates included.
func put(m pcommon.Map, key, value string) {
	m.RemoveIf(func(k string, _ pcommon.Value) bool { return k == key })
	m.PutStr(key, value)
}

// A duplicate span goes out once, whatever the order.
func TestKeptLeavesCopiesOut(t *testing.T) {
	td := wiretest.Realistic(6)
	b := wiretest.Marshal(td)
	var r wire.Request
	require.NoError(t, r.Scan(append(slices.Clone(b), b...)))
	var k wire.Kept
	repeats, err := k.Fill(&r)
	require.NoError(t, err)
	require.Equal(t, 6, repeats)
	got, err := k.Decode()
	require.NoError(t, err)
	require.Equal(t, wiretest.Canonical(t, td), wiretest.Canonical(t, got))
	require.Equal(t, 6, got.SpanCount())
}

// Spans in any order give the same bytes.
func TestKeptInAnyOrder(t *testing.T) {
	b := wiretest.Marshal(wiretest.Realistic(30))
	var r wire.Request
	require.NoError(t, r.Scan(b))
	var first []byte
	for turn := range 5 {
		var k wire.Kept
		k.Begin(wire.KeptTrace{ID: r.Spans[0].TraceID})
		for n := range r.Spans {
			s := &r.Spans[(n*7+turn)%len(r.Spans)]
			k.AddSpan(s.Body.Of(b), k.AddResource(wire.AppendResourceHeader(nil, r.Resources[s.Resource].Body.Of(b))),
				k.AddScope(wire.AppendScopeHeader(nil, r.Scopes[s.Scope].Body.Of(b))))
		}
		_, err := k.Arrange(0)
		require.NoError(t, err)
		out := k.AppendRequest(nil, 0, len(k.Spans))
		if first == nil {
			first = out
		}
		require.Equal(t, first, out)
	}
}

func TestKeptIsForOne(t *testing.T) {
	var none *wire.Kept
	require.True(t, none.For("anybody"))
	k := &wire.Kept{To: "otlp_grpc/backend"}
	require.True(t, k.For("otlp_grpc/backend"))
	require.False(t, k.For("otlp_grpc"))
	require.Nil(t, wire.KeptOf(context.Background()))
	require.Same(t, k, wire.KeptOf(wire.NewKeptContext(context.Background(), k)))
	require.False(t, k.Taken())
	k.Take()
	require.True(t, k.Taken())
	k.Reset()
	require.False(t, k.Taken())
}

// A header that is replaced after a request was written is written again.
func TestReplacedScopeIsMarkedAnew(t *testing.T) {
	var k wire.Kept
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.Marshal(wiretest.Realistic(3))))
	_, err := k.Fill(&r)
	require.NoError(t, err)
	k.Traces[0].Marks = []wire.Attribute{wire.StringAttribute("mark", "m")}
	before := k.AppendRequest(nil, 0, len(k.Spans))
	for i := range k.Scopes {
		k.Scopes[i] = wire.Range{}
	}
	after := k.AppendRequest(nil, 0, len(k.Spans))
	require.Less(t, len(after), len(before))
}
