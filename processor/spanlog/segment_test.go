package spanlog

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// The bytes of a segment are those that docs/spanlog-format.md draws.
func TestSegmentLayout(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	var c Chain
	o := origin("RES", "SC")
	l.SetTime(1_700_000_000_000)
	l.Append(&c, o, []byte("one"))
	l.SetTime(1_700_000_000_258)
	l.Append(&c, o, []byte("two!"))
	l.AppendCopy(&c, o, []byte("3"), format.PositionOf(1, 5), 1_700_000_000_001)
	s := &l.list[l.active]

	header := make([]byte, format.HeaderSize)
	copy(header, "slowspan")
	le := binary.LittleEndian
	le.PutUint32(header[8:], 3)
	le.PutUint32(header[12:], l.shard)
	le.PutUint64(header[16:], s.sequence)
	le.PutUint64(header[24:], 1_700_000_000_000)
	le.PutUint64(header[32:], p.seed[0])
	le.PutUint64(header[40:], p.seed[1])
	le.PutUint32(header[48:], uint32(p.shards))
	le.PutUint32(header[52:], uint32(p.segmentSize))
	le.PutUint32(header[60:], s.used)
	le.PutUint32(header[56:], crc32.Checksum(header[8:56], crc32.MakeTable(crc32.Castagnoli)))
	assert.Equal(t, header, s.mem.Buf[:format.HeaderSize])

	want := []byte{
		0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 'R', 'E', 'S', // at 64: resource
		0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 64, 0, 0, 0x80, 0, 0, 0, 0, 'S', 'C', // at 87: scope of the resource at 64
		0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 87, 0, 0, 0xc0, 0, 0, 0, 0, 'o', 'n', 'e', // at 109: span of the scope at 87
		0, 0, 0, 0, 109, 0, 0, 0, 4, 0, 0, 0, 87, 0, 0, 0xc0, 2, 1, 0, 0, 't', 'w', 'o', '!', // at 132: after the one at 109
		0, 0, 0, 0, 132, 0, 0, 0, 9, 0, 0, 0, 87, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 64, 0, 0, 0, 0, '3', // at 156: a copy
	}
	for _, at := range []int{0, 23, 45, 68, 92} {
		end := at + format.RecordHeaderSize + int(le.Uint32(want[at+format.LengthAt:]))
		seed := uint32(s.sequence)
		le.PutUint32(want[at:], crc32.Update(seed, crc32.MakeTable(crc32.Castagnoli), want[at+8:end]))
	}
	assert.Equal(t, want, s.mem.Buf[format.HeaderSize:s.used])
	assert.Equal(t, len(s.mem.Buf)-len(want)-format.HeaderSize, s.room())
	assert.Equal(t, []string{"RES/SC/one", "RES/SC/two!", "RES/SC/3"}, bodies(l, c))
}

func TestPayloadCannotBeAppendedInto(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	o := origin("r", "s")
	l.Append(&c, o, []byte("one"))
	l.Append(&c, o, []byte("two"))
	for r := range l.Records(c, nil) {
		_ = append(r.Body, "overwritten"...)
	}
	assert.Equal(t, []string{"r/s/one", "r/s/two"}, bodies(l, c))
}

// Arrival times out of range are clamped to the range of the segment.
func TestArrivalIsClamped(t *testing.T) {
	s := segment{created: 1_700_000_000_000}
	for _, tc := range []struct {
		at   int64
		want int32
	}{
		{1_700_000_000_000, 0},
		{1_700_000_000_001, 1},
		{1_699_999_999_999, -1},
		{1_700_000_000_000 + math.MaxInt32, math.MaxInt32},
		{1_700_000_000_000 + math.MaxInt32 + 1, math.MaxInt32},
		{1_700_000_000_000 + math.MinInt32, math.MinInt32},
		{1_700_000_000_000 + math.MinInt32 - 1, math.MinInt32},
	} {
		assert.Equal(t, tc.want, s.since(tc.at))
	}
}

// A log's memory beside its segments is counted: runs, the dictionary, readers of cold segments.
func TestMemoryBesidesSegmentsIsCounted(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	chains := fill(t, l, p, 0, 400)
	counted := func() int64 { return p.Used() - int64(l.Usage().Allocated) }
	assert.Equal(t, l.counted, counted())
	assert.GreaterOrEqual(t, counted(), p.OnHeap(l.runs.Bytes()+l.names.table.Bytes()))
	shrinkAll(t, l)
	memory := p.Used()
	assert.Less(t, memory, int64(3*p.SegmentSize()))
	bodies(l, chains[0])
	require.Len(t, l.walks.idle, 1)
	takes := l.walks.idle[0].cold.Bytes()
	assert.Positive(t, takes)
	assert.Less(t, takes, p.SegmentSize(), "less than the segment that it is in")
	assert.InDelta(t, memory+p.OnHeap(takes), p.Used(), 2)
	bodies(l, chains[0])
	bodies(l, chains[1])
	assert.InDelta(t, memory+p.OnHeap(takes), p.Used(), 2, "it is used again")
	bodies(l, chains[399])
	l.Compact(1, true, nil)
	assert.Zero(t, cap(l.whole.buf), "what compacting reads is given back")
	assert.Equal(t, l.counted, counted())
	releaseAll(l, chains)
}
