package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// BlockSize is how many bytes of a segment are compressed together. The last block has the rest.
const BlockSize = 64 << 10

// PackedHeaderSize is the size of a packed file's header: a segment's header, then the index's checksum, the number of spans, the
// length of the segment, and the size of a block. The index follows.
const PackedHeaderSize = HeaderSize + 16

// Offsets in a packed file behind the segment's header.
const (
	packedChecksumAt  = HeaderSize
	packedSpansAt     = HeaderSize + 4 // not covered by the checksum: it only estimates a loss
	packedCoveredAt   = HeaderSize + 8
	packedUsedAt      = HeaderSize + 8
	packedBlockSizeAt = HeaderSize + 12

	indexEntrySize = 8
)

// ErrDamaged means that a file, or a part of it, is not as it was written.
var ErrDamaged = errors.New("it is damaged")

// blocksOf returns how many blocks a segment of so many bytes has.
func blocksOf(used int) int { return (used + BlockSize - 1) / BlockSize }

// MaxPackedSize returns the size that Pack needs for a segment of so many bytes.
func MaxPackedSize(used int) int {
	return PackedHeaderSize + blocksOf(used)*(indexEntrySize+s2.MaxEncodedLen(BlockSize))
}

// Pack returns the packed file of a segment's bytes, in buf if its capacity is at least MaxPackedSize.
func Pack(raw, buf []byte) []byte {
	if need := MaxPackedSize(len(raw)); cap(buf) < need {
		buf = make([]byte, need)
	}
	b := buf[:cap(buf)]
	copy(b, raw[:HeaderSize])
	copy(b, MagicPacked)
	binary.LittleEndian.PutUint32(b[UsedAt:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(b[packedSpansAt:], uint32(CountSpans(raw, HeaderSize, len(raw))))
	binary.LittleEndian.PutUint32(b[packedUsedAt:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(b[packedBlockSizeAt:], BlockSize)
	index := b[PackedHeaderSize : PackedHeaderSize+blocksOf(len(raw))*indexEntrySize]
	end := PackedHeaderSize + len(index)
	for entry := index; len(entry) > 0; entry = entry[indexEntrySize:] {
		n := min(BlockSize, len(raw))
		compressed := s2.Encode(b[end:], raw[:n])
		raw, end = raw[n:], end+len(compressed)
		binary.LittleEndian.PutUint32(entry, uint32(end))
		binary.LittleEndian.PutUint32(entry[4:], crc32.Checksum(compressed, castagnoli))
	}
	covered := b[packedCoveredAt : PackedHeaderSize+len(index)]
	binary.LittleEndian.PutUint32(b[packedChecksumAt:], crc32.Checksum(covered, castagnoli))
	return b[:end]
}

// Index has the places of a packed file's blocks.
type Index struct {
	// Used is the length of the segment in bytes.
	Used    int
	entries []byte
}

// IndexEnd returns the offset at which a packed file's index ends; b is the file's beginning. It returns PackedHeaderSize if b
// is shorter than that.
func IndexEnd(b []byte) int {
	if len(b) < PackedHeaderSize {
		return PackedHeaderSize
	}
	return PackedHeaderSize + blocksOf(int(binary.LittleEndian.Uint32(b[packedUsedAt:])))*indexEntrySize
}

// ParseIndex returns the index of a packed file; b is the file's bytes up to IndexEnd at least. The index refers to b. The
// error is ErrDamaged.
func ParseIndex(b []byte) (Index, error) {
	end := IndexEnd(b)
	if len(b) < end ||
		binary.LittleEndian.Uint32(b[packedChecksumAt:]) != crc32.Checksum(b[packedCoveredAt:end], castagnoli) ||
		binary.LittleEndian.Uint32(b[packedBlockSizeAt:]) != BlockSize {
		return Index{}, ErrDamaged
	}
	x := Index{Used: int(binary.LittleEndian.Uint32(b[packedUsedAt:])), entries: b[PackedHeaderSize:end]}
	for n := range x.Blocks() {
		if block := x.Block(n); block.To < block.From || block.To-block.From > s2.MaxEncodedLen(BlockSize) {
			return Index{}, ErrDamaged
		}
	}
	return x, nil
}

// Clone returns an index with a copy of the bytes that it refers to.
func (x Index) Clone() Index {
	x.entries = append([]byte(nil), x.entries...)
	return x
}

// Blocks returns the number of blocks.
func (x Index) Blocks() int { return len(x.entries) / indexEntrySize }

// Block is a part of a segment that is compressed separately.
type Block struct {
	// From and To are the offsets in the packed file at which it begins and ends.
	From, To int
	// Size is its decoded size in bytes.
	Size     int
	checksum uint32
}

// Block returns the nth block. It has the segment's bytes from n*BlockSize on.
func (x Index) Block(n int) Block {
	b := Block{From: PackedHeaderSize + len(x.entries), Size: min(BlockSize, x.Used-n*BlockSize)}
	entry := x.entries[n*indexEntrySize:]
	if n > 0 {
		b.From = int(binary.LittleEndian.Uint32(x.entries[(n-1)*indexEntrySize:]))
	}
	b.To, b.checksum = int(binary.LittleEndian.Uint32(entry)), binary.LittleEndian.Uint32(entry[4:])
	return b
}

// Decode decodes a block's compressed bytes into buf, which has Size bytes. The error is ErrDamaged.
func (b Block) Decode(buf, compressed []byte) error {
	if len(compressed) != b.To-b.From || crc32.Checksum(compressed, castagnoli) != b.checksum {
		return ErrDamaged
	}
	if n, err := s2.DecodedLen(compressed); err != nil || n != len(buf) || n != b.Size {
		return ErrDamaged
	}
	if _, err := s2.Decode(buf, compressed); err != nil {
		return ErrDamaged
	}
	return nil
}

// Unpack decodes a packed file and returns the segment's bytes, in buf if it has room. It counts damaged blocks and fills
// their bytes with zeros. The error, ErrDamaged, means that the index is damaged; path is for its message.
func Unpack(b []byte, path string, buf []byte) (r Records, damaged int, err error) {
	x, err := ParseIndex(b)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	if cap(buf) < x.Used {
		buf = make([]byte, x.Used)
	}
	buf = buf[:x.Used]
	for n := range x.Blocks() {
		block := x.Block(n)
		part := buf[n*BlockSize:][:block.Size]
		if block.To > len(b) || block.Decode(part, b[block.From:block.To]) != nil {
			clear(part)
			damaged++
		}
	}
	return buf, damaged, nil
}

// PackedSpans returns the number of spans in a packed file by its header, and whether b has the header.
func PackedSpans(b []byte) (spans int, ok bool) {
	if len(b) < PackedHeaderSize {
		return 0, false
	}
	return int(binary.LittleEndian.Uint32(b[packedSpansAt:])), true
}
