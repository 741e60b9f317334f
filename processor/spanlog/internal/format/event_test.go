package format

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const none = ^uint64(0)

func TestEventsComeBack(t *testing.T) {
	id := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	for _, e := range []Event{
		{Kind: Decided, Policy: -1, Threshold: none, Random: none},
		{Kind: Decided, Verdict: 1, Trigger: 8, Policy: 3, TraceID: id, From: PositionOf(2, 64), To: PositionOf(9, 1000), At: 1_700_000_000,
			Threshold: 0x123456789abcde, Random: 0xfedcba98765432},
		{Kind: Attempted, Verdict: 255, Trigger: 255, Late: true, Policy: noPolicy - 1, TraceID: id, At: ^uint32(0),
			Threshold: 1<<56 - 1, Random: 1<<56 - 1},
		{Kind: Delivered, Threshold: none, Random: 1},
		{Kind: Delivered, Threshold: 1, Random: none, Late: true},
		{Kind: Delivered, From: Position(none), To: Position(none), Policy: -1, Destination: EveryDestination},
		{Kind: Attempted, Destination: 3, Failed: true, Trimmed: MaxTrimmed},
		{Kind: Decided, Revived: true, Trimmed: 1},
	} {
		b := make([]byte, EventSize)
		e.Put(b, 5)
		var got Event
		require.True(t, got.Parse(b, 5))
		assert.Equal(t, e, got)
		assert.False(t, got.Parse(b, 6), "it is one of another file")
		assert.Equal(t, e, got)
		for bit := range 8 * EventSize {
			b[bit/8] ^= 1 << (bit % 8)
			assert.False(t, got.Parse(b, 5), "bit %d", bit)
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// The bytes are those that docs/spanlog-format.md draws.
func TestEventLayout(t *testing.T) {
	e := Event{
		Kind: Attempted, Verdict: 1, Trigger: 7, Late: true, Policy: 0x0203, TraceID: [16]byte{0xa0, 15: 0xaf},
		From: 0x1112131415161718, To: 0x2122232425262728, At: 0x31323334, Threshold: 0x41424344454647, Random: none,
		Destination: 0x0f, Trimmed: 0x616263,
	}
	b := make([]byte, EventSize)
	for i := range b {
		b[i] = 0xee // of an earlier use
	}
	e.Put(b, 9)
	want := []byte{
		0, 0, 0, 0, 2, 1, 3, 2,
		0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xaf,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
		0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41, 7,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 | 2,
		0x34, 0x33, 0x32, 0x31, 0x0f, 0x63, 0x62, 0x61,
	}
	binary.LittleEndian.PutUint32(want, Checksum(9, want[4:]))
	assert.Equal(t, want, b)

	e.Threshold, e.Random, e.Late, e.Policy = none, 0x51525354555657, false, -1
	e.Put(b, 9)
	assert.Equal(t, []byte{0xff, 0xff}, b[6:8])
	assert.Equal(t, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 7, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51, 4}, b[40:56])

	e.Failed, e.Revived, e.Trimmed, e.Destination = true, true, MaxTrimmed+1, EveryDestination
	e.Put(b, 9)
	assert.Equal(t, byte(4|8|16), b[55])
	assert.Equal(t, []byte{0xff, 0xff, 0xff, 0xff}, b[60:64])
}

func TestNames(t *testing.T) {
	for _, names := range []Names{
		{},
		{Policies: []string{"a"}},
		{Destinations: []Destination{{Key: "a"}}},
		{Policies: []string{"", "errors", "composite\x00part", string(make([]byte, 300))}, Destinations: []Destination{{"otlp_grpc in traces", 1_700_000_000}, {"", 1<<32 - 1}}},
	} {
		encoded := names.Encode()
		b := make([]byte, EventsAt(len(encoded)))
		PutNames(b, encoded, 5)
		assert.Equal(t, uint32(len(encoded)), binary.LittleEndian.Uint32(b[UsedAt:]))
		got, ok := ParseNames(b, len(encoded), 5)
		require.True(t, ok)
		assert.Equal(t, names, got)

		_, ok = ParseNames(b, len(encoded), 6)
		assert.False(t, ok, "they are those of another file")
		_, ok = ParseNames(b[:68+len(encoded)], len(encoded), 5)
		assert.True(t, ok)
		_, ok = ParseNames(b[:67+len(encoded)], len(encoded), 5)
		assert.False(t, ok, "they are cut off")
	}
	assert.Equal(t, []byte("\x01\x80\x01\x01d\x01a\x02bc"), Names{Policies: []string{"a", "bc"}, Destinations: []Destination{{"d", 128}}}.Encode())
}

// Names with a valid checksum that are invalid.
func TestNamesThatAreNone(t *testing.T) {
	for _, encoded := range []string{
		"", "\x80", "\x01", "\x01\x00", "\x01\x80", "\x01\x00\x02a", "\x02\x00\x01a", "\x00\x80", "\x00\x02a", "\x00\x01a\x01",
		"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		b := make([]byte, EventsAt(len(encoded)))
		PutNames(b, []byte(encoded), 5)
		_, ok := ParseNames(b, len(encoded), 5)
		assert.False(t, ok, "%q", encoded)
	}
}

// Events follow the names at the next multiple of their size.
func TestEventsAt(t *testing.T) {
	for names, want := range map[int]int{0: 128, 1: 128, 60: 128, 61: 192, 124: 192, 125: 256} {
		assert.Equal(t, want, EventsAt(names), "%d bytes of names", names)
	}
}
