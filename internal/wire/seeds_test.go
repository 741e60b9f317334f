package wire_test

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// msg builds protobuf messages field by field, also ones that no marshaller would write.
type msg []byte

func (m msg) len(num protowire.Number, content ...byte) msg {
	return protowire.AppendBytes(protowire.AppendTag(m, num, protowire.BytesType), content)
}

func (m msg) str(num protowire.Number, s string) msg { return m.len(num, []byte(s)...) }

func (m msg) varint(num protowire.Number, v uint64) msg {
	return protowire.AppendVarint(protowire.AppendTag(m, num, protowire.VarintType), v)
}

func (m msg) fixed64(num protowire.Number, v uint64) msg {
	return protowire.AppendFixed64(protowire.AppendTag(m, num, protowire.Fixed64Type), v)
}

func (m msg) fixed32(num protowire.Number, v uint32) msg {
	return protowire.AppendFixed32(protowire.AppendTag(m, num, protowire.Fixed32Type), v)
}

func (m msg) group(num protowire.Number) msg {
	return protowire.AppendTag(protowire.AppendTag(m, num, protowire.StartGroupType), num, protowire.EndGroupType)
}

func (m msg) raw(b ...byte) msg { return append(m, b...) }

// inRequest wraps a Span body in a request.
func inRequest(span msg) []byte { return msg{}.len(1, msg{}.len(2, msg{}.len(2, span...)...)...) }

// aSpan is a small valid span to add to.
func aSpan() msg {
	return msg{}.len(1, bytes.Repeat([]byte{1}, 16)...).len(2, bytes.Repeat([]byte{2}, 8)...).str(5, "op")
}

func kv(key string, value msg) msg { return msg{}.str(1, key).len(2, value...) }

// nested is a span with an attribute of n arrays within one another.
func nested(n int) msg {
	var v msg
	for range n {
		v = msg{}.len(5, msg{}.len(1, v...)...)
	}
	return aSpan().len(9, kv("deep", v)...)
}

