package format

import (
	"bytes"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/require"
)

// FuzzJournal feeds the readers of a journal with anything: they must not fail, hold more than what is there, nor read what they
// would write otherwise.
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
			return // no file is looked at that is shorter
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

// FuzzUnpack feeds the reader of compressed segments with anything: what it returns is what was compressed, or nothing.
func FuzzUnpack(f *testing.F) {
	seg := newSegment(2)
	seg.span(seg.origin("resource", "scope"), "span")
	raw := seg.bytes()
	packed := Pack(raw, s2.Encode(nil, raw))
	f.Add(bytes.Clone(packed), uint16(0), byte(0))
	f.Add(bytes.Clone(packed), uint16(UsedAt), byte(1))
	f.Add(bytes.Clone(packed), uint16(len(packed)-1), byte(1))
	f.Add([]byte{}, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		if int(at) < len(b) {
			b[at] ^= flip
		}
		if n, err := s2.DecodedLen(b[min(len(b), PackedHeaderSize):]); err == nil && n > 16<<20 {
			return // the memory that it says it needs is what it is for
		}
		PackedSpans(b)
		got, err := Unpack(b, "path", nil)
		if err != nil {
			return
		}
		want, err := s2.Decode(nil, b[PackedHeaderSize:])
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got))
		if len(got) >= HeaderSize {
			s := Scanner{Bytes: got, Sequence: 2, Sealed: len(got)}
			s.Scan(func(Found) {})
		}
	})
}
