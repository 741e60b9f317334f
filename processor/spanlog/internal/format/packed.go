package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// PackedHeaderSize is what a packed file has before what is compressed: a segment's header, then the checksum and length
// of what follows, and the number of spans in it.
const PackedHeaderSize = HeaderSize + 16

// Offsets of what a packed file has behind the header.
const (
	packedChecksumAt = HeaderSize
	packedLengthAt   = HeaderSize + 4
	packedSpansAt    = HeaderSize + 8
)

// ErrDamaged is a packed file that cannot be read.
var ErrDamaged = errors.New("it is damaged")

// Pack returns the packed file of a segment's bytes, which are given compressed too.
func Pack(raw, compressed []byte) []byte {
	b := make([]byte, PackedHeaderSize, PackedHeaderSize+len(compressed))
	copy(b, raw[:HeaderSize])
	copy(b, MagicPacked)
	binary.LittleEndian.PutUint32(b[UsedAt:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(b[packedChecksumAt:], crc32.Checksum(compressed, castagnoli))
	binary.LittleEndian.PutUint32(b[packedLengthAt:], uint32(len(compressed)))
	binary.LittleEndian.PutUint32(b[packedSpansAt:], uint32(CountSpans(raw, HeaderSize, len(raw))))
	return append(b, compressed...)
}

// Unpack returns the segment's bytes in a packed file, in buf where that has room. path is for its error.
func Unpack(b []byte, path string, buf []byte) (Records, error) {
	if len(b) < PackedHeaderSize {
		return nil, ErrDamaged
	}
	compressed := b[PackedHeaderSize:]
	if int(binary.LittleEndian.Uint32(b[packedLengthAt:])) != len(compressed) ||
		binary.LittleEndian.Uint32(b[packedChecksumAt:]) != crc32.Checksum(compressed, castagnoli) {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	n, err := s2.DecodedLen(compressed)
	if err != nil || n != int(binary.LittleEndian.Uint32(b[UsedAt:])) {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	return s2.Decode(buf[:n], compressed)
}

// PackedSpans is how many spans a packed file says that it holds.
func PackedSpans(b []byte) (spans int, ok bool) {
	if len(b) < PackedHeaderSize {
		return 0, false
	}
	return int(binary.LittleEndian.Uint32(b[packedSpansAt:])), true
}
