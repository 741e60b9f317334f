package wire

import (
	"encoding/base64"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ValueKind says what a Value holds.
type ValueKind uint8

// The kinds of values, as OTLP has them.
const (
	Empty ValueKind = iota
	String
	Bool
	Int
	Double
	Array
	KvList
	Bytes
)

// String returns the kind's name.
func (k ValueKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "ValueKind(" + strconv.Itoa(int(k)) + ")"
}

var kindNames = [...]string{"Empty", "String", "Bool", "Int", "Double", "Array", "KvList", "Bytes"}

// Value is an attribute's value, read in place: it shares the bytes that it was found in. The zero Value is empty.
type Value struct {
	kind  ValueKind
	num   uint64
	bytes []byte
}

// Kind says what the value holds.
func (v Value) Kind() ValueKind { return v.kind }

// Bytes returns the content of a String or Bytes, and the protobuf message of an Array or KvList, in place; else nil.
func (v Value) Bytes() []byte { return v.bytes }

// Bool returns the content of a Bool, else false.
func (v Value) Bool() bool { return v.kind == Bool && v.num != 0 }

// Int returns the content of an Int, else 0.
func (v Value) Int() int64 {
	if v.kind != Int {
		return 0
	}
	return int64(v.num)
}

// Double returns the content of a Double, else 0.
func (v Value) Double() float64 {
	if v.kind != Double {
		return 0
	}
	return math.Float64frombits(v.num)
}

// merge reads the body of an AnyValue into v. Its last field wins, and none leaves v as it is.
func (v *Value) merge(b []byte) {
	for pos := 0; pos < len(b); {
		f, err := anyValueMessage.next(b, pos)
		if err != nil {
			return
		}
		content := b[f.start:f.end:f.end]
		switch f.num {
		case 1:
			*v = Value{kind: String, bytes: content}
		case 2:
			*v = Value{kind: Bool, num: f.value}
		case 3:
			*v = Value{kind: Int, num: f.value}
		case 4:
			*v = Value{kind: Double, num: f.value}
		case 5:
			*v = Value{kind: Array, bytes: content}
		case 6:
			*v = Value{kind: KvList, bytes: content}
		case 7:
			*v = Value{kind: Bytes, bytes: content}
		case 8:
			*v = Value{} // an index into the dictionary of a profile; in traces pdata takes it for empty
		}
		pos = f.end
	}
}

// AsString returns what pcommon.Value.AsString would: text as it is, numbers in decimal, bytes in base64, arrays and
// maps as JSON.
func (v Value) AsString() string {
	switch v.kind {
	case String:
		return string(v.bytes)
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Int:
		return strconv.FormatInt(int64(v.num), 10)
	case Double:
		return pcommon.NewValueDouble(v.Double()).AsString()
	case Bytes:
		return base64.StdEncoding.EncodeToString(v.bytes)
	case Array:
		return v.compositeAsString(5)
	case KvList:
		return v.compositeAsString(6)
	default:
		return ""
	}
}

// compositeAsString lets pdata decode and format a composite, which is field num of AnyValue. Composites are rare.
func (v Value) compositeAsString(num byte) string {
	kv := appendLen(nil, 2<<3|byte(typeLen), appendLen(nil, num<<3|byte(typeLen), v.bytes))
	var b Builder
	b.Span(appendLen(nil, 9<<3|byte(typeLen), kv))
	var u ptrace.ProtoUnmarshaler
	td, err := u.UnmarshalTraces(b.Bytes())
	if err != nil {
		return "" // not after a scan
	}
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	value, _ := s.Attributes().Get("")
	return value.AsString()
}
