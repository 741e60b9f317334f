package count

import (
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/slowburn/slowburn/slo/sli/internal/count/lookup"
)

// Other stands for all values of a label that came after its limit was reached.
const Other = "__other__"

// maxLabel is the longest value of a label in bytes. Longer values are cut off: nobody reads them, and a query text used as a span
// name must not cost its length in memory.
const maxLabel = 256

// names keeps one T for each value of a label, as long as there are slots. Values with a slot of their own by right
// ("exempt") take none of those. It is a part of a table, which all names of a kind share: the seed tells them apart.
type names[T any] struct {
	table *lookup.Table[T]
	seed  uint64
	free  int
	len   int
	// full says that nothing is free, to those who hold no lock.
	full atomic.Bool
	// crowded is the tree's: while it is set no value gets a slot.
	crowded *atomic.Bool
}

func (n *names[T]) init(t *lookup.Table[T], slots int, crowded *atomic.Bool) {
	n.table, n.seed, n.free, n.crowded = t, lookup.NewSeed(), slots, crowded
	n.full.Store(slots <= 0)
}

// get returns what is kept of a value, and nil where that is nothing yet. It allocates nothing, and takes no lock.
func (n *names[T]) get(value []byte) *T {
	if c := n.table.Find(lookup.KeyOf(value, n.seed)); c != nil {
		return c.Value
	}
	return nil
}

// beyond is get for a value that get did not find: it returns the T that the value is counted in if that is sure without
// the lock, which is that of Other, over its limit. It returns nil where the caller has to take the lock to find out.
func (n *names[T]) beyond(value []byte, exempt bool) (t *T, overflow bool) {
	if exempt || !n.full.Load() && !n.crowded.Load() || !isClean(value) {
		return nil, false
	}
	if t := n.get(value); t != nil { // it took the last slot since get
		return t, false
	}
	t = n.get([]byte(Other))
	return t, t != nil
}

// slot is a value's place in names.
type slot struct {
	label  string
	exempt bool
}

// admit finds the slot for a value that get does not know: one of its own, else that of Other. If the slot is taken, its
// T is returned; else the caller puts a T there.
func (n *names[T]) admit(value string, exempt bool) (s slot, taken *T, overflow bool) {
	if t := n.get([]byte(value)); t != nil { // since the caller looked
		return slot{}, t, false
	}
	if !exempt {
		value = clean(value)
	}
	if t := n.get([]byte(value)); t != nil {
		return slot{}, t, false
	}
	if exempt || value == Other {
		return slot{value, true}, nil, false
	}
	if n.free > 0 && !n.crowded.Load() {
		return slot{value, false}, nil, false
	}
	return slot{Other, true}, n.get([]byte(Other)), true
}

func (n *names[T]) put(s slot, t *T) {
	n.table.Insert(lookup.KeyOf([]byte(s.label), n.seed), t, 0, 0)
	n.took(s)
}

// took notes that a slot was put into the table.
func (n *names[T]) took(s slot) {
	n.len++
	if !s.exempt {
		n.free--
		n.full.Store(n.free <= 0)
	}
}

func (n *names[T]) remove(s slot) {
	n.table.Remove(lookup.KeyOf([]byte(s.label), n.seed))
	n.len--
	if !s.exempt {
		n.free++
		n.full.Store(n.free <= 0)
	}
}

func isClean(value []byte) bool { return len(value) <= maxLabel && utf8.Valid(value) }

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
