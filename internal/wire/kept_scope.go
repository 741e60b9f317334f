package wire

// markedScope is the header of a scope with marks: attributes of the scope, in place of those that it has under their keys.
func (k *Kept) markedScope(scope int32, marks []Attribute) []byte {
	header := k.Scopes[scope].Of(k.Bytes)
	if len(marks) == 0 {
		return header
	}
	var shared []byte // the InstrumentationScope, of which there may be several: they are to be merged
	rest := make([]byte, 0, len(header)+64)
	for pos := 0; pos < len(header); {
		f, err := scopeSpansMessage.next(header, pos)
		if err != nil {
			break // not after a scan
		}
		if f.num == scopeSpansFieldScope {
			shared = appendUnmarked(shared, header[f.start:f.end], marks)
		} else {
			rest = append(rest, header[pos:f.end]...)
		}
		pos = f.end
	}
	for _, m := range marks {
		shared = m.append(shared, scopeFieldAttributes<<3|byte(typeLen))
	}
	return append(appendLen(make([]byte, 0, len(shared)+len(rest)+8), scopeSpansFieldScope<<3|byte(typeLen), shared), rest...)
}

// appendUnmarked appends an InstrumentationScope without the attributes that have the keys of marks.
func appendUnmarked(dst, scope []byte, marks []Attribute) []byte {
	for pos := 0; pos < len(scope); {
		f, err := scopeMessage.next(scope, pos)
		if err != nil {
			break // not after a scan
		}
		if f.num != scopeFieldAttributes || !marked(scope[f.start:f.end], marks) {
			dst = append(dst, scope[pos:f.end]...)
		}
		pos = f.end
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
