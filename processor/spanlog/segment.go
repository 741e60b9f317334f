package spanlog

import "encoding/binary"

// headerSize is what a record has before its payload. See the package comment for the layout.
const headerSize = 12

type kind uint32

const (
	kindResource kind = 1
	kindScope    kind = 2
	kindSpan     kind = 3

	kindShift = 30
	refMask   = 1<<kindShift - 1
)

// segment is a part of a log. Its offset 0 holds a resource, so that 0 can stand for no span.
type segment struct {
	buf      []byte
	sequence uint64 // unique in the pool; 0 in a segment that is not in use
	used     uint32 // bytes filled
	live     uint32 // bytes of span records in live runs
	liveRuns uint32
	runs     uint32 // its runs, live or not, linked by run.sibling
}

// put appends a record, for which there must be room, and returns its offset.
func (s *segment) put(k kind, ref, prev uint32, payload []byte) uint32 {
	at := s.used
	b := s.buf[at : int(at)+headerSize+len(payload)]
	binary.LittleEndian.PutUint32(b, uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[4:], uint32(k)<<kindShift|ref)
	binary.LittleEndian.PutUint32(b[8:], prev)
	copy(b[headerSize:], payload)
	s.used += uint32(len(b))
	return at
}

// room is how many bytes are left, headers included.
func (s *segment) room() int { return len(s.buf) - int(s.used) }

func (s *segment) payload(at uint32) []byte {
	n := binary.LittleEndian.Uint32(s.buf[at:])
	from, to := int(at)+headerSize, int(at)+headerSize+int(n)
	return s.buf[from:to:to]
}

func (s *segment) ref(at uint32) uint32 { return binary.LittleEndian.Uint32(s.buf[at+4:]) & refMask }
func (s *segment) kind(at uint32) kind {
	return kind(binary.LittleEndian.Uint32(s.buf[at+4:]) >> kindShift)
}
func (s *segment) prev(at uint32) uint32 { return binary.LittleEndian.Uint32(s.buf[at+8:]) }
