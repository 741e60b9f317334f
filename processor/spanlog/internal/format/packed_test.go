package format

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bytes are those that docs/spanlog-format.md draws.
func TestPackedFile(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("resource", "scope")
	seg.span(scope, "one")
	seg.copied(scope, PositionOf(1, 64), "two")
	raw := seg.bytes()
	compressed := s2.Encode(nil, raw)
	b := Pack(raw, compressed)

	le := binary.LittleEndian
	assert.Equal(t, "slowpack", string(b[:8]))
	assert.Equal(t, raw[8:60], b[8:60], "the segment's header")
	assert.EqualValues(t, len(raw), le.Uint32(b[60:]))
	assert.Equal(t, crc32.Checksum(compressed, castagnoli), le.Uint32(b[64:]))
	assert.EqualValues(t, len(compressed), le.Uint32(b[68:]))
	assert.EqualValues(t, 2, le.Uint32(b[72:]))
	assert.Zero(t, le.Uint32(b[76:]))
	assert.Equal(t, compressed, b[80:])
	spans, ok := PackedSpans(b[:80])
	assert.True(t, ok)
	assert.Equal(t, 2, spans)
	_, ok = PackedSpans(b[:79])
	assert.False(t, ok)

	got, err := Unpack(b, "file", nil)
	require.NoError(t, err)
	assert.Equal(t, raw, []byte(got))
	buf := make([]byte, 0, len(raw))
	got, err = Unpack(b, "file", buf)
	require.NoError(t, err)
	assert.Same(t, &buf[:1][0], &got[0], "in buf, which has room")
	assert.Equal(t, raw, []byte(got))
	_, err = Unpack(b, "file", make([]byte, 0, len(raw)-1))
	require.NoError(t, err)

	for size := range len(b) {
		_, err := Unpack(b[:size], "file", nil)
		assert.ErrorIs(t, err, ErrDamaged, "%d bytes", size)
	}
	for _, at := range []int{60, 63, 64, 67, 68, 71, 80, len(b) - 1} {
		b[at] ^= 1
		_, err := Unpack(b, "file", nil)
		assert.EqualError(t, err, "file: it is damaged", "byte %d", at)
		b[at] ^= 1
	}
}

// What was compressed badly has a right checksum.
func TestPackedFileThatIsNone(t *testing.T) {
	b := Pack(make([]byte, HeaderSize), []byte{0xff})
	_, err := Unpack(b, "file", nil)
	assert.ErrorIs(t, err, ErrDamaged)
}
