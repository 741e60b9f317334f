package wire

import (
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// markedScope is the header of a scope with marks: attributes of the scope, in place of those that it has under their keys.
func (k *Kept) markedScope(scope int32, marks []Attribute) []byte {
	header := k.Scopes[scope].Of(k.Bytes)
	if len(marks) == 0 {
		return header
	}
	var shared []byte // the InstrumentationScope, of which there may be several: they are to be merged
	rest := make([]byte, 0, len(header)+64)
	for pos := 0; pos < len(header); {
		f, err := schema.ScopeSpans.Next(header, pos)
		if err != nil {
			break // not after a scan
		}
		if f.Num == schema.ScopeSpansFieldScope {
			shared = appendUnmarked(shared, header[f.Start:f.End], marks)
		} else {
			rest = append(rest, header[pos:f.End]...)
		}
		pos = f.End
	}
	for _, m := range marks {
		shared = m.append(shared, schema.ScopeFieldAttributes<<3|byte(protobuf.TypeLen))
	}
	return append(protobuf.AppendLen(make([]byte, 0, len(shared)+len(rest)+8), schema.ScopeSpansFieldScope<<3|byte(protobuf.TypeLen), shared), rest...)
}

// appendUnmarked appends an InstrumentationScope without the attributes that have the keys of marks.
func appendUnmarked(dst, scope []byte, marks []Attribute) []byte {
	for pos := 0; pos < len(scope); {
		f, err := schema.Scope.Next(scope, pos)
		if err != nil {
			break // not after a scan
		}
		if f.Num != schema.ScopeFieldAttributes || !marked(scope[f.Start:f.End], marks) {
			dst = append(dst, scope[pos:f.End]...)
		}
		pos = f.End
	}
	return dst
}

func marked(kv []byte, marks []Attribute) bool {
	key, _ := keyValue(kv)
	for i := range marks {
		if string(key) == marks[i].Key {
			return true
		}
	}
	return false
}
