package version

import (
	"slices"
	"unsafe"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Generation is the index of a trace's version among those in use in its shard.
type Generation uint8

// MaxInUse is the largest number of versions in use at once in a shard.
const MaxInUse = 1 << 8

// InUse holds the versions of a shard's undecided and revivable traces, and the policies' bits of these traces. New traces
// get the current version; any other is released with its last trace.
type InUse struct {
	list    []usedVersion
	current Generation
}

// usedVersion is a version in use. It is empty if its place is free.
type usedVersion struct {
	version *Version
	bits    bitTable
	traces  int
}

// NewInUse returns an InUse with a current version.
func NewInUse(v *Version) InUse {
	return InUse{list: []usedVersion{{version: v, bits: bitTable{words: v.Words}}}}
}

// Current returns the version that new traces get.
func (u *InUse) Current() *Version { return u.list[u.current].version }

// Of returns the version of a trace between Begin and End.
func (u *InUse) Of(g Generation) *Version { return u.list[g].version }

// Bits returns the policies' bits of a trace between Begin and End: the set's, then the shadow's.
func (u *InUse) Bits(g Generation, n index.Slot) []uint64 { return u.list[g].bits.at(n) }

// Begin gives a new trace the current version, with no bit set.
func (u *InUse) Begin(n index.Slot) Generation {
	current := &u.list[u.current]
	current.traces++
	current.bits.reset(n)
	return u.current
}

// End removes the trace in this slot from its version.
func (u *InUse) End(g Generation, n index.Slot) {
	ended := &u.list[g]
	ended.bits.release(n)
	if ended.traces--; ended.traces == 0 && g != u.current {
		*ended = usedVersion{}
	}
}

// Full reports whether there is no room for another version.
func (u *InUse) Full() bool { return len(u.list) == MaxInUse && u.free() < 0 }

func (u *InUse) free() int {
	return slices.IndexFunc(u.list, func(used usedVersion) bool { return used.version == nil })
}

// Swap makes v the current version. There must be room for it.
func (u *InUse) Swap(v *Version) {
	at := u.free()
	if at < 0 {
		at = len(u.list)
		u.list = append(u.list, usedVersion{})
	}
	u.list[at] = usedVersion{version: v, bits: bitTable{words: v.Words}}
	if before := &u.list[u.current]; before.traces == 0 {
		*before = usedVersion{}
	}
	u.current = Generation(at)
}

// Len is how many versions are in use.
func (u *InUse) Len() (n int) {
	for i := range u.list {
		if u.list[i].version != nil {
			n++
		}
	}
	return n
}

// Bytes is how much memory the bits take.
func (u *InUse) Bytes() (n int) {
	for i := range u.list {
		n += u.list[i].bits.bytes()
	}
	return n
}

// bitTable holds the policies' bits of traces, by slot, in chunks that the garbage collector does not scan. A chunk
// without traces is freed, except for one that is kept for reuse.
type bitTable struct {
	words  int
	made   int // chunks, the spare one included
	chunks []bitChunk
	spare  []uint64
}

// bitChunk holds the bits of bitChunkLen slots; nil if none is in use.
type bitChunk struct {
	bits   []uint64
	traces int
}

const bitChunkLen = 64 // slots

func (t *bitTable) at(n index.Slot) []uint64 {
	from := int(n%bitChunkLen) * t.words
	return t.chunks[n/bitChunkLen].bits[from : from+t.words : from+t.words]
}

// reset clears the bits of a new trace, allocating their chunk if needed.
func (t *bitTable) reset(n index.Slot) {
	i := int(n / bitChunkLen)
	for i >= len(t.chunks) {
		t.chunks = append(t.chunks, bitChunk{})
	}
	c := &t.chunks[i]
	if c.bits == nil {
		if c.bits, t.spare = t.spare, nil; c.bits == nil {
			c.bits = make([]uint64, bitChunkLen*t.words)
			t.made++
		}
	}
	c.traces++
	clear(t.at(n))
}

// release releases the bits of a trace, and its chunk with the chunk's last trace.
func (t *bitTable) release(n index.Slot) {
	c := &t.chunks[n/bitChunkLen]
	if c.traces--; c.traces > 0 {
		return
	}
	if t.spare != nil {
		t.made--
	}
	t.spare, c.bits = c.bits, nil
}

func (t *bitTable) bytes() int {
	return t.made*bitChunkLen*t.words*8 + cap(t.chunks)*int(unsafe.Sizeof(bitChunk{}))
}
