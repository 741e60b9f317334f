package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

func TestScan(t *testing.T) {
	b := wiretest.Marshal(wiretest.Everything())
	var r wire.Request
	require.NoError(t, r.Scan(b))
	require.Len(t, r.Resources, 1)
	require.Len(t, r.Scopes, 2)
	require.Len(t, r.Spans, 3)
	s := r.Spans[0]
	assert.Equal(t, "a1b2030405060708090a0b0c0d0e0f10", s.TraceID.String())
	assert.Equal(t, "0000000000000001", s.ID.String())
	assert.True(t, s.ParentID.IsZero())
	assert.EqualValues(t, 2, s.Kind)
	assert.EqualValues(t, 2, s.Status)
	assert.EqualValues(t, 0x101, s.Flags)
	assert.EqualValues(t, 50_000_000, s.End-s.Start)
	assert.Equal(t, "POST /api/v1/checkout", string(s.Name.Of(b)))
	assert.Equal(t, "ot=th:8;rv:0123456789abcd", string(s.TraceState.Of(b)))
	assert.False(t, s.Unknown)
	assert.EqualValues(t, 1, r.Spans[2].Scope, "spans come scope by scope")
}

// A name of 128 bytes or more has a length of two bytes.
func TestScanLongName(t *testing.T) {
	for _, n := range []int{127, 128, 200, 20_000} {
		name := strings.Repeat("n", n)
		b := wiretest.InRequest(wiretest.Msg{}.Str(5, name).Varint(6, 2))
		sameAsPdata(t, b)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		require.Equal(t, name, string(r.Spans[0].Name.Of(b)))
	}
}

