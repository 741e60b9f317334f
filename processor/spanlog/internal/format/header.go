package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"unsafe"
)

// Version is the version of segment and journal files that this package writes, and the only one it reads.
// docs/spanlog-format.md draws it.
const Version = 3

// HeaderSize is the size of a file's header. A segment's first record follows, in memory too.
const HeaderSize = 64

// The first eight bytes of a file say what it is. They are written last and with one store, so that a crash leaves a
// file that is in use, or one that is not.
const (
	MagicSegment = "slowspan"
	MagicFree    = "slowfree"
	MagicPacked  = "slowpack"
	MagicJournal = "slowjrnl"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seed is the key of the hash that gives a trace its shard. Every file has it, so that a trace belongs to the same shard
// after a restart.
type Seed [2]uint64

// Header is the header of a file.
type Header struct {
	Shard    uint32
	Sequence uint64
	Created  int64 // Unix milliseconds
	Seed     Seed
	Shards   uint32
	Size     uint32 // of the file, or of the segment that a packed one holds
}

// Offsets of fields that the header's checksum does not cover.
const (
	headerChecksumAt = 56
	// UsedAt is the offset of a field: in a segment where its complete records end, in a journal the length of its names.
	UsedAt = 60
)

// Put writes all but the magic, which SetMagic writes afterwards.
func (h *Header) Put(b []byte) {
	binary.LittleEndian.PutUint32(b[8:], Version)
	binary.LittleEndian.PutUint32(b[12:], h.Shard)
	binary.LittleEndian.PutUint64(b[16:], h.Sequence)
	binary.LittleEndian.PutUint64(b[24:], uint64(h.Created))
	binary.LittleEndian.PutUint64(b[32:], h.Seed[0])
	binary.LittleEndian.PutUint64(b[40:], h.Seed[1])
	binary.LittleEndian.PutUint32(b[48:], h.Shards)
	binary.LittleEndian.PutUint32(b[52:], h.Size)
	binary.LittleEndian.PutUint32(b[headerChecksumAt:], crc32.Checksum(b[8:headerChecksumAt], castagnoli))
	binary.LittleEndian.PutUint32(b[UsedAt:], 0)
}

// SetMagic writes a file's magic in one store. b must be aligned to eight bytes.
func SetMagic(b []byte, magic string) {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&b[0])), binary.NativeEndian.Uint64([]byte(magic)))
}

// VersionError means that a header has a format version that this package does not read.
type VersionError struct{ Version uint32 }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the file has format version %d, and this version of slowburn reads version %d only", e.Version, Version)
}

// ErrHeader means that a header fails its checksum.
var ErrHeader = errors.New("the header is damaged")

// ParseHeader reads a header of at least HeaderSize bytes. The error is ErrHeader, with the damaged header, or a
// *VersionError.
func ParseHeader(b []byte) (h Header, err error) {
	version := binary.LittleEndian.Uint32(b[8:])
	h = Header{
		Shard:    binary.LittleEndian.Uint32(b[12:]),
		Sequence: binary.LittleEndian.Uint64(b[16:]),
		Created:  int64(binary.LittleEndian.Uint64(b[24:])),
		Seed:     Seed{binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])},
		Shards:   binary.LittleEndian.Uint32(b[48:]),
		Size:     binary.LittleEndian.Uint32(b[52:]),
	}
	sum := binary.LittleEndian.Uint32(b[headerChecksumAt:])
	if version != Version {
		// A bit that flipped in the version is no other version: with the right one the checksum holds.
		var repaired [headerChecksumAt]byte
		copy(repaired[:], b)
		binary.LittleEndian.PutUint32(repaired[8:], Version)
		if crc32.Checksum(repaired[8:], castagnoli) != sum {
			return h, &VersionError{version}
		}
		return h, nil
	}
	if crc32.Checksum(b[8:headerChecksumAt], castagnoli) != sum {
		return h, ErrHeader
	}
	return h, nil
}

// SetUsed writes the field at UsedAt of a mapped file in one store.
func SetUsed(b []byte, n uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&b[UsedAt])), toLittleEndian(n))
}

func toLittleEndian(n uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], n)
	return binary.NativeEndian.Uint32(b[:])
}

// Checksum returns the checksum of bytes in the file with this sequence. It begins with the sequence, so that records of a
// former use of the file do not pass.
func Checksum(sequence uint64, b []byte) uint32 {
	return crc32.Update(uint32(sequence)^uint32(sequence>>32), castagnoli, b)
}
