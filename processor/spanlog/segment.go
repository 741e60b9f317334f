package spanlog

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"sync/atomic"
	"unsafe"
)

// headerSize is what a record has before its payload. docs/spanlog-format.md draws it.
const headerSize = 20

// copiedSize is what a copied span has before its body: the position that it first had.
const copiedSize = 8

// Offsets in a record's header.
const (
	checksumAt = 0 // of all that follows prev
	prevAt     = 4 // not covered by the checksum: recovery finds it out anew
	lengthAt   = 8
	refAt      = 12
	arrivedAt  = 16
)

type kind uint32

const (
	kindCopied   kind = 0 // a span that was copied forward
	kindResource kind = 1
	kindScope    kind = 2
	kindSpan     kind = 3

	kindShift = 30
	refMask   = 1<<kindShift - 1
)

// segment is a part of a log. Its records begin after a header, so that the offset 0 can stand for none.
type segment struct {
	mem        chunk
	cold       *cold  // where its bytes are, if not in mem
	created    int64  // Unix milliseconds, which times of arrival count from
	sequence   uint64 // unique in the pool; 0 in a segment that is not in use
	used       uint32 // bytes filled
	live       uint32 // bytes of span records in live runs
	liveRuns   uint32
	runs       uint32 // its runs, live or not, linked by run.sibling
	alone      bool   // made for one run, of a size of its own
	busy       bool   // being packed, without the shard's mutex
	superseded bool   // its records are in another segment now
	dead       bool   // abandoned while it was busy
	checked    bool   // its records carry checksums

	shrinkable     bool // full, and in memory as it was written
	incompressible bool
}

// begin makes an empty segment of memory from the pool.
func (s *segment) begin(h *fileHeader, mem chunk) {
	*s = segment{mem: mem, created: h.created, sequence: h.sequence, used: fileHeaderSize, checked: mem.onDisk()}
	if s.checked {
		setMagic(mem.buf, magicFree)
		h.put(mem.buf)
		binary.LittleEndian.PutUint32(mem.buf[fileHeaderSize+lengthAt:], 0) // no record follows yet
		setMagic(mem.buf, magicSegment)
	}
}

// put appends a record, for which there must be room, and returns its offset. A copied span's payload is a position and
// its body; prefix is nil for all others.
func (s *segment) put(k kind, ref, prev uint32, arrived int32, prefix, payload []byte) uint32 {
	at := s.used
	size := headerSize + len(prefix) + len(payload)
	b := s.mem.buf[at : int(at)+size]
	binary.LittleEndian.PutUint32(b[prevAt:], prev)
	binary.LittleEndian.PutUint32(b[lengthAt:], uint32(size-headerSize))
	binary.LittleEndian.PutUint32(b[refAt:], uint32(k)<<kindShift|ref)
	binary.LittleEndian.PutUint32(b[arrivedAt:], uint32(arrived))
	copy(b[headerSize:], prefix)
	copy(b[headerSize+len(prefix):], payload)
	if s.checked {
		binary.LittleEndian.PutUint32(b, recordChecksum(s.sequence, b))
		if next := s.mem.buf[int(at)+size:]; len(next) >= headerSize {
			binary.LittleEndian.PutUint32(next[lengthAt:], 0) // a clean end, not a torn tail
		}
	}
	s.used += uint32(size)
	s.commit()
	return at
}

// recordChecksum is that of a record, given whole. It begins with the segment's sequence, so that what a former use of
// the file left behind is no record of this one.
func recordChecksum(sequence uint64, record []byte) uint32 {
	return checksumFrom(sequence, record[lengthAt:])
}

// checksumFrom is the checksum of bytes in the file with this sequence.
func checksumFrom(sequence uint64, b []byte) uint32 {
	return crc32.Update(uint32(sequence)^uint32(sequence>>32), castagnoli, b)
}

// room is how many bytes are left, headers included.
func (s *segment) room() int { return len(s.mem.buf) - int(s.used) }

// since is a time, Unix milliseconds, as records have it.
func (s *segment) since(at int64) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, at-s.created)))
}

// records reads the records in a segment's bytes, which may be those of its memory or a copy.
type records []byte

func (r records) content(at uint32) []byte {
	n := binary.LittleEndian.Uint32(r[at+lengthAt:])
	from, to := int(at)+headerSize, int(at)+headerSize+int(n)
	return r[from:to:to]
}

// body is the payload of a span, whether it was copied or not.
func (r records) body(at uint32) []byte {
	b := r.content(at)
	if r.kind(at) == kindCopied {
		return b[copiedSize:]
	}
	return b
}

// position is the one that a span in the segment with this sequence first had.
func (r records) position(sequence uint64, at uint32) Position {
	if r.kind(at) == kindCopied {
		return Position(binary.LittleEndian.Uint64(r.content(at)))
	}
	return positionOf(sequence, at)
}

func (r records) ref(at uint32) uint32 { return binary.LittleEndian.Uint32(r[at+refAt:]) & refMask }
func (r records) kind(at uint32) kind {
	return kind(binary.LittleEndian.Uint32(r[at+refAt:]) >> kindShift)
}
func (r records) prev(at uint32) uint32   { return binary.LittleEndian.Uint32(r[at+prevAt:]) }
func (r records) arrived(at uint32) int32 { return int32(binary.LittleEndian.Uint32(r[at+arrivedAt:])) }

// commit says how far the records go, so that damage can be told from a record that was being written.
func (s *segment) commit() {
	if s.checked {
		atomic.StoreUint32((*uint32)(unsafe.Pointer(&s.mem.buf[headerUsedAt])), toLittleEndian(s.used))
	}
}

func toLittleEndian(n uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], n)
	return binary.NativeEndian.Uint32(b[:])
}
