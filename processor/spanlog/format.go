package spanlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"unsafe"
)

// FormatVersion is the version of segment and journal files that this package writes, and the only one it reads.
// docs/spanlog-format.md draws it.
const FormatVersion = 1

// fileHeaderSize is what a segment has before its first record.
const fileHeaderSize = 64

// The first eight bytes of a file say what it is. They are written last and with one store, so that a crash leaves a
// file that is in use, or one that is not.
const (
	magicSegment = "slowspan"
	magicFree    = "slowfree"
	magicPacked  = "slowpack"
	magicJournal = "slowjrnl"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seed is what the shard of a trace is computed with. It is kept in every file, so that a trace belongs to the same shard
// after a restart.
type Seed [2]uint64

// fileHeader is what a file says of itself.
type fileHeader struct {
	shard    uint32
	sequence uint64
	created  int64 // Unix milliseconds
	seed     Seed
	shards   uint32
	size     uint32 // of the file, or of the segment that a packed one holds
}

// offset of fields that are not covered by the header's checksum.
const (
	headerChecksumAt = 56
	headerUsedAt     = 60
)

// put writes all but the magic, which setMagic writes afterwards.
func (h *fileHeader) put(b []byte) {
	binary.LittleEndian.PutUint32(b[8:], FormatVersion)
	binary.LittleEndian.PutUint32(b[12:], h.shard)
	binary.LittleEndian.PutUint64(b[16:], h.sequence)
	binary.LittleEndian.PutUint64(b[24:], uint64(h.created))
	binary.LittleEndian.PutUint64(b[32:], h.seed[0])
	binary.LittleEndian.PutUint64(b[40:], h.seed[1])
	binary.LittleEndian.PutUint32(b[48:], h.shards)
	binary.LittleEndian.PutUint32(b[52:], h.size)
	binary.LittleEndian.PutUint32(b[headerChecksumAt:], crc32.Checksum(b[8:headerChecksumAt], castagnoli))
	binary.LittleEndian.PutUint32(b[headerUsedAt:], 0)
}

// setMagic makes a file what it is to be, in one store.
func setMagic(b []byte, magic string) {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&b[0])), binary.NativeEndian.Uint64([]byte(magic)))
}

// VersionError is a file of a format version that this package does not know.
type VersionError struct {
	Path    string
	Version uint32
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %d, and this version of slowburn reads version %d only: "+
		"run the version that wrote it until the log is empty, or move the file away to go on without its spans",
		e.Path, e.Version, FormatVersion)
}

// errHeader is a header that fails its checksum.
var errHeader = errors.New("the header is damaged")

// parseHeader reads a header of at least fileHeaderSize bytes. With errHeader it returns what it read nevertheless.
func parseHeader(b []byte, path string) (h fileHeader, err error) {
	version := binary.LittleEndian.Uint32(b[8:])
	h = fileHeader{
		shard:    binary.LittleEndian.Uint32(b[12:]),
		sequence: binary.LittleEndian.Uint64(b[16:]),
		created:  int64(binary.LittleEndian.Uint64(b[24:])),
		seed:     Seed{binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])},
		shards:   binary.LittleEndian.Uint32(b[48:]),
		size:     binary.LittleEndian.Uint32(b[52:]),
	}
	sum := binary.LittleEndian.Uint32(b[headerChecksumAt:])
	if version != FormatVersion {
		// A bit that flipped in the version is no other version: with the right one the checksum holds.
		var repaired [headerChecksumAt]byte
		copy(repaired[:], b)
		binary.LittleEndian.PutUint32(repaired[8:], FormatVersion)
		if crc32.Checksum(repaired[8:], castagnoli) != sum {
			return h, &VersionError{Path: path, Version: version}
		}
		return h, nil
	}
	if crc32.Checksum(b[8:headerChecksumAt], castagnoli) != sum {
		return h, errHeader
	}
	return h, nil
}

// Position is a place in the order in which a shard's records were appended: the sequence of a segment and an offset in
// it. What was appended later has a higher one. A record that is copied forward keeps the position that it first had.
type Position uint64

const positionBits = kindShift // an offset fits into as many bits as a reference has

func positionOf(sequence uint64, offset uint32) Position {
	return Position(sequence<<positionBits | uint64(offset))
}

// Sequence is that of the segment.
func (p Position) Sequence() uint64 { return uint64(p) >> positionBits }

// Offset is that in the segment.
func (p Position) Offset() uint32 { return uint32(p & refMask) }
