package wire

import "encoding/binary"

// Attribute is one that slowburn adds: to a span of a Kept, or as a mark to the scopes of a trace.
type Attribute struct {
	Key   string
	value []byte // an AnyValue
}

// StringAttribute is an attribute with a text, which must be UTF-8.
func StringAttribute(key, value string) Attribute {
	return Attribute{key, appendText(nil, byte(String)<<3|byte(typeLen), value)}
}

// StringsAttribute is an attribute with an array of texts.
func StringsAttribute(key string, values []string) Attribute {
	var list []byte
	for _, v := range values {
		list = appendLen(list, 1<<3|byte(typeLen), appendText(nil, byte(String)<<3|byte(typeLen), v))
	}
	return Attribute{key, appendLen(nil, byte(Array)<<3|byte(typeLen), list)}
}

// IntAttribute is an attribute with an integer.
func IntAttribute(key string, value int64) Attribute {
	return Attribute{key, binary.AppendUvarint([]byte{byte(Int)<<3 | byte(typeVarint)}, uint64(value))}
}

// BoolAttribute is an attribute that is true or false.
func BoolAttribute(key string, value bool) Attribute {
	n := byte(0)
	if value {
		n = 1
	}
	return Attribute{key, []byte{byte(Bool)<<3 | byte(typeVarint), n}}
}

// append appends the attribute as a field with this tag.
func (a Attribute) append(dst []byte, tag byte) []byte {
	dst = appendHead(dst, tag, lenSize(len(a.Key))+lenSize(len(a.value)))
	dst = appendText(dst, keyTag, a.Key)
	return appendLen(dst, valueTag, a.value)
}

func appendText(dst []byte, tag byte, text string) []byte {
	return append(appendHead(dst, tag, len(text)), text...)
}