// seeds are requests at the edges of what pdata accepts, on either side.
func seeds() [][]byte {
	spans := []msg{
		{}, aSpan(), nested(20),
		aSpan().str(5, "later name wins").varint(6, 1).varint(6, 1<<33|3),
		aSpan().len(1).len(2).len(4, 1, 2, 3, 4, 5, 6, 7, 8).len(4),
		aSpan().len(1, 1), aSpan().len(2, 1), aSpan().len(4, bytes.Repeat([]byte{1}, 16)...),
		aSpan().len(15, msg{}.varint(3, 2)...).len(15, msg{}.str(2, "merged")...),
		aSpan().len(15, msg{}.varint(3, 2).varint(9, 1)...), aSpan().len(15, msg{}.varint(2, 1)...),
		aSpan().varint(1, 5), aSpan().fixed32(7, 5), aSpan().str(16, "x"), aSpan().fixed64(7, 1).fixed64(8, 2).fixed32(16, 3),
		aSpan().varint(99, 5).fixed64(98, 5).fixed32(97, 1).str(96, "u").varint(5, 1),
		aSpan().varint(1<<29-1, 5), aSpan().varint(1000, 5),
		aSpan().group(40), aSpan().group(40).str(5, "after"), aSpan().group(5), aSpan().group(40).group(41).varint(6, 2),
		aSpan().raw(0xc3, 2, 0x30, 1), aSpan().raw(0xc3, 2, 0x30, 1, 0xc4, 2), aSpan().raw(0xc4, 2),
		aSpan().raw(0xc3, 2, 0xc3, 2, 0xc4, 2, 0xc4, 2, 0x30, 1),
		aSpan().raw(0x30).raw(bytes.Repeat([]byte{0xff}, 9)...).raw(1), aSpan().raw(0x30).raw(bytes.Repeat([]byte{0xff}, 9)...).raw(0x7f),
		aSpan().raw(0x30).raw(bytes.Repeat([]byte{0xff}, 10)...).raw(1), aSpan().raw(0x30), aSpan().raw(0x30, 0x80),
		aSpan().raw(0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), aSpan().raw(0x2a, 5, 1), aSpan().raw(0),
		aSpan().raw(0xb0, 0x80, 0x80, 0x80, 0x80, 0x01, 3), // field 6 + 2^31: cut to a negative number
		aSpan().raw(0xb0, 0x80, 0x80, 0x80, 0x80, 0x10, 3), // field 6 + 2^33: cut to 6
		aSpan().raw(6), aSpan().raw(0x36, 1), aSpan().raw(0x87, 3),
		aSpan().fixed64(7, 1)[:len(aSpan())+5], aSpan().fixed32(16, 1)[:len(aSpan())+3],
		aSpan().len(11, msg{}.fixed64(1, 5).str(2, "e").len(3, kv("k", msg{}.str(1, "v"))...).varint(4, 1)...),
		aSpan().len(11, msg{}.str(1, "bad")...), aSpan().len(13, msg{}.len(1, 1)...), aSpan().len(13, msg{}.len(2, 1)...),
		aSpan().len(13, msg{}.str(3, "ts").fixed32(6, 1).varint(77, 1)...),
	}
	values := []msg{
		{}, msg{}.str(1, "a"), msg{}.varint(2, 7), msg{}.varint(3, 1<<63), msg{}.fixed64(4, 0x7ff8000000000000), msg{}.len(5), msg{}.len(6), msg{}.len(7),
		msg{}.varint(8, 4), msg{}.str(1, "a").varint(3, 5), msg{}.varint(3, 5).str(77, "unknown"), msg{}.varint(1, 1), msg{}.str(4, "bad"),
		msg{}.len(5, msg{}.len(1, msg{}.varint(3, 1)...).len(1, msg{}.fixed64(4, 0x3ff8000000000000)...)...), msg{}.len(5, msg{}.len(2)...), msg{}.len(5, 10),
		msg{}.len(6, msg{}.len(1, kv("in", msg{}.str(1, "<&>"))...)...), msg{}.len(6, msg{}.varint(1, 1)...), msg{}.len(7, 1, 2, 3),
		msg{}.str(1, string(bytes.Repeat([]byte("long"), 60))), msg{}.fixed64(4, 0x7ff0000000000000), msg{}.fixed64(4, 0x3e112e0be826d695),
	}
	for _, v := range values {
		spans = append(spans, aSpan().len(9, kv("k", v)...), aSpan().len(9, kv("k", v).len(2)...), aSpan().len(9, kv("k", v).varint(3, 1)...),
			aSpan().len(9, msg{}.len(2, v...).str(1, "value first")...), aSpan().len(9, kv("k", v).str(1, "later").len(2, msg{}.str(1, "wins")...)...),
			aSpan().len(9, kv("k", v).varint(50, 1)...), aSpan().len(9, kv("dup", v)...).len(9, kv("dup", msg{}.str(1, "second"))...))
	}
	var all [][]byte
	for _, s := range spans {
		all = append(all, inRequest(s))
	}
	resource := msg{}.len(1, kv("service.name", msg{}.str(1, "shop"))...)
	scope := msg{}.str(1, "lib").str(2, "v1").len(3, kv("k", msg{}.varint(3, 1))...).varint(4, 1)
	scopeSpans := msg{}.len(1, scope...).len(2, aSpan()...).str(3, "https://schema")
	for _, rs := range []msg{
		msg{}.len(1, resource...).len(1, msg{}.len(1, kv("merged", msg{}.varint(2, 1))...).varint(2, 3)...).len(2, scopeSpans...).str(3, "url").varint(200, 1),
		msg{}.len(1000, scopeSpans...).len(1, resource...), msg{}.len(1000, scopeSpans...).len(2, scopeSpans...), msg{}.len(1000, 1), msg{}.varint(1000, 1),
		msg{}.len(1000, msg{}.len(2, msg{}.len(1, 1)...)...), msg{}.len(2, scopeSpans...).len(1000, scopeSpans...).len(1000, scopeSpans...),
		msg{}.len(1, resource.len(3, msg{}.str(1, "u").str(2, "t").str(3, "id").str(4, "d").varint(9, 1)...)...), msg{}.len(1, msg{}.len(3, msg{}.varint(3, 1)...)...),
		msg{}.len(2, msg{}.len(1, scope...).len(1, msg{}.str(1, "merged")...).len(2, aSpan()...)...), msg{}.len(2, msg{}.len(1, msg{}.varint(1, 1)...)...),
		msg{}.group(300).len(2, scopeSpans...), msg{}.len(2, scopeSpans...).group(300).str(3, "url"), msg{}.len(2, scopeSpans.group(9).str(3, "u")...), msg{}.len(2, scopeSpans...).group(300),
		msg{}.varint(1, 1), msg{}.varint(2, 1), msg{}.varint(3, 1), {}, msg{}.len(1).len(2),
		msg{}.group(300).len(1000, scopeSpans...), msg{}.group(300).len(2, msg{}.group(20).len(2, aSpan()...)...),
	} {
		all = append(all, msg{}.len(1, rs...), msg{}.len(1, rs...).len(1, rs...).varint(2, 1))
	}
	for _, td := range []ptrace.Traces{realisticTrace(12), everythingTrace(), ptrace.NewTraces()} {
		all = append(all, marshal(td))
	}
	for _, td := range []ptrace.Traces{realisticTrace(3)} {
		all = append(all, asSDK(marshal(td)))
	}
	return append(all, msg{}.varint(1, 1), []byte{0x0a}, []byte{0x0a, 0x80}, msg{}.group(7), msg{}.raw(0x3b))
}
