package count

import (
	"strings"
	"unicode/utf8"
)

// Other stands for all values of a label that came after its limit was reached.
const Other = "__other__"

// maxLabel is the longest value of a label in bytes. What is longer is cut there: nobody reads it, and a query text used
// as a span name must not cost its length in memory.
const maxLabel = 256

// names keeps one T for each value of a label, as long as there are slots. Values with a slot of their own by right
// ("exempt") take none of those.
type names[T any] struct {
	entries map[string]*T
	free    int
}

func newNames[T any](slots int) names[T] {
	return names[T]{entries: make(map[string]*T), free: slots}
}

// get returns what is kept of a value, and nil where that is nothing yet. It allocates nothing.
func (n *names[T]) get(value []byte) *T { return n.entries[string(value)] }

// slot is a value's place in names.
type slot struct {
	label  string
	exempt bool
}

// admit finds the slot for a value that get does not know: one of its own, else that of Other. If the slot is taken, its
// T is returned; else the caller puts a T there.
func (n *names[T]) admit(value string, exempt bool) (s slot, taken *T, overflow bool) {
	if !exempt {
		value = clean(value)
	}
	if t := n.entries[value]; t != nil {
		return slot{}, t, false
	}
	if exempt || value == Other {
		return slot{value, true}, nil, false
	}
	if n.free > 0 {
		return slot{value, false}, nil, false
	}
	return slot{Other, true}, n.entries[Other], true
}

func (n *names[T]) put(s slot, t *T) {
	n.entries[s.label] = t
	if !s.exempt {
		n.free--
	}
}

func (n *names[T]) remove(s slot) {
	delete(n.entries, s.label)
	if !s.exempt {
		n.free++
	}
}

// clean makes a text fit to be the value of a label: valid UTF-8, of bounded length.
func clean(s string) string {
	if len(s) > maxLabel {
		cut := maxLabel
		for cut > maxLabel-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.Clone(strings.ToValidUTF8(s, "\uFFFD"))
}
