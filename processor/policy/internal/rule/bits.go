package rule

// ErrorBit says that the trace has a span whose status is ERROR. It is looked for whether a policy asks or not.
const ErrorBit = 0

// WordBits is how many bits of a trace a word has.
const WordBits = 64

// IsSet reports whether the bit is set.
func IsSet(bits []uint64, bit int) bool { return bits[bit>>6]&(1<<(bit&63)) != 0 }

// Set sets the bit.
func Set(bits []uint64, bit int) { bits[bit>>6] |= 1 << (bit & 63) }

// BitSet is some bits of a trace, by word.
type BitSet []uint64

// Open reports whether any of them is not set yet.
func (b BitSet) Open(bits []uint64) bool {
	for i, w := range b {
		if w&^bits[i] != 0 {
			return true
		}
	}
	return false
}

// AnyBit matches traces that have any of these bits.
type AnyBit []int

// Match implements Rule.
func (b AnyBit) Match(t *Trace) (uint64, bool) {
	for _, bit := range b {
		if IsSet(t.Bits, bit) {
			return 0, true
		}
	}
	return 0, false
}

// NoBit matches traces that do not have this bit.
type NoBit int

// Match implements Rule.
func (b NoBit) Match(t *Trace) (uint64, bool) { return 0, !IsSet(t.Bits, int(b)) }
