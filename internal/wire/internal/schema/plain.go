package schema

import "github.com/slowburn/slowburn/internal/wire/protobuf"

// PlainAttribute reports whether kv is a valid KeyValue with a key and a value of a plain kind, in the layout of
// exporters.
func PlainAttribute(kv []byte) bool {
	if len(kv) < 4 || kv[1] >= 0x80 {
		return false
	}
	i := 2 + int(kv[1]) // start of the second of its two fields; see SplitPlain
	if i+2 > len(kv) || kv[i+1] >= 0x80 || i+2+int(kv[i+1]) != len(kv) {
		return false
	}
	v := kv[i+2:]
	if kv[0] == ValueTag && kv[i] == KeyTag {
		v = kv[2:i]
	} else if kv[0] != KeyTag || kv[i] != ValueTag {
		return false
	}
	if len(v) < 2 {
		return len(v) == 0
	}
	switch v[0] {
	case 1<<3 | byte(protobuf.TypeLen), 7<<3 | byte(protobuf.TypeLen):
		return 2+int(v[1]) == len(v) // the length is less than 128, as v is
	case 2<<3 | byte(protobuf.TypeVarint), 3<<3 | byte(protobuf.TypeVarint):
		return len(v) == 2 && v[1] < 0x80 || len(v) == 3 && v[1] >= 0x80 && v[2] < 0x80
	case 4<<3 | byte(protobuf.TypeFixed64):
		return len(v) == 9
	}
	return false
}

// Tags of the fields of KeyValue.
const (
	KeyTag   = KeyValueFieldKey<<3 | byte(protobuf.TypeLen)
	ValueTag = KeyValueFieldValue<<3 | byte(protobuf.TypeLen)
)

// SplitPlain returns the key and the value in kv, a KeyValue, if it consists of just these in either order (SDKs write
// the key first, the Collector the value), each shorter than 128 bytes. It is the fast path before Next.
func SplitPlain(kv []byte) (key, value []byte, ok bool) {
	if len(kv) < 4 || kv[1] >= 0x80 {
		return nil, nil, false
	}
	i := 2 + int(kv[1])
	if i+2 > len(kv) || kv[i+1] >= 0x80 || i+2+int(kv[i+1]) != len(kv) {
		return nil, nil, false
	}
	switch {
	case kv[0] == KeyTag && kv[i] == ValueTag:
		return kv[2:i:i], kv[i+2:], true
	case kv[0] == ValueTag && kv[i] == KeyTag:
		return kv[i+2:], kv[2:i:i], true
	}
	return nil, nil, false
}
