package wire

import (
	"encoding/base64"
	"encoding/binary"
	"iter"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// ValueKind is the kind of a Value.
type ValueKind uint8

// The kinds of values in OTLP. Their numbers are those of AnyValue's fields.
const (
	Empty  ValueKind = 0
	String ValueKind = schema.AnyValueFieldString
	Bool   ValueKind = schema.AnyValueFieldBool
	Int    ValueKind = schema.AnyValueFieldInt
	Double ValueKind = schema.AnyValueFieldDouble
	Array  ValueKind = schema.AnyValueFieldArray
	KvList ValueKind = schema.AnyValueFieldKvList
	Bytes  ValueKind = schema.AnyValueFieldBytes
)

// String returns the kind's name.
func (k ValueKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "ValueKind(" + strconv.Itoa(int(k)) + ")"
}

var kindNames = [...]string{"Empty", "String", "Bool", "Int", "Double", "Array", "KvList", "Bytes"}

// Value is an attribute's value, read in place: it shares the bytes of its message. The zero Value is empty. It is small
// enough for the compiler to keep in registers: four words are, five are not.
type Value struct {
	kind    ValueKind
	content []byte // of the kind's field in AnyValue, without tag and length
}

// Kind returns the kind of the value.
func (v Value) Kind() ValueKind { return v.kind }

// Content returns the encoded value in place: values of one kind are equal if their contents are.
func (v Value) Content() []byte { return v.content }

// Bytes returns the content of a String or Bytes, and the protobuf message of an Array or KvList, in place; nil for
// other kinds.
func (v Value) Bytes() []byte {
	switch v.kind {
	case Bool, Int, Double:
		return nil
	}
	return v.content
}

// Bool reports whether the value is a Bool that is true.
func (v Value) Bool() bool { return v.kind == Bool && v.number() != 0 }

// Int returns the content of an Int, 0 for other kinds.
func (v Value) Int() int64 {
	if v.kind != Int {
		return 0
	}
	return int64(v.number())
}

// number decodes the content as a varint.
func (v Value) number() uint64 {
	if len(v.content) == 1 {
		return uint64(v.content[0])
	}
	num, _ := protobuf.LongVarint(v.content, 0)
	return num
}

// Double returns the content of a Double, 0 for other kinds.
func (v Value) Double() float64 {
	if v.kind != Double {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(v.content))
}

// merge merges the body of an AnyValue into v. Its last field wins; without any, v stays as it is.
func (v *Value) merge(b []byte) {
	for pos := 0; pos < len(b); {
		f, err := schema.AnyValue.Next(b, pos)
		if err != nil {
			return
		}
		switch f.Num {
		case 1, 2, 3, 4, 5, 6, 7: // the kinds
			*v = Value{kind: ValueKind(f.Num), content: b[f.Start:f.End:f.End]}
		case 8:
			*v = Value{} // an index into the dictionary of a profile; in traces pdata takes it for empty
		}
		pos = f.End
	}
}

// AsString returns the same text as pcommon.Value.AsString: text as it is, numbers in decimal, bytes in base64,
// arrays and maps as JSON.
func (v Value) AsString() string {
	switch v.kind {
	case String:
		return string(v.content)
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Int:
		return strconv.FormatInt(v.Int(), 10)
	case Double:
		return pcommon.NewValueDouble(v.Double()).AsString()
	case Bytes:
		return base64.StdEncoding.EncodeToString(v.content)
	case Array:
		return v.compositeAsString(5)
	case KvList:
		return v.compositeAsString(6)
	default:
		return ""
	}
}

// compositeAsString decodes and formats a composite, field num of AnyValue, with pdata. Composites are rare.
func (v Value) compositeAsString(num byte) string {
	kv := protobuf.AppendLen(nil, schema.ValueTag, protobuf.AppendLen(nil, num<<3|byte(protobuf.TypeLen), v.content))
	var b Builder
	b.Span(protobuf.AppendLen(nil, schema.AttributeTag, kv))
	var u ptrace.ProtoUnmarshaler
	td, err := u.UnmarshalTraces(b.Bytes())
	if err != nil {
		return "" // cannot happen after a scan
	}
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	value, _ := s.Attributes().Get("")
	return value.AsString()
}

// AttributeMap returns attributes as pdata, for display.
func AttributeMap(attributes iter.Seq2[[]byte, Value]) pcommon.Map {
	var span []byte
	for key, v := range attributes {
		kv := protobuf.AppendLen(protobuf.AppendLen(nil, schema.KeyTag, key), schema.ValueTag, v.encoded())
		span = protobuf.AppendLen(span, schema.AttributeTag, kv)
	}
	var b Builder
	b.Span(span)
	var u ptrace.ProtoUnmarshaler
	td, err := u.UnmarshalTraces(b.Bytes())
	if err != nil {
		return pcommon.NewMap() // cannot happen after a scan
	}
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes()
}

// encoded encodes the value as an AnyValue.
func (v Value) encoded() []byte {
	switch v.kind {
	case Empty:
		return nil
	case Bool, Int:
		return append([]byte{byte(v.kind)<<3 | byte(protobuf.TypeVarint)}, v.content...)
	case Double:
		return append([]byte{byte(v.kind)<<3 | byte(protobuf.TypeFixed64)}, v.content...)
	default:
		return protobuf.AppendLen(nil, byte(v.kind)<<3|byte(protobuf.TypeLen), v.content)
	}
}

// Elements iterates over the elements of an Array, in place; other kinds have none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind != Array {
			return
		}
		start, end := schema.ArrayValue.Seek(v.content, 0, 1)
		for end != 0 && yield(valueIn(v.content[start:end])) {
			start, end = schema.ArrayValue.Seek(v.content, end, 1)
		}
	}
}

// Pairs iterates over the keys and values of a KvList, in place; other kinds have none.
func (v Value) Pairs() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.kind == KvList {
			each(&schema.KeyValueList, 1, v.content, yield)
		}
	}
}
