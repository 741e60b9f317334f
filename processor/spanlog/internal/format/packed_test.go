package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// largeSegment returns the bytes of a segment of more than three blocks, and its number of spans.
func largeSegment() (raw []byte, spans int) {
	seg := newSegment(2)
	scope := seg.origin("resource", "scope")
	for len(seg.bytes()) < 3*BlockSize+1000 {
		seg.span(scope, fmt.Sprintf("span %d %0300d", spans, spans))
		spans++
	}
	return seg.bytes(), spans
}

// The bytes are those that docs/spanlog-format.md draws.
func TestPackedFile(t *testing.T) {
	raw, spans := largeSegment()
	b := Pack(raw, nil)

	le := binary.LittleEndian
	assert.Equal(t, "slowpack", string(b[:8]))
	assert.Equal(t, raw[8:60], b[8:60], "the segment's header")
	assert.EqualValues(t, len(raw), le.Uint32(b[60:]))
	assert.Equal(t, crc32.Checksum(b[72:112], castagnoli), le.Uint32(b[64:]))
	assert.EqualValues(t, spans, le.Uint32(b[68:]))
	assert.EqualValues(t, len(raw), le.Uint32(b[72:]))
	assert.EqualValues(t, 65536, le.Uint32(b[76:]))
	at := uint32(112)
	for n := range 4 {
		end := le.Uint32(b[80+8*n:])
		block := b[at:end]
		assert.Equal(t, crc32.Checksum(block, castagnoli), le.Uint32(b[84+8*n:]))
		got, err := s2.Decode(nil, block)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(raw[n*65536:min(len(raw), (n+1)*65536)], got), "block %d", n)
		at = end
	}
	assert.EqualValues(t, len(b), at)
	got, ok := PackedSpans(b[:80])
	assert.True(t, ok)
	assert.Equal(t, spans, got)
	_, ok = PackedSpans(b[:79])
	assert.False(t, ok)

	buf := make([]byte, 0, MaxPackedSize(len(raw)))
	again := Pack(raw, buf)
	assert.Equal(t, b, again)
	assert.Same(t, &buf[:1][0], &again[0], "in buf, which has room")
}

// A packed file is unpacked into the buffer that it is given if that has room.
func TestUnpack(t *testing.T) {
	raw, _ := largeSegment()
	b := Pack(raw, nil)
	for _, room := range []int{0, len(raw) - 1, len(raw), len(raw) + 1} {
		buf := make([]byte, 1, room+1)
		got, damaged, err := Unpack(b, "file", buf[:0:room])
		require.NoError(t, err)
		assert.Zero(t, damaged)
		assert.True(t, bytes.Equal(raw, got))
		assert.Equal(t, room >= len(raw), &buf[0] == &got[0], "%d bytes", room)
	}
}

// A damaged or missing block costs its own bytes only.
func TestDamagedBlocks(t *testing.T) {
	raw, _ := largeSegment()
	b := Pack(raw, nil)
	x, err := ParseIndex(b)
	require.NoError(t, err)
	require.Equal(t, 4, x.Blocks())
	without := func(blocks ...int) []byte {
		want := bytes.Clone(raw)
		for _, n := range blocks {
			clear(want[n*BlockSize : min(len(want), (n+1)*BlockSize)])
		}
		return want
	}
	for n := range x.Blocks() {
		for _, at := range []int{x.Block(n).From, x.Block(n).To - 1} {
			broken := bytes.Clone(b)
			broken[at] ^= 1
			got, damaged, err := Unpack(broken, "file", nil)
			require.NoError(t, err)
			assert.Equal(t, 1, damaged)
			assert.True(t, bytes.Equal(without(n), got), "block %d", n)
		}
		got, damaged, err := Unpack(b[:x.Block(n).From], "file", make([]byte, len(raw)))
		require.NoError(t, err)
		assert.Equal(t, 4-n, damaged)
		lost := []int{0, 1, 2, 3}[n:]
		assert.True(t, bytes.Equal(without(lost...), got), "cut off in front of block %d", n)
	}
}

// Without its index nothing in a packed file can be found.
func TestDamagedIndex(t *testing.T) {
	raw, spans := largeSegment()
	b := Pack(raw, nil)
	end := IndexEnd(b)
	assert.Equal(t, 112, end)
	for size := range end {
		_, _, err := Unpack(b[:size], "file", nil)
		assert.ErrorIs(t, err, ErrDamaged, "%d bytes", size)
	}
	for at := HeaderSize; at < end; at++ {
		if at >= packedSpansAt && at < packedSpansAt+4 {
			continue
		}
		b[at] ^= 1
		_, _, err := Unpack(b, "file", nil)
		assert.EqualError(t, err, "file: it is damaged", "byte %d", at)
		b[at] ^= 1
	}
	b[packedSpansAt] ^= 1
	_, damaged, err := Unpack(b, "file", nil)
	require.NoError(t, err)
	assert.Zero(t, damaged)
	got, _ := PackedSpans(b)
	assert.Equal(t, spans^1, got)
}

// An index with a valid checksum and invalid contents is damaged all the same: nothing is read beyond its bounds.
func TestIndexThatMakesNoSense(t *testing.T) {
	raw, _ := largeSegment()
	for name, change := range map[string]func(b []byte){
		"a block that ends before it begins": func(b []byte) { binary.LittleEndian.PutUint32(b[80:], 111) },
		"a block that is too long":           func(b []byte) { binary.LittleEndian.PutUint32(b[80:], 112+uint32(s2.MaxEncodedLen(BlockSize))+1) },
		"another size of blocks":             func(b []byte) { binary.LittleEndian.PutUint32(b[76:], BlockSize/2) },
	} {
		b := Pack(raw, nil)
		change(b)
		binary.LittleEndian.PutUint32(b[64:], crc32.Checksum(b[72:112], castagnoli))
		_, err := ParseIndex(b)
		assert.ErrorIs(t, err, ErrDamaged, name)
	}
}

// A block matches its checksum and size, or is damaged.
func TestBlock(t *testing.T) {
	raw := bytes.Repeat([]byte("segment "), 100)
	x, err := ParseIndex(Pack(raw, nil))
	require.NoError(t, err)
	b := Pack(raw, nil)
	block := x.Block(0)
	compressed := b[block.From:block.To]
	got := make([]byte, block.Size)
	require.NoError(t, block.Decode(got, compressed))
	assert.Equal(t, raw, got)
	assert.ErrorIs(t, block.Decode(got[1:], compressed), ErrDamaged)
	assert.ErrorIs(t, block.Decode(got, compressed[1:]), ErrDamaged)
	wrong := []byte{0xff} // not an S2 block, but its checksum is valid
	assert.ErrorIs(t, Block{To: 1, Size: 1, checksum: crc32.Checksum(wrong, castagnoli)}.Decode(make([]byte, 1), wrong), ErrDamaged)
}

// Incompressible data are packed and unpacked all the same.
func TestPackNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{HeaderSize, BlockSize - 1, BlockSize, BlockSize + 1, 3*BlockSize + 7} {
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = byte(rnd.Uint32())
		}
		b := Pack(raw, nil)
		assert.LessOrEqual(t, len(b), MaxPackedSize(size))
		got, damaged, err := Unpack(b, "file", nil)
		require.NoError(t, err)
		assert.Zero(t, damaged)
		assert.True(t, bytes.Equal(raw, got), "%d bytes", size)
	}
}