// TestScanErrors checks that an error has an offset and a reason.
func TestScanErrors(t *testing.T) {
	// prefix is the number of bytes that inRequest puts before a span of less than 128 bytes.
	const prefix = 6
	at := prefix + len(wiretest.ASpan())
	tests := []struct {
		name string
		b    []byte
		want wire.ScanError
	}{
		{"nothing but a tag", []byte{0x0a}, wire.ScanError{Offset: 0, Field: "ExportTraceServiceRequest.resource_spans", Reason: "ends in the middle of a field"}},
		{"wire type", wiretest.InRequest(wiretest.ASpan().Str(6, "kind")), wire.ScanError{Offset: at, Field: "Span.kind", Reason: "wire type is 2, want 0"}},
		{"trace ID", wiretest.InRequest(wiretest.ASpan().Len(1, 1, 2)), wire.ScanError{Offset: at, Field: "Span.trace_id", Reason: "is 2 bytes long, want 16 or none"}},
		{"link", wiretest.InRequest(wiretest.ASpan().Len(13, wiretest.Msg{}.Len(2, 1)...)), wire.ScanError{Offset: at + 2, Field: "Span.Link.span_id", Reason: "is 1 bytes long, want 8 or none"}},
		{"length", wiretest.InRequest(wiretest.ASpan().Raw(0x2a, 5, 1)), wire.ScanError{Offset: at, Field: "Span.name", Reason: "length reaches beyond the enclosing message"}},
		{"scope of the deprecated field", wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(2).Len(1000, wiretest.Msg{}.Raw(0x12)...)...), wire.ScanError{Offset: 7, Field: "ScopeSpans.spans", Reason: "ends in the middle of a field"}},
		{"fixed", wiretest.InRequest(wiretest.ASpan().Raw(0x39, 5, 1)), wire.ScanError{Offset: at, Field: "Span.start_time_unix_nano", Reason: "ends in the middle of a field"}},
		{"field 0", wiretest.InRequest(wiretest.ASpan().Raw(0, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "field number is not positive"}},
		{"group", wiretest.InRequest(wiretest.ASpan().Raw(0xc4, 2, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: end of a group that has not begun"}},
		{"wire type 6", wiretest.InRequest(wiretest.ASpan().Raw(0xc6, 2)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: ends in the middle of a field"}},
		{"wire type 7", wiretest.InRequest(wiretest.ASpan().Raw(0xc7, 2, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: wire type does not exist"}},
		{"varint", wiretest.InRequest(wiretest.ASpan().Raw(0x30).Raw(bytes.Repeat([]byte{0xff}, 11)...)), wire.ScanError{Offset: at, Field: "Span.kind", Reason: "varint longer than 10 bytes"}},
		{"value", wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.KV("k", wiretest.Msg{}.Varint(1, 1))...)), wire.ScanError{Offset: at + 2 + 3 + 2, Field: "AnyValue.string_value", Reason: "wire type is 0, want 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r wire.Request
			err := r.Scan(tt.b)
			assert.Equal(t, &tt.want, err)
			assert.Empty(t, r.Spans)
			assert.Nil(t, r.Bytes)
		})
	}
	assert.EqualError(t, &wire.ScanError{Offset: 7, Field: "Span.name", Reason: "is odd"}, "malformed OTLP trace request at byte 7: Span.name: is odd")
}

func TestScanBoundsTheDepth(t *testing.T) {
	var r wire.Request
	require.NoError(t, r.Scan(wiretest.InRequest(wiretest.Nested(4999))))
	require.ErrorContains(t, r.Scan(wiretest.InRequest(wiretest.Nested(5000))), "nested deeper than 10000 messages")
}

// TestScanIsCutAnywhere checks that a truncated request is never read as a whole one with more spans.
func TestScanIsCutAnywhere(t *testing.T) {
	b := wiretest.Marshal(wiretest.Everything())
	for n := range b {
		sameAsPdata(t, b[:n])
	}
}

// TestScanWithOneByteChanged sets every byte of a request to values that matter to protobuf.
func TestScanWithOneByteChanged(t *testing.T) {
	b := wiretest.AsSDK(wiretest.Marshal(wiretest.Realistic(1)))
	for i := range b {
		was := b[i]
		for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff, was ^ 1, was ^ 7, was + 8} {
			b[i] = v
			sameAsPdata(t, b)
		}
		b[i] = was
	}
}

func TestScanReusesItsSlices(t *testing.T) {
	b := wiretest.Marshal(wiretest.Everything())
	var r wire.Request
	require.NoError(t, r.Scan(b))
	allocs := testing.AllocsPerRun(100, func() {
		if err := r.Scan(b); err != nil {
			t.Fatal(err)
		}
	})
	assert.Zero(t, allocs)
}

func TestUnknown(t *testing.T) {
	for name, span := range map[string]wiretest.Msg{
		"span": wiretest.ASpan().Varint(90, 1), "status": wiretest.ASpan().Len(15, wiretest.Msg{}.Varint(9, 1)...), "group": wiretest.ASpan().Group(40).Str(5, "x"),
		"event": wiretest.ASpan().Len(11, wiretest.Msg{}.Varint(9, 1)...), "link attribute": wiretest.ASpan().Len(13, wiretest.Msg{}.Len(4, wiretest.KV("k", wiretest.Msg{}).Varint(90, 1)...)...),
		"attribute value": wiretest.ASpan().Len(9, wiretest.KV("k", wiretest.Msg{}.Str(1, "v").Varint(90, 1))...), "merged": wiretest.ASpan().Varint(90, 1).Len(9, wiretest.KV("k", wiretest.Msg{})...),
	} {
		s, err := wire.ParseSpan(span)
		require.NoError(t, err, name)
		assert.True(t, s.Unknown, name)
		assert.EqualValues(t, -1, s.Resource)
		assert.EqualValues(t, -1, s.Scope)
	}
}

// Spans without IDs are left out, and so are parents without other spans.
func TestAccept(t *testing.T) {
	id := func(trace, span byte) wiretest.Msg {
		m := wiretest.Msg{}
		if trace > 0 {
			m = m.Len(1, bytes.Repeat([]byte{trace}, 16)...)
		}
		return m.Len(2, bytes.Repeat([]byte{span}, 8)...)
	}
	var scope wiretest.Msg
	for _, s := range []wiretest.Msg{id(0, 1), id(1, 2), id(1, 0), id(2, 3), {}, id(3, 4)} {
		scope = scope.Len(2, s...)
	}
	var r wire.Request
	empty := wiretest.Msg{}.Len(2, wiretest.Msg{}.Len(2)...)
	b := []byte(wiretest.Msg{}.Len(1, empty...).Len(1, wiretest.Msg{}.Len(2).Len(2, scope...)...).Len(1))
	rejected, err := r.Accept(b, 1<<20)
	require.NoError(t, err)
	assert.Equal(t, wire.Rejected{InvalidIDs: 4}, rejected)
	require.Len(t, r.Spans, 3)
	assert.Len(t, r.Scopes, 1, "those without spans are left out")
	assert.Len(t, r.Resources, 1)
	for i, s := range r.Spans {
		assert.EqualValues(t, i+1, s.TraceID[0])
		assert.Zero(t, s.Resource)
		assert.Zero(t, s.Scope)
	}
	require.NoError(t, r.Scan(b), "which takes all")
	assert.Len(t, r.Spans, 7)
	assert.Len(t, r.Resources, 3)
}

// Spans whose resource or scope has too large a header are left out, wherever in its message it is and whatever it contains; all
// others stay unchanged.
func TestAcceptHeaders(t *testing.T) {
	const limit = 100
	wide := func(n int) []byte { return wiretest.KV("k", wiretest.Msg{}.Str(1, strings.Repeat("v", n))) }
	spans := func(scope wiretest.Msg, n int) wiretest.Msg {
		for range n {
			scope = scope.Len(2, wiretest.Msg{}.Len(1, bytes.Repeat([]byte{1}, 16)...).Len(2, bytes.Repeat([]byte{2}, 8)...)...)
		}
		return scope.Len(2) // and one without IDs
	}
	header := func(n int) int { return len(wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(n)...)...)) }
	fits := 0
	for ; header(fits) < limit; fits++ {
	}
	require.Equal(t, limit, header(fits))
	for name, tt := range map[string]struct {
		body wiretest.Msg
		want wire.Rejected
		left int
	}{
		"a resource that just fits": {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(fits)...)...).Len(2, spans(nil, 3)...), wire.Rejected{InvalidIDs: 1}, 3},
		"a resource":                {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(fits+1)...)...).Len(2, spans(nil, 3)...), wire.Rejected{InvalidIDs: 1, LargeHeaders: 3, Largest: limit + 1}, 0},
		"a resource behind its scopes": {wiretest.Msg{}.Len(2, spans(nil, 3)...).Len(2, spans(nil, 2)...).Len(1, wiretest.Msg{}.Len(1, wide(fits+1)...)...),
			wire.Rejected{InvalidIDs: 2, LargeHeaders: 5, Largest: limit + 1}, 0},
		"a resource in two parts": {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(fits/2)...)...).Len(2, spans(nil, 3)...).Len(1, wiretest.Msg{}.Len(1, wide(fits)...)...),
			wire.Rejected{InvalidIDs: 1, LargeHeaders: 3, Largest: limit + header(fits/2)}, 0},
		"a schema URL":      {wiretest.Msg{}.Str(3, strings.Repeat("u", limit)).Len(2, spans(nil, 3)...), wire.Rejected{InvalidIDs: 1, LargeHeaders: 3, Largest: limit + 2}, 0},
		"an unknown field":  {wiretest.Msg{}.Str(90, strings.Repeat("u", limit)).Len(2, spans(nil, 3)...), wire.Rejected{InvalidIDs: 1, LargeHeaders: 3, Largest: limit + 3}, 0},
		"deprecated scopes": {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(fits+1)...)...).Len(1000, spans(nil, 3)...), wire.Rejected{InvalidIDs: 1, LargeHeaders: 3, Largest: limit + 1}, 0},
		"one of two scopes": {wiretest.Msg{}.Len(2, spans(wiretest.Msg{}.Len(1, wiretest.Msg{}.Str(1, strings.Repeat("n", limit))...), 3)...).Len(2, spans(nil, 2)...),
			wire.Rejected{InvalidIDs: 2, LargeHeaders: 3, Largest: limit + 4}, 2},
		"a resource without valid spans": {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, wide(fits+1)...)...).Len(2, spans(nil, 0)...), wire.Rejected{InvalidIDs: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			other := wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(2, spans(nil, 1)...)...)
			b := append(append(bytes.Clone(other), wiretest.Msg{}.Len(1, tt.body...)...), other...)
			var r wire.Request
			rejected, err := r.Accept(b, limit)
			require.NoError(t, err)
			tt.want.InvalidIDs += 2
			assert.Equal(t, tt.want, rejected)
			assert.Equal(t, tt.want.InvalidIDs+tt.want.LargeHeaders, rejected.Spans())
			require.Len(t, r.Spans, tt.left+2)
			for _, s := range r.Spans {
				assert.Equal(t, s.Resource, r.Scopes[s.Scope].Resource)
				assert.Less(t, int(s.Resource), len(r.Resources))
			}
		})
	}
}

