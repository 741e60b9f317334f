package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// Packed spans are an S2 block; where they are larger than blockBytes they are
//
//	0 (1) | bytes of the spans (4) | blocks: bytes of the block (4), an S2 block of the next blockBytes of spans, or of what is left
//
// with big-endian numbers. An S2 block of something does not begin with 0, which says that it is of nothing.
const (
	several    = 0
	manyPrefix = 1 + 4
	// blockBytes is how much is compressed and decompressed in one go. S2 is assembly, which the scheduler cannot interrupt: a garbage
	// collection that begins or ends meanwhile waits for it, and all spans with it. This much takes some tenths of a millisecond.
	blockBytes = 256 << 10
)

// scratch is what Pack compresses into.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch is the most memory that a call of Pack leaves for the next.
const maxScratch = 1 << 20

// Pack compresses an OTLP message of at most MaxTraceBytes.
func Pack(spans []byte) []byte {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	packed := (*buf)[:0]
	if len(spans) <= blockBytes {
		packed = s2.Encode(packed[:cap(packed)], spans)
	} else {
		packed = packBlocks(packed, spans)
	}
	if cap(packed) <= maxScratch {
		*buf = packed
	}
	return slices.Clone(packed)
}

func packBlocks(dst, spans []byte) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, several), uint32(len(spans)))
	for block := range slices.Chunk(spans, blockBytes) {
		at := len(dst) + 4
		dst = slices.Grow(dst, 4+s2.MaxEncodedLen(len(block)))
		encoded := s2.Encode(dst[at:cap(dst)], block) // in place: there is room
		binary.BigEndian.PutUint32(dst[at-4:at], uint32(len(encoded)))
		dst = dst[:at+len(encoded)]
	}
	return dst
}

// unpackedLen is how many bytes Unpack returns, as the packed spans say it.
func unpackedLen(packed []byte) (int, error) {
	if len(packed) > manyPrefix && packed[0] == several {
		return int(binary.BigEndian.Uint32(packed[1:])), nil
	}
	return s2.DecodedLen(packed)
}

// Unpack undoes Pack.
func Unpack(packed []byte) ([]byte, error) {
	n, err := unpackedLen(packed)
	if err == nil && n > MaxTraceBytes {
		err = fmt.Errorf("%d bytes of spans are more than a record holds", n)
	}
	var spans []byte
	switch {
	case err != nil:
	case len(packed) > manyPrefix && packed[0] == several:
		spans, err = unpackBlocks(packed[manyPrefix:], n)
	default:
		spans, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return spans, nil
}

var errBlock = errors.New("a block of spans has another length than it says")

func unpackBlocks(packed []byte, n int) ([]byte, error) {
	if len(packed) < n/maxRatio {
		return nil, errBlock // before room for them is made
	}
	spans := make([]byte, n)
	for left := spans; len(left) > 0; {
		if len(packed) < 4 {
			return nil, errBlock
		}
		length := uint64(binary.BigEndian.Uint32(packed))
		if packed = packed[4:]; length > uint64(len(packed)) {
			return nil, errBlock
		}
		size := min(blockBytes, len(left))
		block := left[:size:size]
		left = left[size:]
		if decoded, err := s2.DecodedLen(packed[:length]); err != nil || decoded != size {
			return nil, errors.Join(errBlock, err)
		}
		if _, err := s2.Decode(block, packed[:length]); err != nil {
			return nil, err
		}
		packed = packed[length:]
	}
	if len(packed) > 0 {
		return nil, errBlock
	}
	return spans, nil
}

// maxRatio is more than S2 compresses to a part of: a block is 8 bytes at least.
const maxRatio = blockBytes / 8
