package format

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someHeader = Header{
	Shard: 3, Sequence: 0x0102030405060708, Created: 1_700_000_000_123, Seed: Seed{0x1112131415161718, 0x2122232425262728},
	Shards: 8, Size: 1 << 20,
}

// The bytes are those that docs/spanlog-format.md draws.
func TestHeaderLayout(t *testing.T) {
	b := make([]byte, HeaderSize)
	b[UsedAt] = 1 // of an earlier use
	someHeader.Put(b)
	want := make([]byte, HeaderSize)
	le := binary.LittleEndian
	le.PutUint32(want[8:], 3)
	le.PutUint32(want[12:], 3)
	le.PutUint64(want[16:], 0x0102030405060708)
	le.PutUint64(want[24:], 1_700_000_000_123)
	le.PutUint64(want[32:], 0x1112131415161718)
	le.PutUint64(want[40:], 0x2122232425262728)
	le.PutUint32(want[48:], 8)
	le.PutUint32(want[52:], 1<<20)
	le.PutUint32(want[56:], crc32.Checksum(want[8:56], crc32.MakeTable(crc32.Castagnoli)))
	assert.Equal(t, want, b)

	SetMagic(b, MagicSegment)
	SetUsed(b, 0x01020304)
	assert.Equal(t, "slowspan", string(b[:8]))
	assert.Equal(t, []byte{4, 3, 2, 1}, b[60:])
	assert.Equal(t, want[8:60], b[8:60])
}

// A flipped bit is an error, except in the version, which the checksum proves.
func TestHeaderIsParsed(t *testing.T) {
	b := make([]byte, HeaderSize)
	someHeader.Put(b)
	got, err := ParseHeader(b)
	require.NoError(t, err)
	assert.Equal(t, someHeader, got)
	for bit := 8 * 8; bit < 60*8; bit++ {
		b[bit/8] ^= 1 << (bit % 8)
		got, err := ParseHeader(b)
		if bit < 12*8 {
			assert.NoError(t, err, "bit %d", bit)
			assert.Equal(t, someHeader, got, "bit %d", bit)
		} else {
			assert.ErrorIs(t, err, ErrHeader, "bit %d", bit)
			if bit < 56*8 {
				assert.NotEqual(t, someHeader, got, "bit %d", bit)
			}
		}
		b[bit/8] ^= 1 << (bit % 8)
	}

	binary.LittleEndian.PutUint32(b[8:], 9)
	binary.LittleEndian.PutUint32(b[56:], crc32.Checksum(b[8:56], castagnoli))
	_, err = ParseHeader(b)
	var version *VersionError
	require.True(t, errors.As(err, &version))
	assert.Equal(t, VersionError{9}, *version)
	assert.Equal(t, "the file has format version 9, and this version of slowburn reads version 3 only", err.Error())
}

// A checksum begins with both halves of the sequence.
func TestChecksum(t *testing.T) {
	b := []byte("123456789")
	assert.Equal(t, uint32(0xe3069283), Checksum(0, b))
	assert.Equal(t, Checksum(0, b), Checksum(0x0000000700000007, b))
	assert.NotEqual(t, Checksum(0, b), Checksum(7, b))
	assert.Equal(t, Checksum(7, b), Checksum(7<<32, b))
}

func TestPosition(t *testing.T) {
	p := PositionOf(5, 1<<30-1)
	assert.Equal(t, uint64(5), p.Sequence())
	assert.Equal(t, uint32(1<<30-1), p.Offset())
	assert.Equal(t, Position(5<<30|7), PositionOf(5, 7))
	assert.Less(t, p, PositionOf(6, 0))
	assert.Less(t, PositionOf(5, 6), PositionOf(5, 7))
}
