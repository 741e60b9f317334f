package wiretest

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Msg builds protobuf messages field by field, also ones that no marshaller would produce.
type Msg []byte

// Len adds a field of bytes.
func (m Msg) Len(num protowire.Number, content ...byte) Msg {
	return protowire.AppendBytes(protowire.AppendTag(m, num, protowire.BytesType), content)
}

// Str adds a text.
func (m Msg) Str(num protowire.Number, s string) Msg { return m.Len(num, []byte(s)...) }

// Varint adds a number.
func (m Msg) Varint(num protowire.Number, v uint64) Msg {
	return protowire.AppendVarint(protowire.AppendTag(m, num, protowire.VarintType), v)
}

// Fixed64 adds eight bytes.
func (m Msg) Fixed64(num protowire.Number, v uint64) Msg {
	return protowire.AppendFixed64(protowire.AppendTag(m, num, protowire.Fixed64Type), v)
}

// Fixed32 adds four bytes.
func (m Msg) Fixed32(num protowire.Number, v uint32) Msg {
	return protowire.AppendFixed32(protowire.AppendTag(m, num, protowire.Fixed32Type), v)
}

// Group adds an empty group.
func (m Msg) Group(num protowire.Number) Msg {
	return protowire.AppendTag(protowire.AppendTag(m, num, protowire.StartGroupType), num, protowire.EndGroupType)
}

// Raw adds bytes as they are.
func (m Msg) Raw(b ...byte) Msg { return append(m, b...) }

// InRequest wraps a Span body in a request.
func InRequest(span Msg) []byte { return Msg{}.Len(1, Msg{}.Len(2, Msg{}.Len(2, span...)...)...) }

// ASpan returns a small valid span to add to.
func ASpan() Msg {
	return Msg{}.Len(1, bytes.Repeat([]byte{1}, 16)...).Len(2, bytes.Repeat([]byte{2}, 8)...).Str(5, "op")
}

// KV returns a KeyValue.
func KV(key string, value Msg) Msg { return Msg{}.Str(1, key).Len(2, value...) }

// Nested returns a span with an attribute of n nested arrays.
func Nested(n int) Msg {
	var v Msg
	for range n {
		v = Msg{}.Len(5, Msg{}.Len(1, v...)...)
	}
	return ASpan().Len(9, KV("deep", v)...)
}

