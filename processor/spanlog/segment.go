package spanlog

import (
	"encoding/binary"
	"math"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// segment is a part of a log. Its records begin after a header, so that offset 0 means none.
type segment struct {
	mem        mapped.Memory
	cold       *cold.Segment // holds its bytes if mem does not
	created    int64         // Unix milliseconds; times of arrival are relative to it
	sequence   uint64        // unique in the pool; 0 in a segment that is not in use
	used       uint32        // bytes filled
	live       uint32        // bytes of span records in live runs
	liveRuns   uint32
	runs       uint32 // its runs, live or not, linked by run.sibling
	alone      bool   // not of the usual size: for one run, or wide
	busy       bool   // being shrunk, without the shard's mutex
	superseded bool   // some of its records were copied to another segment
	dead       bool   // lost its last live run while it was busy
	checked    bool   // its records carry checksums
	slots      uint16 // slots of facts that are filled

	shrinkable     bool // sealed, and in memory as it was written
	incompressible bool // shrinking it failed, or saved too little
}

// begin writes the header of an empty segment into memory from the pool.
func (s *segment) begin(h *format.Header, mem mapped.Memory) {
	*s = segment{mem: mem, created: h.Created, sequence: h.Sequence, used: format.HeaderSize, checked: mem.OnDisk()}
	if s.checked {
		failpoint.Before(failpoint.SpanlogBegin)
		format.SetMagic(mem.Buf, format.MagicFree)
		h.Put(mem.Buf)
		binary.LittleEndian.PutUint32(mem.Buf[format.HeaderSize+format.LengthAt:], 0) // no record follows yet
		format.SetMagic(mem.Buf, format.MagicSegment)
		failpoint.After(failpoint.SpanlogBegin)
	}
}

// beginAnew is begin for a segment whose runs are all released. It returns an error if the disk fails under it.
func (s *segment) beginAnew(h *format.Header) (err error) {
	defer Guard(&err)()
	s.begin(h, s.mem)
	return nil
}

// put appends a record, for which there must be room, and returns its offset. Its payload is prefix and then payload: for a
// copied span its position and its body. For all others prefix is nil.
func (s *segment) put(k format.Kind, ref, prev uint32, arrived int32, prefix, payload []byte) uint32 {
	at := s.used
	size := format.RecordHeaderSize + len(prefix) + len(payload)
	b := s.mem.Buf[at : int(at)+size]
	failpoint.Before(failpoint.SpanlogAppend)
	binary.LittleEndian.PutUint32(b[format.PrevAt:], prev)
	binary.LittleEndian.PutUint32(b[format.LengthAt:], uint32(size-format.RecordHeaderSize))
	binary.LittleEndian.PutUint32(b[format.RefAt:], uint32(k)<<format.KindShift|ref)
	binary.LittleEndian.PutUint32(b[format.ArrivedAt:], uint32(arrived))
	copy(b[format.RecordHeaderSize:], prefix)
	copy(b[format.RecordHeaderSize+len(prefix):], payload)
	if s.checked {
		binary.LittleEndian.PutUint32(b, format.RecordChecksum(s.sequence, b))
		if next := s.mem.Buf[int(at)+size:]; len(next) >= format.RecordHeaderSize {
			binary.LittleEndian.PutUint32(next[format.LengthAt:], 0) // a clean end, not a torn tail
		}
	}
	failpoint.After(failpoint.SpanlogAppend)
	s.used += uint32(size)
	s.commit()
	return at
}

// room returns how many bytes are left for records and their headers, and for facts. The facts keep clear of the zero length that
// follows the last record.
func (s *segment) room() int {
	room := len(s.mem.Buf) - int(s.used)
	if s.slots > 0 {
		room -= int(s.slots)*format.FactSize + format.RecordHeaderSize
	}
	return room
}

// factRoom is the room in bytes that a fact takes at most: its slot, its origin's, and what keeps them clear of the records.
const factRoom = 2*format.FactSize + format.RecordHeaderSize

// slot returns the next slot, for which there must be room.
func (s *segment) slot() uint16 {
	s.slots++
	return s.slots
}

// since converts Unix milliseconds to a record's time of arrival: milliseconds after the segment was created.
func (s *segment) since(at int64) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, at-s.created)))
}

// commit stores where the complete records end, so that recovery can tell damage from a record that was being written.
func (s *segment) commit() {
	if s.checked {
		failpoint.Before(failpoint.SpanlogCommit)
		format.SetUsed(s.mem.Buf, s.used)
		failpoint.After(failpoint.SpanlogCommit)
	}
}
