package ask

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Predicate is a question about the value of an attribute.
type Predicate interface{ Holds(v wire.Value) bool }

// attribute is a key that policies ask about.
type attribute struct {
	key       string
	questions []question
	value     int // index of its value for conditions; noValue if none reads it
}

const noValue = -1

// question has a bit that is set once its predicate has held.
type question struct {
	bit       int
	predicate Predicate
}

// keys are up to 64 attributes that one walk over a span's or resource's attributes looks for.
type keys struct {
	list []attribute
	// first[h] is one more than the index in list of the first key with hash h; next links it to the others. Nearly all
	// attributes that no policy reads are skipped by one look at first.
	first  [256]uint8
	next   []uint8
	bits   rule.BitSet // of all questions
	wanted bool        // conditions read some of the values
}

// group divides the keys into groups, in their order. words is the number of words of a trace.
func group(asked map[string]*attribute, words int) (groups []keys) {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(asked)), 64) {
		k := keys{next: make([]uint8, len(chunk)), bits: make(rule.BitSet, words)}
		for i, key := range chunk {
			a := *asked[key]
			k.list = append(k.list, a)
			h := hash(key)
			k.next[i], k.first[h] = k.first[h], uint8(i+1)
			k.wanted = k.wanted || a.value != noValue
			for _, q := range a.questions {
				rule.Set(k.bits, q.bit)
			}
		}
		groups = append(groups, k)
	}
	return groups
}

// hash hashes a key's length and last letter, since keys have prefixes in common.
func hash[T string | []byte](key T) uint8 {
	if len(key) == 0 {
		return 0
	}
	return uint8(len(key))*7 + key[len(key)-1]
}

// index returns the index of a key in list, or a negative number.
func (k *keys) index(key []byte) int {
	i := int(k.first[hash(key)]) - 1
	for i >= 0 && k.list[i].key != string(key) {
		i = int(k.next[i]) - 1
	}
	return i
}

// walk looks for the keys in a span and answers their questions. It also stores their values in values, unless that
// is nil.
func (k *keys) walk(bits []uint64, span []byte, values []wire.Value) {
	var seen uint64
	left := len(k.list)
	walk := wire.WalkAttributes(span)
	for left > 0 {
		key, ok := walk.Next()
		if !ok {
			return
		}
		i := k.index(key)
		if i < 0 || seen&(1<<i) != 0 { // the first occurrence counts
			continue
		}
		seen |= 1 << i
		left--
		a, v := &k.list[i], walk.Value()
		a.answer(bits, v)
		if values != nil && a.value != noValue {
			values[a.value] = v
		}
	}
}

// walkResource looks for the keys in a resource.
func (k *keys) walkResource(bits []uint64, resource []byte) {
	var seen uint64
	for key, v := range wire.ResourceAttributes(resource) {
		if i := k.index(key); i >= 0 && seen&(1<<i) == 0 {
			seen |= 1 << i
			k.list[i].answer(bits, v)
		}
	}
}

// answer evaluates the unanswered questions about a value.
func (a *attribute) answer(bits []uint64, v wire.Value) {
	for i := range a.questions {
		if q := &a.questions[i]; !rule.IsSet(bits, q.bit) && q.predicate.Holds(v) {
			rule.Set(bits, q.bit)
		}
	}
}