// Seeds returns requests just inside and just outside of what pdata accepts.
func Seeds() [][]byte {
	spans := []Msg{
		{}, ASpan(), Nested(20),
		ASpan().Str(5, "later name wins").Varint(6, 1).Varint(6, 1<<33|3),
		ASpan().Len(1).Len(2).Len(4, 1, 2, 3, 4, 5, 6, 7, 8).Len(4),
		ASpan().Len(1, 1), ASpan().Len(2, 1), ASpan().Len(4, bytes.Repeat([]byte{1}, 16)...),
		ASpan().Len(15, Msg{}.Varint(3, 2)...).Len(15, Msg{}.Str(2, "merged")...),
		ASpan().Len(15, Msg{}.Varint(3, 2).Varint(9, 1)...), ASpan().Len(15, Msg{}.Varint(2, 1)...),
		ASpan().Varint(1, 5), ASpan().Fixed32(7, 5), ASpan().Str(16, "x"), ASpan().Fixed64(7, 1).Fixed64(8, 2).Fixed32(16, 3),
		ASpan().Varint(99, 5).Fixed64(98, 5).Fixed32(97, 1).Str(96, "u").Varint(5, 1),
		ASpan().Varint(1<<29-1, 5), ASpan().Varint(1000, 5),
		ASpan().Group(40), ASpan().Group(40).Str(5, "after"), ASpan().Group(5), ASpan().Group(40).Group(41).Varint(6, 2),
		ASpan().Raw(0xc3, 2, 0x30, 1), ASpan().Raw(0xc3, 2, 0x30, 1, 0xc4, 2), ASpan().Raw(0xc4, 2),
		ASpan().Raw(0xc3, 2, 0xc3, 2, 0xc4, 2, 0xc4, 2, 0x30, 1),
		ASpan().Raw(0x30).Raw(bytes.Repeat([]byte{0xff}, 9)...).Raw(1), ASpan().Raw(0x30).Raw(bytes.Repeat([]byte{0xff}, 9)...).Raw(0x7f),
		ASpan().Raw(0x30).Raw(bytes.Repeat([]byte{0xff}, 10)...).Raw(1), ASpan().Raw(0x30), ASpan().Raw(0x30, 0x80),
		ASpan().Raw(0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), ASpan().Raw(0x2a, 5, 1), ASpan().Raw(0),
		ASpan().Raw(0xb0, 0x80, 0x80, 0x80, 0x80, 0x01, 3), // field 6 + 2^31: cut to a negative number
		ASpan().Raw(0xb0, 0x80, 0x80, 0x80, 0x80, 0x10, 3), // field 6 + 2^33: cut to 6
		ASpan().Raw(6), ASpan().Raw(0x36, 1), ASpan().Raw(0x87, 3),
		ASpan().Fixed64(7, 1)[:len(ASpan())+5], ASpan().Fixed32(16, 1)[:len(ASpan())+3],
		ASpan().Len(11, Msg{}.Fixed64(1, 5).Str(2, "e").Len(3, KV("k", Msg{}.Str(1, "v"))...).Varint(4, 1)...),
		ASpan().Len(11, Msg{}.Str(1, "bad")...), ASpan().Len(13, Msg{}.Len(1, 1)...), ASpan().Len(13, Msg{}.Len(2, 1)...),
		ASpan().Len(13, Msg{}.Str(3, "ts").Fixed32(6, 1).Varint(77, 1)...),
	}
	values := []Msg{
		{}, Msg{}.Str(1, "a"), Msg{}.Varint(2, 7), Msg{}.Varint(3, 1<<63), Msg{}.Fixed64(4, 0x7ff8000000000000), Msg{}.Len(5), Msg{}.Len(6), Msg{}.Len(7),
		Msg{}.Varint(8, 4), Msg{}.Str(1, "a").Varint(3, 5), Msg{}.Varint(3, 5).Str(77, "unknown"), Msg{}.Varint(1, 1), Msg{}.Str(4, "bad"),
		Msg{}.Len(5, Msg{}.Len(1, Msg{}.Varint(3, 1)...).Len(1, Msg{}.Fixed64(4, 0x3ff8000000000000)...)...), Msg{}.Len(5, Msg{}.Len(2)...), Msg{}.Len(5, 10),
		Msg{}.Len(6, Msg{}.Len(1, KV("in", Msg{}.Str(1, "<&>"))...)...), Msg{}.Len(6, Msg{}.Varint(1, 1)...), Msg{}.Len(7, 1, 2, 3),
		Msg{}.Str(1, string(bytes.Repeat([]byte("long"), 60))), Msg{}.Fixed64(4, 0x7ff0000000000000), Msg{}.Fixed64(4, 0x3e112e0be826d695),
	}
	for _, v := range values {
		spans = append(spans, ASpan().Len(9, KV("k", v)...), ASpan().Len(9, KV("k", v).Len(2)...), ASpan().Len(9, KV("k", v).Varint(3, 1)...),
			ASpan().Len(9, Msg{}.Len(2, v...).Str(1, "value first")...), ASpan().Len(9, KV("k", v).Str(1, "later").Len(2, Msg{}.Str(1, "wins")...)...),
			ASpan().Len(9, KV("k", v).Varint(50, 1)...), ASpan().Len(9, KV("dup", v)...).Len(9, KV("dup", Msg{}.Str(1, "second"))...))
	}
	var all [][]byte
	for _, s := range spans {
		all = append(all, InRequest(s))
	}
	resource := Msg{}.Len(1, KV("service.name", Msg{}.Str(1, "shop"))...)
	scope := Msg{}.Str(1, "lib").Str(2, "v1").Len(3, KV("k", Msg{}.Varint(3, 1))...).Varint(4, 1)
	scopeSpans := Msg{}.Len(1, scope...).Len(2, ASpan()...).Str(3, "https://schema")
	for _, rs := range []Msg{
		Msg{}.Len(1, resource...).Len(1, Msg{}.Len(1, KV("merged", Msg{}.Varint(2, 1))...).Varint(2, 3)...).Len(2, scopeSpans...).Str(3, "url").Varint(200, 1),
		Msg{}.Len(1000, scopeSpans...).Len(1, resource...), Msg{}.Len(1000, scopeSpans...).Len(2, scopeSpans...), Msg{}.Len(1000, 1), Msg{}.Varint(1000, 1),
		Msg{}.Len(1000, Msg{}.Len(2, Msg{}.Len(1, 1)...)...), Msg{}.Len(2, scopeSpans...).Len(1000, scopeSpans...).Len(1000, scopeSpans...),
		Msg{}.Len(1, resource.Len(3, Msg{}.Str(1, "u").Str(2, "t").Str(3, "id").Str(4, "d").Varint(9, 1)...)...), Msg{}.Len(1, Msg{}.Len(3, Msg{}.Varint(3, 1)...)...),
		Msg{}.Len(2, Msg{}.Len(1, scope...).Len(1, Msg{}.Str(1, "merged")...).Len(2, ASpan()...)...), Msg{}.Len(2, Msg{}.Len(1, Msg{}.Varint(1, 1)...)...),
		Msg{}.Group(300).Len(2, scopeSpans...), Msg{}.Len(2, scopeSpans...).Group(300).Str(3, "url"), Msg{}.Len(2, scopeSpans.Group(9).Str(3, "u")...), Msg{}.Len(2, scopeSpans...).Group(300),
		Msg{}.Varint(1, 1), Msg{}.Varint(2, 1), Msg{}.Varint(3, 1), {}, Msg{}.Len(1).Len(2),
		Msg{}.Group(300).Len(1000, scopeSpans...), Msg{}.Group(300).Len(2, Msg{}.Group(20).Len(2, ASpan()...)...),
	} {
		all = append(all, Msg{}.Len(1, rs...), Msg{}.Len(1, rs...).Len(1, rs...).Varint(2, 1))
	}
	for _, td := range []ptrace.Traces{Realistic(12), Everything(), ptrace.NewTraces()} {
		all = append(all, Marshal(td))
	}
	for _, td := range []ptrace.Traces{Realistic(3)} {
		all = append(all, AsSDK(Marshal(td)))
	}
	return append(all, Msg{}.Varint(1, 1), []byte{0x0a}, []byte{0x0a, 0x80}, Msg{}.Group(7), Msg{}.Raw(0x3b))
}
