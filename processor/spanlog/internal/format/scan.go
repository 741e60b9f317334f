package format

import (
	"encoding/binary"
	"fmt"
)

// Found is a span that was read back from a segment. Its slices are parts of the bytes that were scanned.
type Found struct {
	// At is the offset of its record, Size the record's size in bytes.
	At, Size uint32
	// Position is the span's first position, Arrived its time of arrival in Unix milliseconds.
	Position Position
	Arrived  int64
	// Copied is set if the record is a copy.
	Copied bool
	// Body, Resource and Scope are as in spanlog.Record.
	Body, Resource, Scope []byte
}

// Damage describes a damaged file, or a damaged place in one.
type Damage struct {
	Path   string
	Offset int
	Reason string
	// Lost is the number of lost spans, or an estimate.
	Lost int
	// Torn is set if the damage is a record that was being written when the process ended: it was not acknowledged.
	Torn bool
}

// String returns the place, the reason and the loss.
func (d Damage) String() string {
	return fmt.Sprintf("%s at offset %d: %s; %d spans lost", d.Path, d.Offset, d.Reason, d.Lost)
}

// Scanner reads a segment's records back and passes over damaged ones.
type Scanner struct {
	Path     string
	Bytes    Records
	Sequence uint64
	Created  int64 // Unix milliseconds
	Sealed   int   // offset at which complete records end, by the header; 0 before the first
	Whole    int   // size in bytes that the segment should have
	Damage   []Damage

	resources, scopes map[uint32]bool // offsets of intact ones
	spans             int
	budget            int // bytes that resync may still compute checksums of
}

// Scan yields the spans of a segment and returns where its intact records end.
func (s *Scanner) Scan(yield func(Found)) (used uint32) {
	s.resources, s.scopes = map[uint32]bool{}, map[uint32]bool{}
	s.budget = 64 * len(s.Bytes)
	at, end := HeaderSize, HeaderSize
	for at+RecordHeaderSize <= len(s.Bytes) {
		if next, ok := s.valid(at); ok {
			s.read(uint32(at), uint32(next), yield)
			at, end = next, next
			continue
		}
		next := s.resync(at)
		if next == 0 {
			break
		}
		lost := 0
		if k := s.Bytes.Kind(uint32(at)); k != KindResource && k != KindScope {
			lost = 1
		}
		s.Note(at, fmt.Sprintf("a record of %d bytes is damaged and was passed over", next-at), lost, false)
		at = next
	}
	s.tail(end)
	return uint32(end)
}

// tail notes damage at the end of the records.
func (s *Scanner) tail(end int) {
	switch {
	case s.Whole > len(s.Bytes) && (s.Sealed == 0 || s.Sealed > len(s.Bytes)):
		missing := s.Whole
		if s.Sealed > 0 && s.Sealed <= s.Whole {
			missing = s.Sealed
		}
		s.Note(end, fmt.Sprintf("the file is cut off: it has %d bytes of %d, and the number of lost spans is an estimate", len(s.Bytes), s.Whole),
			max(1, (missing-end)/s.spanSize(end)), false)
	case s.Sealed > end && s.Sealed <= len(s.Bytes):
		lost, next := followSpans(s.Bytes, end, s.Sealed)
		if rest := s.Sealed - next; rest > 0 {
			size := s.spanSize(end)
			lost += (rest + size - 1) / size
		}
		s.Note(end, fmt.Sprintf("the last %d bytes of its records are damaged, and the number of lost spans is an estimate", s.Sealed-end), max(1, lost), false)
	case end >= s.Sealed && end+RecordHeaderSize <= len(s.Bytes) && binary.LittleEndian.Uint32(s.Bytes[end+LengthAt:]) != 0:
		s.Note(end, "a record was being written when the process ended, and was cut", 0, true)
	}
}

// spanSize returns how many bytes a span took up to the offset where the intact records end; as a guess if there was none.
func (s *Scanner) spanSize(end int) int {
	if s.spans == 0 {
		return 500
	}
	return max(1, (end-HeaderSize)/s.spans)
}

// CountSpans estimates the number of spans between two offsets: it follows the lengths of records, which need not be intact, up to
// what no record begins with, such as zeros.
func CountSpans(b Records, at, end int) (spans int) {
	spans, _ = followSpans(b, at, end)
	return spans
}

