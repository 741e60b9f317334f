package wire

// AppendResourceHeader appends the body of a ResourceSpans without its scope_spans, the rest verbatim: resource, schema
// URL and fields that this version does not know. The result is the body of a ResourceSpans too.
func AppendResourceHeader(dst, resourceSpans []byte) []byte {
	return appendHeader(dst, &resourceSpansMessage, resourceSpans)
}

// AppendScopeHeader appends the body of a ScopeSpans without its spans, the rest verbatim.
func AppendScopeHeader(dst, scopeSpans []byte) []byte {
	return appendHeader(dst, &scopeSpansMessage, scopeSpans)
}

// appendHeader leaves out the repeated field 2, which both messages have, and its deprecated form.
func appendHeader(dst []byte, m *message, b []byte) []byte {
	for pos := 0; pos < len(b); {
		f, err := m.next(b, pos)
		if err != nil {
			break // not after a scan
		}
		if f.num != 2 && f.num != deprecatedScopeSpans {
			dst = append(dst, b[pos:f.end]...)
		}
		pos = f.end
	}
	return dst
}
