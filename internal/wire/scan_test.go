package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

func TestScan(t *testing.T) {
	b := marshal(everythingTrace())
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

// A name of 128 bytes and more has a length of two.
func TestScanLongName(t *testing.T) {
	for _, n := range []int{127, 128, 200, 20_000} {
		name := strings.Repeat("n", n)
		b := inRequest(msg{}.str(5, name).varint(6, 2))
		sameAsPdata(t, b)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		require.Equal(t, name, string(r.Spans[0].Name.Of(b)))
	}
}

// TestScanErrors holds that an error says where and what.
func TestScanErrors(t *testing.T) {
	// prefix is how many bytes inRequest puts before a span of less than 128 bytes.
	const prefix = 6
	at := prefix + len(aSpan())
	tests := []struct {
		name string
		b    []byte
		want wire.ScanError
	}{
		{"nothing but a tag", []byte{0x0a}, wire.ScanError{Offset: 0, Field: "ExportTraceServiceRequest.resource_spans", Reason: "ends in the middle of a field"}},
		{"wire type", inRequest(aSpan().str(6, "kind")), wire.ScanError{Offset: at, Field: "Span.kind", Reason: "wire type is 2, want 0"}},
		{"trace ID", inRequest(aSpan().len(1, 1, 2)), wire.ScanError{Offset: at, Field: "Span.trace_id", Reason: "is 2 bytes long, want 16 or none"}},
		{"link", inRequest(aSpan().len(13, msg{}.len(2, 1)...)), wire.ScanError{Offset: at + 2, Field: "Span.Link.span_id", Reason: "is 1 bytes long, want 8 or none"}},
		{"length", inRequest(aSpan().raw(0x2a, 5, 1)), wire.ScanError{Offset: at, Field: "Span.name", Reason: "length reaches beyond the enclosing message"}},
		{"scope of the deprecated field", msg{}.len(1, msg{}.len(2).len(1000, msg{}.raw(0x12)...)...), wire.ScanError{Offset: 7, Field: "ScopeSpans.spans", Reason: "ends in the middle of a field"}},
		{"fixed", inRequest(aSpan().raw(0x39, 5, 1)), wire.ScanError{Offset: at, Field: "Span.start_time_unix_nano", Reason: "ends in the middle of a field"}},
		{"field 0", inRequest(aSpan().raw(0, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "field number is not positive"}},
		{"group", inRequest(aSpan().raw(0xc4, 2, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: end of a group that has not begun"}},
		{"wire type 6", inRequest(aSpan().raw(0xc6, 2)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: ends in the middle of a field"}},
		{"wire type 7", inRequest(aSpan().raw(0xc7, 2, 1)), wire.ScanError{Offset: at, Field: "Span", Reason: "unknown field 40: wire type does not exist"}},
		{"varint", inRequest(aSpan().raw(0x30).raw(bytes.Repeat([]byte{0xff}, 11)...)), wire.ScanError{Offset: at, Field: "Span.kind", Reason: "varint longer than 10 bytes"}},
		{"value", inRequest(aSpan().len(9, kv("k", msg{}.varint(1, 1))...)), wire.ScanError{Offset: at + 2 + 3 + 2, Field: "AnyValue.string_value", Reason: "wire type is 0, want 2"}},
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
	require.NoError(t, r.Scan(inRequest(nested(4999))))
	require.ErrorContains(t, r.Scan(inRequest(nested(5000))), "nested deeper than 10000 messages")
}

// TestScanIsCutAnywhere holds that a request that stops early is never taken for a whole one with more spans.
func TestScanIsCutAnywhere(t *testing.T) {
	b := marshal(everythingTrace())
	for n := range b {
		sameAsPdata(t, b[:n])
	}
}

// TestScanWithOneByteChanged walks every byte of a request through values that matter to protobuf.
func TestScanWithOneByteChanged(t *testing.T) {
	b := asSDK(marshal(realisticTrace(1)))
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
	b := marshal(everythingTrace())
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
	for name, span := range map[string]msg{
		"span": aSpan().varint(90, 1), "status": aSpan().len(15, msg{}.varint(9, 1)...), "group": aSpan().group(40).str(5, "x"),
		"event": aSpan().len(11, msg{}.varint(9, 1)...), "link attribute": aSpan().len(13, msg{}.len(4, kv("k", msg{}).varint(90, 1)...)...),
		"attribute value": aSpan().len(9, kv("k", msg{}.str(1, "v").varint(90, 1))...), "merged": aSpan().varint(90, 1).len(9, kv("k", msg{})...),
	} {
		s, err := wire.ParseSpan(span)
		require.NoError(t, err, name)
		assert.True(t, s.Unknown, name)
		assert.EqualValues(t, -1, s.Resource)
		assert.EqualValues(t, -1, s.Scope)
	}
}

func TestDropInvalidIDs(t *testing.T) {
	id := func(trace, span byte) msg {
		m := msg{}
		if trace > 0 {
			m = m.len(1, bytes.Repeat([]byte{trace}, 16)...)
		}
		return m.len(2, bytes.Repeat([]byte{span}, 8)...)
	}
	var scope msg
	for _, s := range []msg{id(0, 1), id(1, 2), id(1, 0), id(2, 3), {}, id(3, 4)} {
		scope = scope.len(2, s...)
	}
	var r wire.Request
	require.NoError(t, r.Scan(msg{}.len(1, msg{}.len(2, scope...)...)))
	assert.Equal(t, 3, r.DropInvalidIDs())
	require.Len(t, r.Spans, 3)
	for i, s := range r.Spans {
		assert.EqualValues(t, i+1, s.TraceID[0])
	}
	assert.Zero(t, r.DropInvalidIDs())
}

// FuzzParseSpan holds that a span is accepted alone if and only if it is within a request.
func FuzzParseSpan(f *testing.F) {
	f.Add([]byte(aSpan()))
	f.Add([]byte(nested(3)))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r wire.Request
		err := r.Scan(inRequest(body))
		s, alone := wire.ParseSpan(body)
		require.Equal(t, err == nil, alone == nil)
		if err == nil {
			require.Equal(t, r.Spans[0].ID, s.ID)
			require.Equal(t, wire.Range{End: uint32(len(body))}, s.Body)
		}
	})
}
