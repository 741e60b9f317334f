package rule

// ErrorBit is set if the trace has a span with status ERROR, whether a policy asks for it or not.
const ErrorBit = 0

// WordBits is the number of bits in a word.
const WordBits = 64

// IsSet reports whether the bit is set.
func IsSet(bits []uint64, bit int) bool { return bits[bit>>6]&(1<<(bit&63)) != 0 }

// Set sets the bit.
func Set(bits []uint64, bit int) { bits[bit>>6] |= 1 << (bit & 63) }

// BitSet is a set of a trace's bits, by word.
type BitSet []uint64

// Open reports whether any of them is not set in bits.
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