// TestAcceptTakesLittle checks that the memory of a request is bounded by its bytes, whatever it contains.
func TestAcceptTakesLittle(t *testing.T) {
	const size = 1 << 20
	span := wiretest.Msg{}.Len(1, bytes.Repeat([]byte{1}, 16)...).Len(2, bytes.Repeat([]byte{1}, 8)...)
	inScope := wiretest.Msg{}.Len(2, span...)
	for name, tt := range map[string]struct {
		element wiretest.Msg
		within  func(wiretest.Msg) wiretest.Msg
		spans   int
	}{
		"spans of two bytes":  {wiretest.Msg{}.Len(2), func(m wiretest.Msg) wiretest.Msg { return wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(2, m...)...) }, 0},
		"shortest spans":      {inScope, func(m wiretest.Msg) wiretest.Msg { return wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(2, m...)...) }, size / 30},
		"scopes of two bytes": {wiretest.Msg{}.Len(2), func(m wiretest.Msg) wiretest.Msg { return wiretest.Msg{}.Len(1, m...) }, 0},
		"scopes of a span":    {wiretest.Msg{}.Len(2, inScope...), func(m wiretest.Msg) wiretest.Msg { return wiretest.Msg{}.Len(1, m...) }, size / 32},
		"resources":           {wiretest.Msg{}.Len(1), func(m wiretest.Msg) wiretest.Msg { return m }, 0},
		"resources of a span": {wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(2, inScope...)...), func(m wiretest.Msg) wiretest.Msg { return m }, size / 34},
	} {
		t.Run(name, func(t *testing.T) {
			b := []byte(tt.within(wiretest.Msg(bytes.Repeat(tt.element, size/len(tt.element)))))
			room := wire.Count(b).Bytes()
			assert.LessOrEqual(t, room, int64(4*len(b)+1024))
			var r wire.Request
			var err error
			allocated := testing.AllocsPerRun(1, func() {
				r = wire.Request{}
				_, err = r.Accept(b, 1<<20)
			})
			require.NoError(t, err)
			assert.Len(t, r.Spans, tt.spans)
			assert.LessOrEqual(t, allocated, 6.0, "one slice of each kind, which does not grow; the race detector needs another for each")
			assert.LessOrEqual(t, int64(cap(r.Spans)*96), room+room/4+8192)
		})
	}
}

// FuzzParseSpan checks that a span is accepted alone if and only if it is accepted within a request.
func FuzzParseSpan(f *testing.F) {
	f.Add([]byte(wiretest.ASpan()))
	f.Add([]byte(wiretest.Nested(3)))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r wire.Request
		err := r.Scan(wiretest.InRequest(body))
		s, alone := wire.ParseSpan(body)
		require.Equal(t, err == nil, alone == nil)
		if err == nil {
			require.Equal(t, r.Spans[0].ID, s.ID)
			require.Equal(t, wire.Range{End: uint32(len(body))}, s.Body)
		}
	})
}
