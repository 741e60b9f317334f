package policy

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// keys are up to 64 attributes, looked for in one walk over those of a span or resource.
type keys struct {
	list []attribute
	// first has, by the hash of a key, one more than the index in list of the first key with that hash, and next of the
	// one after it. Nearly all attributes that nobody asks for are passed over with one look at first.
	first  [256]uint8
	next   []uint8
	bits   bitSet // of all questions
	wanted bool   // by conditions, which want values
}

// group makes groups of the keys, in their order. words is how many a trace has.
func group(asked map[string]*attribute, words int) (groups []keys) {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(asked)), 64) {
		k := keys{next: make([]uint8, len(chunk)), bits: make(bitSet, words)}
		for i, key := range chunk {
			a := *asked[key]
			k.list = append(k.list, a)
			h := hash(key)
			k.next[i], k.first[h] = k.first[h], uint8(i+1)
			k.wanted = k.wanted || a.value != noValue
			for _, q := range a.questions {
				set(k.bits, q.bit)
			}
		}
		groups = append(groups, k)
	}
	return groups
}

// hash tells keys apart by their length and last letter: keys have prefixes in common.
func hash[T string | []byte](key T) uint8 {
	if len(key) == 0 {
		return 0
	}
	return uint8(len(key))*7 + key[len(key)-1]
}

// index returns where in list a key is, or a negative number.
func (k *keys) index(key []byte) int {
	i := int(k.first[hash(key)]) - 1
	for i >= 0 && k.list[i].key != string(key) {
		i = int(k.next[i]) - 1
	}
	return i
}

// walk looks for the keys in a span, gives their values to the questions and, if c is not nil, to the conditions.
func (k *keys) walk(bits []uint64, span []byte, c *spanContext) {
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
		if c != nil && a.value != noValue {
			c.values[a.value] = v
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

// answer asks of a value what is not answered yet.
func (a *attribute) answer(bits []uint64, v wire.Value) {
	for i := range a.questions {
		if q := &a.questions[i]; !isSet(bits, q.bit) && q.predicate.holds(v) {
			set(bits, q.bit)
		}
	}
}

// bitSet are bits of a trace, by word.
type bitSet []uint64

// open reports whether any of them is not set yet.
func (b bitSet) open(bits []uint64) bool {
	for i, w := range b {
		if w&^bits[i] != 0 {
			return true
		}
	}
	return false
}
