package wire

import (
	"encoding/binary"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Attribute is an attribute that slowburn adds: to a span of a Kept, or as a mark to the scopes of a trace.
type Attribute struct {
	Key   string
	value []byte // an AnyValue
}

// StringAttribute returns an attribute with a text, which must be UTF-8.
func StringAttribute(key, value string) Attribute {
	return Attribute{key, protobuf.AppendText(nil, byte(String)<<3|byte(protobuf.TypeLen), value)}
}

// StringsAttribute returns an attribute with an array of texts.
func StringsAttribute(key string, values []string) Attribute {
	var list []byte
	for _, v := range values {
		list = protobuf.AppendLen(list, 1<<3|byte(protobuf.TypeLen), protobuf.AppendText(nil, byte(String)<<3|byte(protobuf.TypeLen), v))
	}
	return Attribute{key, protobuf.AppendLen(nil, byte(Array)<<3|byte(protobuf.TypeLen), list)}
}

// IntAttribute returns an attribute with an integer.
func IntAttribute(key string, value int64) Attribute {
	return Attribute{key, binary.AppendUvarint([]byte{byte(Int)<<3 | byte(protobuf.TypeVarint)}, uint64(value))}
}

// BoolAttribute returns an attribute with a boolean.
func BoolAttribute(key string, value bool) Attribute {
	n := byte(0)
	if value {
		n = 1
	}
	return Attribute{key, []byte{byte(Bool)<<3 | byte(protobuf.TypeVarint), n}}
}

// AppendField appends the attribute as a field with this tag.
func (a Attribute) AppendField(dst []byte, tag byte) []byte {
	dst = protobuf.AppendHead(dst, tag, protobuf.LenSize(len(a.Key))+protobuf.LenSize(len(a.value)))
	dst = protobuf.AppendText(dst, schema.KeyTag, a.Key)
	return protobuf.AppendLen(dst, schema.ValueTag, a.value)
}

// Size returns the attribute's size as a field with a tag of one byte.
func (a Attribute) Size() int {
	return protobuf.LenSize(protobuf.LenSize(len(a.Key)) + protobuf.LenSize(len(a.value)))
}

// Value returns the attribute's value.
func (a Attribute) Value() Value { return valueIn(a.value) }
