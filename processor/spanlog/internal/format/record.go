package format

import "encoding/binary"

// RecordHeaderSize is the size of a record's header in bytes; the payload follows. docs/spanlog-format.md draws it.
const RecordHeaderSize = 20

// CopiedSize is the size of the position that precedes a copied span's body, in bytes.
const CopiedSize = 8

// Offsets in a record's header.
const (
	ChecksumAt = 0 // of everything behind prev
	PrevAt     = 4 // not covered by the checksum: recovery links the records anew
	LengthAt   = 8
	RefAt      = 12
	ArrivedAt  = 16
)

// Kind says whether a record is a span, a copied span, a resource or a scope.
type Kind uint32

// Kinds of records, and the layout of the field at RefAt: the kind above KindShift bits, the reference below.
const (
	KindCopied   Kind = 0 // a span that was copied forward
	KindResource Kind = 1
	KindScope    Kind = 2
	KindSpan     Kind = 3

	KindShift = 30
	RefMask   = 1<<KindShift - 1
)

// Position is a place in the order in which a shard's records were appended: the sequence of a segment and an offset in
// it. A record that was appended later has a higher one. A copied record keeps its first position.
type Position uint64

const positionBits = KindShift // an offset has as many bits as a reference

// PositionOf returns the position of an offset in the segment with this sequence.
func PositionOf(sequence uint64, offset uint32) Position {
	return Position(sequence<<positionBits | uint64(offset))
}

// Sequence returns the segment's sequence.
func (p Position) Sequence() uint64 { return uint64(p) >> positionBits }

// Offset returns the offset in the segment.
func (p Position) Offset() uint32 { return uint32(p & RefMask) }

// RecordChecksum returns the checksum of a whole record in the segment with this sequence.
func RecordChecksum(sequence uint64, record []byte) uint32 {
	return Checksum(sequence, record[LengthAt:])
}

// Records is a segment's bytes, its memory or a copy, with methods that read a record by its offset.
type Records []byte

// Content returns the payload of a record.
func (r Records) Content(at uint32) []byte {
	n := binary.LittleEndian.Uint32(r[at+LengthAt:])
	from, to := int(at)+RecordHeaderSize, int(at)+RecordHeaderSize+int(n)
	return r[from:to:to]
}

// Sound reports whether there is a whole record at an offset that, if checked is set, passes its checksum in the segment with
// this sequence. Bytes of a file may have changed since they were written.
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

// Holds reports whether the payload of a record equals this one. It reads no bytes outside r even if the record is damaged.
func (r Records) Holds(at uint32, payload []byte) bool {
	from := int(at) + RecordHeaderSize
	return from+len(payload) <= len(r) && int(binary.LittleEndian.Uint32(r[at+LengthAt:])) == len(payload) &&
		string(r[from:from+len(payload)]) == string(payload)
}

// Body returns the span message of a span's record, copied or not.
func (r Records) Body(at uint32) []byte {
	b := r.Content(at)
	if r.Kind(at) == KindCopied {
		return b[CopiedSize:]
	}
	return b
}

// Position returns the first position of a span in the segment with this sequence.
func (r Records) Position(sequence uint64, at uint32) Position {
	if r.Kind(at) == KindCopied {
		return Position(binary.LittleEndian.Uint64(r.Content(at)))
	}
	return PositionOf(sequence, at)
}

// Ref returns the offset of a span's scope, or of a scope's resource.
func (r Records) Ref(at uint32) uint32 { return binary.LittleEndian.Uint32(r[at+RefAt:]) & RefMask }

// Kind returns the kind of a record.
func (r Records) Kind(at uint32) Kind {
	return Kind(binary.LittleEndian.Uint32(r[at+RefAt:]) >> KindShift)
}

// Prev returns the offset of the trace's previous span in the segment, 0 in the first.
func (r Records) Prev(at uint32) uint32 { return binary.LittleEndian.Uint32(r[at+PrevAt:]) }

// Arrived returns a span's time of arrival in milliseconds after the segment was created.
func (r Records) Arrived(at uint32) int32 { return int32(binary.LittleEndian.Uint32(r[at+ArrivedAt:])) }

// SetPrev sets the offset that Prev returns.
func (r Records) SetPrev(at, prev uint32) { binary.LittleEndian.PutUint32(r[at+PrevAt:], prev) }
