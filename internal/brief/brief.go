// Package brief keeps short what strangers wrote, where it is repeated to somebody: Text cuts a text, and says how much was
// cut; Core cuts what is logged. A client that sends 15 MB as an attribute, a name or a parameter must not make a log line, or
// an answer, of 15 MB.
//
// It has no state and no locks.
package brief

import (
	"strconv"
	"unicode/utf8"
)

// Most bytes of a text, before what says how much was cut.
const (
	// Answer is for the words of an answer to a client: over gRPC they travel in a header, which proxies limit to some KiB.
	Answer = 1 << 10
	// Field is for a message, or a field, of a log line.
	Field = 4 << 10
)

// Text cuts a text to limit bytes, at a whole character, and appends how many bytes were cut. Shorter texts stay as they are.
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
