package format

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzJournal reads a journal of arbitrary bytes: the readers do not panic, return no more than the bytes hold, and their results
// encode to the same bytes.
func FuzzJournal(f *testing.F) {
	names := Names{Policies: []string{"errors", ""}, Destinations: []Destination{{Key: "otlp_grpc/backend", Since: 7}}}
	encoded := names.Encode()
	b := make([]byte, EventsAt(len(encoded))+2*EventSize)
	h := Header{Shard: 1, Sequence: 5, Shards: 2, Size: uint32(len(b))}
	h.Put(b)
	PutNames(b, encoded, 5)
	e := Event{Kind: Decided, Verdict: 1, Policy: 1, From: 3, To: 9, Threshold: 1 << 55, Random: ^uint64(0), Late: true, Trimmed: 5, Destination: EveryDestination}
	e.Put(b[EventsAt(len(encoded)):], 5)
	SetMagic(b, MagicJournal)
	f.Add(bytes.Clone(b), uint16(0), byte(0))
	f.Add(bytes.Clone(b), uint16(HeaderSize+9), byte(1))
	f.Add(bytes.Clone(b[:HeaderSize]), uint16(60), byte(0xff))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		if len(b) < HeaderSize {
			return // shorter files are not read
		}
		if int(at) < len(b) {
			b[at] ^= flip
		}
		h, err := ParseHeader(b)
		if err == nil {
			again := make([]byte, HeaderSize)
			h.Put(again)
			was, err := ParseHeader(again)
			require.NoError(t, err)
			require.Equal(t, h, was)
		}
		size := int(uint16(b[UsedAt]) | uint16(b[UsedAt+1])<<8)
		names, ok := ParseNames(b, size, h.Sequence)
		if ok {
			require.LessOrEqual(t, len(names.Policies)+2*len(names.Destinations), size, "each takes a byte at least")
			again := names.Encode()
			into := make([]byte, EventsAt(len(again)))
			PutNames(into, again, h.Sequence)
			was, ok := ParseNames(into, len(again), h.Sequence)
			require.True(t, ok)
			require.Equal(t, names, was)
		}
		for from := EventsAt(size); from+EventSize <= len(b); from += EventSize {
			var e, was Event
			if !e.Parse(b[from:from+EventSize], h.Sequence) {
				continue
			}
			again := make([]byte, EventSize)
			e.Put(again, h.Sequence)
			require.True(t, was.Parse(again, h.Sequence))
			require.Equal(t, e, was)
		}
	})
}

// FuzzUnpack reads arbitrary compressed segments: the reader returns what was compressed, zeros, or nothing.
func FuzzUnpack(f *testing.F) {
	raw, _ := largeSegment()
	packed := Pack(raw, nil)
	f.Add(bytes.Clone(packed), uint32(0), byte(0))
	f.Add(bytes.Clone(packed), uint32(packedUsedAt), byte(1))
	f.Add(bytes.Clone(packed), uint32(PackedHeaderSize), byte(1))
	f.Add(bytes.Clone(packed), uint32(len(packed)-1), byte(1))
	f.Add([]byte{}, uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, flip byte) {
		if int64(at) < int64(len(b)) {
			b[at] ^= flip
		}
		PackedSpans(b)
		x, err := ParseIndex(b)
		if err != nil {
			_, _, err = Unpack(b, "path", nil)
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		if x.Used > 16<<20 {
			return // a large size needs that much memory
		}
		got, damaged, err := Unpack(b, "path", nil)
		require.NoError(t, err)
		require.Len(t, got, x.Used)
		zeros := 0
		for n := range x.Blocks() {
			block, part := x.Block(n), got[n*BlockSize:]
			part = part[:block.Size]
			if block.To <= len(b) {
				want := make([]byte, block.Size)
				if block.Decode(want, b[block.From:block.To]) == nil {
					require.True(t, bytes.Equal(want, part))
					continue
				}
			}
			require.Equal(t, make([]byte, block.Size), []byte(part))
			zeros++
		}
		require.Equal(t, damaged, zeros)
		if len(got) >= HeaderSize {
			s := Scanner{Bytes: got, Sequence: 2, Sealed: len(got)}
			s.Scan(func(Found) {})
		}
	})
}
