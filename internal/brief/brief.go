// Package brief shortens foreign text before it is repeated: Text cuts a text, and appends the number of bytes cut; Core cuts
// what is logged. A client that sends 15 MB as an attribute, a name or a parameter must not make a log line, or an answer, of
// 15 MB.
//
// It has no state and no locks.
package brief

import (
	"strconv"
	"unicode/utf8"
)

// Limits of a text in bytes, without the note about what was cut.
const (
	// Answer limits the text of an answer to a client: gRPC sends it in a header, which proxies limit to a few KiB.
	Answer = 1 << 10
	// Field limits a message, or a field, of a log line.
	Field = 4 << 10
)

// Text cuts a text to limit bytes, at a whole character, and appends the number of bytes cut. A shorter text stays as it is.
func Text(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := max(limit, 0)
	for n := 0; n < utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]); n++ {
		end--
	}
	return text[:end] + "… (" + strconv.Itoa(len(text)-end) + " bytes more)"
}
