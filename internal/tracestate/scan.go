package tracestate

// The grammar of tracestate-handling: value = list-member *( ";" list-member ), list-member = key ":" value.

func index[T text](s T, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// cut returns the parts before and after the first c, or all of s and nothing.
func cut[T text](s T, c byte) (before, after T) {
	if i := index(s, c); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, s[len(s):]
}

// trim removes optional whitespace, as W3C defines it, from both ends.
func trim[T text](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// isOT reports whether the list member is OpenTelemetry's own entry.
func isOT[T text](m T) bool {
	return hasKey(m, "ot=")
}

// hasKey reports whether a part begins with key, including its separator.
func hasKey[T text](sub T, key string) bool {
	return len(sub) >= len(key) && string(sub[:len(key)]) == key
}

// wellFormed reports whether the part of an ot entry is key ":" value, both in their allowed characters.
func wellFormed[T text](sub T) bool {
	colon := index(sub, ':')
	if colon < 1 || !isLower(sub[0]) {
		return false
	}
	for i := 1; i < colon; i++ {
		if c := sub[i]; !isLower(c) && !isDigit(c) {
			return false
		}
	}
	for i := colon + 1; i < len(sub); i++ {
		if !isValueChar(sub[i]) {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isValueChar(c byte) bool {
	return isLower(c) || isDigit(c) || c >= 'A' && c <= 'Z' || c == '.' || c == '_' || c == '-'
}
