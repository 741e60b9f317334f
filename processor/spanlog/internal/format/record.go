package format

import "encoding/binary"

// RecordHeaderSize is what a record has before its payload. docs/spanlog-format.md draws it.
const RecordHeaderSize = 20

// CopiedSize is what a copied span has before its body: the position that it first had.
const CopiedSize = 8

// Offsets in a record's header.
const (
	ChecksumAt = 0 // of all that follows prev
	PrevAt     = 4 // not covered by the checksum: recovery finds it out anew
	LengthAt   = 8
	RefAt      = 12
	ArrivedAt  = 16
)

// Kind is what a record holds.
type Kind uint32

// The kinds of records, and the part of the field at RefAt that is not the kind.
const (
	KindCopied   Kind = 0 // a span that was copied forward
	KindResource Kind = 1
	KindScope    Kind = 2
	KindSpan     Kind = 3

	KindShift = 30
	RefMask   = 1<<KindShift - 1
)

// Position is a place in the order in which a shard's records were appended: the sequence of a segment and an offset in
// it. What was appended later has a higher one. A record that is copied forward keeps the position that it first had.
type Position uint64

const positionBits = KindShift // an offset fits into as many bits as a reference has

// PositionOf is the position of an offset in the segment with this sequence.
func PositionOf(sequence uint64, offset uint32) Position {
	return Position(sequence<<positionBits | uint64(offset))
}

// Sequence is that of the segment.
func (p Position) Sequence() uint64 { return uint64(p) >> positionBits }

// Offset is that in the segment.
func (p Position) Offset() uint32 { return uint32(p & RefMask) }

// RecordChecksum is the checksum of a record, given whole, in the segment with this sequence.
func RecordChecksum(sequence uint64, record []byte) uint32 {
	return Checksum(sequence, record[LengthAt:])
}

// Records reads the records in a segment's bytes, which may be those of its memory or a copy.
type Records []byte

// Content is the payload of a record.
func (r Records) Content(at uint32) []byte {
	n := binary.LittleEndian.Uint32(r[at+LengthAt:])
	from, to := int(at)+RecordHeaderSize, int(at)+RecordHeaderSize+int(n)
	return r[from:to:to]
}

// Sound reports whether there is a record at an offset, whole and, where records carry checksums, as it was written in the segment with
// this sequence. Bytes of a file may have changed since.
func (r Records) Sound(at uint32, sequence uint64, checked bool) bool {
	if at < HeaderSize || int(at)+RecordHeaderSize > len(r) {
		return false
	}
	n := int(binary.LittleEndian.Uint32(r[at+LengthAt:]))
	end := int(at) + RecordHeaderSize + n
	if end > len(r) || r.Kind(at) == KindCopied && n < CopiedSize {
		return false
	}
	return !checked || RecordChecksum(sequence, r[at:end]) == binary.LittleEndian.Uint32(r[at+ChecksumAt:])
}

// Holds reports whether the payload of a record is this one, whatever its bytes are.
func (r Records) Holds(at uint32, payload []byte) bool {
	from := int(at) + RecordHeaderSize
	return from+len(payload) <= len(r) && int(binary.LittleEndian.Uint32(r[at+LengthAt:])) == len(payload) &&
		string(r[from:from+len(payload)]) == string(payload)
}

// Body is the payload of a span, whether it was copied or not.
func (r Records) Body(at uint32) []byte {
	b := r.Content(at)
	if r.Kind(at) == KindCopied {
		return b[CopiedSize:]
	}
	return b
}

// Position is the one that a span in the segment with this sequence first had.
func (r Records) Position(sequence uint64, at uint32) Position {
	if r.Kind(at) == KindCopied {
		return Position(binary.LittleEndian.Uint64(r.Content(at)))
	}
	return PositionOf(sequence, at)
}

// Ref is the offset of a span's scope, or of a scope's resource.
func (r Records) Ref(at uint32) uint32 { return binary.LittleEndian.Uint32(r[at+RefAt:]) & RefMask }

// Kind is what the record holds.
func (r Records) Kind(at uint32) Kind {
	return Kind(binary.LittleEndian.Uint32(r[at+RefAt:]) >> KindShift)
}

// Prev is the offset of the span before it of the same trace, 0 at the first.
func (r Records) Prev(at uint32) uint32 { return binary.LittleEndian.Uint32(r[at+PrevAt:]) }

// Arrived is when a span arrived, in milliseconds after the segment was begun.
func (r Records) Arrived(at uint32) int32 { return int32(binary.LittleEndian.Uint32(r[at+ArrivedAt:])) }

// SetPrev says which span is the one before it of the same trace.
func (r Records) SetPrev(at, prev uint32) { binary.LittleEndian.PutUint32(r[at+PrevAt:], prev) }
