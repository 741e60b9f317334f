package spanlog

import (
	"encoding/binary"
	"fmt"
)

// Found is a span that was read back from a segment. Its slices are parts of the bytes that were scanned.
type Found struct {
	// At is the offset of its record, Size that record's size.
	At, Size uint32
	// Position is the one that the span first had, Arrived when it came, in Unix milliseconds.
	Position Position
	Arrived  int64
	// Copied says that this is not the place where the span was first.
	Copied bool
	// Body, Resource and Scope are as in Record.
	Body, Resource, Scope []byte
}

// Damage is what was found wrong with a file.
type Damage struct {
	Path   string
	Offset int
	Reason string
	// Lost is how many spans are gone.
	Lost int
	// Torn says that the end of what was being written when the process ended was cut: it was not acknowledged.
	Torn bool
}

// String says what was found, and where.
func (d Damage) String() string {
	return fmt.Sprintf("%s at offset %d: %s; %d spans lost", d.Path, d.Offset, d.Reason, d.Lost)
}

// scanner reads a segment's records back and passes over damaged ones.
type scanner struct {
	path     string
	b        records
	sequence uint64
	created  int64
	sealed   int // where the records end that were complete; 0 before the first
	whole    int // size that the segment should have

	resources, scopes map[uint32]bool // intact ones
	spans             int
	damage            []Damage
	budget            int // bytes of checksums that may still be computed in search of an intact record
}

// scan yields the spans of a segment and returns where its intact records end.
func (s *scanner) scan(yield func(Found)) (used uint32) {
	s.resources, s.scopes = map[uint32]bool{}, map[uint32]bool{}
	s.budget = 64 * len(s.b)
	at, end := fileHeaderSize, fileHeaderSize
	for at+headerSize <= len(s.b) {
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
		if k := s.b.kind(uint32(at)); k != kindResource && k != kindScope {
			lost = 1
		}
		s.note(at, fmt.Sprintf("a record of %d bytes is damaged and was passed over", next-at), lost, false)
		at = next
	}
	s.tail(end)
	return uint32(end)
}

// tail says what is wrong with the end, if anything is.
func (s *scanner) tail(end int) {
	switch {
	case s.whole > len(s.b) && (s.sealed == 0 || s.sealed > len(s.b)):
		size := 500
		if s.spans > 0 {
			size = max(1, (end-fileHeaderSize)/s.spans)
		}
		missing := s.whole
		if s.sealed > 0 && s.sealed <= s.whole {
			missing = s.sealed
		}
		s.note(end, fmt.Sprintf("the file is cut off: it has %d bytes of %d, and the number of lost spans is an estimate", len(s.b), s.whole),
			max(1, (missing-end)/size), false)
	case s.sealed > end && s.sealed <= len(s.b):
		s.note(end, fmt.Sprintf("the last %d bytes of its records are damaged", s.sealed-end), max(1, s.count(end, s.sealed)), false)
	case end >= s.sealed && end+headerSize <= len(s.b) && binary.LittleEndian.Uint32(s.b[end+lengthAt:]) != 0:
		s.note(end, "a record was being written when the process ended, and was cut", 0, true)
	}
}

// count follows the lengths of records that need not be intact, and returns how many spans there seem to be.
func (s *scanner) count(at, end int) (spans int) {
	for at+headerSize <= end {
		if k := s.b.kind(uint32(at)); k == kindSpan || k == kindCopied {
			spans++
		}
		at += headerSize + int(binary.LittleEndian.Uint32(s.b[at+lengthAt:]))
	}
	return spans
}

func (s *scanner) note(at int, reason string, lost int, torn bool) {
	s.damage = append(s.damage, Damage{Path: s.path, Offset: at, Reason: reason, Lost: lost, Torn: torn})
}

// valid reports whether there is an intact record, and where it ends.
func (s *scanner) valid(at int) (end int, ok bool) {
	if !s.plausible(at) {
		return 0, false
	}
	end = at + headerSize + int(binary.LittleEndian.Uint32(s.b[at+lengthAt:]))
	return end, recordChecksum(s.sequence, s.b[at:end]) == binary.LittleEndian.Uint32(s.b[at:])
}

// plausible reports whether what is there can be a record, without looking at its payload.
func (s *scanner) plausible(at int) bool {
	if at+headerSize > len(s.b) {
		return false
	}
	length := uint64(binary.LittleEndian.Uint32(s.b[at+lengthAt:]))
	ref := int(s.b.ref(uint32(at)))
	if uint64(at)+headerSize+length > uint64(len(s.b)) {
		return false
	}
	switch s.b.kind(uint32(at)) {
	case kindResource:
		return ref == 0
	case kindCopied:
		return length >= copiedSize && ref >= fileHeaderSize && ref < at
	default:
		return ref >= fileHeaderSize && ref < at
	}
}

// resync returns where the first intact record behind a damaged one begins, 0 if there is none.
func (s *scanner) resync(at int) int {
	if length := int(binary.LittleEndian.Uint32(s.b[at+lengthAt:])); length < len(s.b) { // most likely its length is right
		if next := at + headerSize + length; s.affordable(next) {
			if _, ok := s.valid(next); ok {
				return next
			}
		}
	}
	for next := at + 1; next+headerSize <= len(s.b); next++ {
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

// affordable bounds the search: what spans hold comes from outside and may look like records.
func (s *scanner) affordable(at int) bool {
	if s.plausible(at) {
		s.budget -= headerSize + int(binary.LittleEndian.Uint32(s.b[at+lengthAt:]))
	}
	return s.budget > 0
}

// read takes an intact record.
func (s *scanner) read(at, end uint32, yield func(Found)) {
	switch ref := s.b.ref(at); s.b.kind(at) {
	case kindResource:
		s.resources[at] = true
	case kindScope:
		if s.resources[ref] {
			s.scopes[at] = true
		}
	default:
		s.spans++
		if !s.scopes[ref] {
			s.note(int(at), "the resource or scope of a span is damaged", 1, false)
			return
		}
		yield(Found{
			At: at, Size: end - at, Position: s.b.position(s.sequence, at),
			Arrived: s.created + int64(s.b.arrived(at)), Copied: s.b.kind(at) == kindCopied,
			Body: s.b.body(at), Scope: s.b.content(ref), Resource: s.b.content(s.b.ref(ref)),
		})
	}
}
