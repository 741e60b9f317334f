package parts

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/slowburn/slowburn/internal/state"
)

const (
	tableFormat = 1

	flagBad  = 1
	flagRest = 2

	// restUnit is the part of an event in which rests are stored.
	restUnit = 1024
)

// append appends the encoded table to b. It sorts the rows.
func (t *table) append(b []byte) []byte {
	t.sort()
	b = append(b, tableFormat)
	var texts []string
	refs := make(map[string]uint64, 8)
	ref := func(s string) uint64 {
		n, ok := refs[s]
		if !ok {
			n = uint64(len(texts))
			refs[s] = n
			texts = append(texts, s)
		}
		return n
	}
	for _, r := range t.rows {
		for _, s := range r.part.texts() {
			ref(s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, s := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendUvarint(b, uint64(len(t.rows)))
	for _, r := range t.rows {
		for _, s := range r.part.texts() {
			b = binary.AppendUvarint(b, ref(s))
		}
		b = r.append(b)
	}
	return b
}

func (p Part) texts() [4]string { return [4]string{p.Service, p.Version, p.Operation, p.Reason} }

// append appends the row without its part.
func (r *row) append(b []byte) []byte {
	var flags byte
	rest := int64(math.Round(r.rest * restUnit))
	if r.bad {
		flags |= flagBad
	}
	if rest != 0 {
		flags |= flagRest
	}
	b = append(b, flags)
	if rest != 0 {
		b = binary.AppendVarint(b, rest)
	}
	first, end := 0, len(r.n)
	for first < end && r.n[first] == 0 {
		first++
	}
	for end > first && r.n[end-1] == 0 {
		end--
	}
	if first == end {
		first, end = 0, 0
	}
	counts := r.n[first:end]
	least, greatest := uint64(0), uint64(0)
	for i, n := range counts {
		if i == 0 || n < least {
			least = n
		}
		greatest = max(greatest, n)
	}
	width := bits.Len64(greatest - least)
	b = binary.AppendUvarint(b, uint64(first))
	b = binary.AppendUvarint(b, uint64(len(counts)))
	b = binary.AppendUvarint(b, least)
	b = append(b, byte(width))
	return pack(b, counts, least, width)
}

// pack appends width bits of each count above the least.
func pack(b []byte, counts []uint64, least uint64, width int) []byte {
	if width == 0 {
		return b
	}
	var word uint64
	free := 64 // bits of word
	for _, n := range counts {
		v := n - least
		word |= v << (64 - free)
		if width < free {
			free -= width
			continue
		}
		b = binary.LittleEndian.AppendUint64(b, word)
		word = 0
		if free < 64 {
			word = v >> free
		}
		free += 64 - width
	}
	var tail [8]byte
	binary.LittleEndian.PutUint64(tail[:], word)
	return append(b, tail[:(64-free+7)/8]...)
}

// unpack reads what pack appended, which is all of b.
func unpack(b []byte, counts []uint64, least uint64, width int) error {
	mask := uint64(math.MaxUint64) >> (64 - width) // 0 for no bits
	for i := range counts {
		at := i * width
		var v uint64
		if width > 0 {
			v = load(b[at/8:]) >> (at % 8)
			if at%8+width > 64 {
				v |= uint64(b[at/8+8]) << (64 - at%8)
			}
			v &= mask
		}
		n, overflow := bits.Add64(least, v, 0)
		if overflow != 0 {
			return fmt.Errorf("%w: a count of a part is too large", state.ErrCorrupt)
		}
		counts[i] = n
	}
	return nil
}

// load reads up to eight bytes.
func load(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var word [8]byte
	copy(word[:], b)
	return binary.LittleEndian.Uint64(word[:])
}