// followSpans is CountSpans, and returns where it ended. No span is empty, and no copy shorter than its position.
func followSpans(b Records, at, end int) (spans, next int) {
	for at+RecordHeaderSize <= end {
		length := int(binary.LittleEndian.Uint32(b[at+LengthAt:]))
		switch k := b.Kind(uint32(at)); {
		case k == KindSpan && length == 0, k == KindCopied && length < CopiedSize:
			return spans, at
		case k == KindSpan, k == KindCopied:
			spans++
		}
		at += RecordHeaderSize + length
	}
	return spans, at
}

// Note adds an entry to Damage.
func (s *Scanner) Note(at int, reason string, lost int, torn bool) {
	s.Damage = append(s.Damage, Damage{Path: s.Path, Offset: at, Reason: reason, Lost: lost, Torn: torn})
}

// valid reports whether there is an intact record at an offset, and where it ends.
func (s *Scanner) valid(at int) (end int, ok bool) {
	if !s.plausible(at) {
		return 0, false
	}
	end = at + RecordHeaderSize + int(binary.LittleEndian.Uint32(s.Bytes[at+LengthAt:]))
	return end, RecordChecksum(s.Sequence, s.Bytes[at:end]) == binary.LittleEndian.Uint32(s.Bytes[at:])
}

// plausible reports whether there can be a record at an offset, judged by its header alone.
func (s *Scanner) plausible(at int) bool {
	if at+RecordHeaderSize > len(s.Bytes) {
		return false
	}
	length := uint64(binary.LittleEndian.Uint32(s.Bytes[at+LengthAt:]))
	ref := int(s.Bytes.Ref(uint32(at)))
	if uint64(at)+RecordHeaderSize+length > uint64(len(s.Bytes)) {
		return false
	}
	switch s.Bytes.Kind(uint32(at)) {
	case KindResource:
		return ref == 0
	case KindCopied:
		return length >= CopiedSize && ref >= HeaderSize && ref < at
	default:
		return ref >= HeaderSize && ref < at
	}
}

// resync returns the offset of the first intact record behind a damaged one, 0 if there is none or the search gets too
// costly.
func (s *Scanner) resync(at int) int {
	if length := int(binary.LittleEndian.Uint32(s.Bytes[at+LengthAt:])); length < len(s.Bytes) { // most likely its length is right
		if next := at + RecordHeaderSize + length; s.affordable(next) {
			if _, ok := s.valid(next); ok {
				return next
			}
		}
	}
	for next := at + 1; next+RecordHeaderSize <= len(s.Bytes); next++ {
		if s.plausible(next) {
			if !s.affordable(next) {
				return 0
			}
			if _, ok := s.valid(next); ok {
				return next
			}
		}
	}
	return 0
}

// affordable charges the budget with a checksum at an offset, and reports whether the budget allows it. It bounds the
// search, because spans come from outside and may hold bytes that look like records.
func (s *Scanner) affordable(at int) bool {
	if s.plausible(at) {
		s.budget -= RecordHeaderSize + int(binary.LittleEndian.Uint32(s.Bytes[at+LengthAt:]))
	}
	return s.budget > 0
}

// read remembers an intact resource or scope, or yields an intact span.
func (s *Scanner) read(at, end uint32, yield func(Found)) {
	switch ref := s.Bytes.Ref(at); s.Bytes.Kind(at) {
	case KindResource:
		s.resources[at] = true
	case KindScope:
		if s.resources[ref] {
			s.scopes[at] = true
		}
	default:
		s.spans++
		if !s.scopes[ref] {
			s.Note(int(at), "the resource or scope of a span is damaged", 1, false)
			return
		}
		yield(Found{
			At: at, Size: end - at, Position: s.Bytes.Position(s.Sequence, at),
			Arrived: s.Created + int64(s.Bytes.Arrived(at)), Copied: s.Bytes.Kind(at) == KindCopied,
			Body: s.Bytes.Body(at), Scope: s.Bytes.Content(ref), Resource: s.Bytes.Content(s.Bytes.Ref(ref)),
		})
	}
}
