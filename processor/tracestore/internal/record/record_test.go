package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecordRoundTrip(t *testing.T) {
	at := time.Unix(0, 1_756_728_000_123_456_789).UTC()
	h := digest.Header{
		Meta: digest.Meta{
			Summary: digest.Summary{
				TraceID: "0102", RootService: "shop", RootOperation: "GET /", Start: at, StartUnixNano: uint64(at.UnixNano()),
				DurationMS: 2.5, SpanCount: 300, ErrorCount: 1, Policy: "slow", AdjustedCount: 1.5, Complete: true,
				Services: []digest.ServiceSummary{{Name: "cart", Spans: 200}, {Name: "shop", Spans: 100, Errors: 1}},
			},
			Version: 3, LateSpans: 2, Stored: at.Add(time.Second), Updated: at.Add(time.Minute),
		},
		Extents:  []digest.Extent{{Longest: 1 << 40}, {Longest: 5, LongestFailed: 3}},
		Duration: 2_500_000, Start: 7, Terms: []uint64{1, 1 << 63}, Distinct: 301,
	}
	spans := bytes.Repeat([]byte("span"), 1000)
	record := Append(nil, &h, Pack(spans))
	require.Less(t, len(record), len(spans)/2, "compressed")
	gotHeader, gotSpans, err := Decode(record)
	require.NoError(t, err)
	require.Equal(t, h, gotHeader)
	require.Equal(t, spans, gotSpans)
}

// The largest trace is 64 MiB of OTLP: a record with a larger size is refused.
func TestLargestTrace(t *testing.T) {
	const largest = 64 << 20
	spans := make([]byte, largest+1)
	got, err := Unpack(Pack(spans[:largest]))
	require.NoError(t, err)
	require.Len(t, got, largest)
	_, err = Unpack(Pack(spans))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "67108865 bytes")
}

// Any flipped bit and any missing byte is found.
func TestRecordDamage(t *testing.T) {
	record := Append(nil, &digest.Header{Start: 7}, Pack([]byte("spans")))
	for i := range record {
		damaged := bytes.Clone(record)
		damaged[i] ^= 1 << (i % 8)
		_, _, err := Decode(damaged)
		require.ErrorIs(t, err, ErrCorrupt, "byte %d", i)
		_, err = Header(record[:i])
		require.ErrorIs(t, err, ErrCorrupt, "cut at %d", i)
	}
	_, err := Header(nil)
	require.ErrorIs(t, err, ErrCorrupt)
}

// spansOf returns n bytes that compress as attributes do.
func spansOf(n int) []byte {
	spans := make([]byte, 0, n+64)
	for i := 0; len(spans) < n; i++ {
		spans = fmt.Appendf(spans, "attribute.%d=value %d;", i%10, i)
	}
	return spans[:n]
}

// TestPack: spans of any size are unpacked unchanged, and at most blockBytes are compressed at once.
func TestPack(t *testing.T) {
	for _, n := range []int{0, 1, 5, blockBytes - 1, blockBytes, blockBytes + 1, 2 * blockBytes, 5*blockBytes + 7} {
		spans := spansOf(n)
		packed := Pack(spans)
		got, err := Unpack(packed)
		require.NoError(t, err, n)
		require.True(t, bytes.Equal(spans, got), n)
		size, whole := Size(Append(nil, &digest.Header{}, packed))
		require.True(t, whole)
		require.Equal(t, n, size)

		blocks := [][]byte{packed}
		if n > blockBytes {
			blocks = nil
			for left := packed[manyPrefix:]; len(left) > 0; {
				end := 4 + binary.BigEndian.Uint32(left)
				blocks, left = append(blocks, left[4:end]), left[end:]
			}
		}
		for _, block := range blocks {
			size, err := s2.DecodedLen(block)
			require.NoError(t, err)
			require.LessOrEqual(t, size, blockBytes)
		}
	}
}

// TestUnpackOneBlock: a large trace that was stored as one block is read.
func TestUnpackOneBlock(t *testing.T) {
	spans := spansOf(3 * blockBytes)
	got, err := Unpack(s2.Encode(nil, spans))
	require.NoError(t, err)
	require.True(t, bytes.Equal(spans, got))
}

// TestUnpackDamage: truncation, further bytes and a wrong length are found.
func TestUnpackDamage(t *testing.T) {
	packed := Pack(spansOf(2*blockBytes + 7))
	second := manyPrefix + 4 + int(binary.BigEndian.Uint32(packed[manyPrefix:]))
	changed := func(at int, value uint32) []byte {
		b := bytes.Clone(packed)
		binary.BigEndian.PutUint32(b[at:], value)
		return b
	}
	for name, damaged := range map[string][]byte{
		"cut in a length":     packed[:second+2],
		"cut at a block":      packed[:second],
		"cut in a block":      packed[:len(packed)-1],
		"something follows":   append(bytes.Clone(packed), 0),
		"a block too long":    changed(second, 1<<31),
		"a block too short":   changed(second, 3),
		"fewer bytes":         changed(1, 2*blockBytes+6),
		"more bytes":          changed(1, 2*blockBytes+8),
		"more than there are": changed(1, MaxTraceBytes),
		"more than may be":    changed(1, MaxTraceBytes+1),
		"none":                {several, 0, 0, 0, 0, 0},
		"a prefix":            {several, 4, 0, 0, 0, 0, 0},
	} {
		got, err := Unpack(damaged)
		require.ErrorIs(t, err, ErrCorrupt, name)
		require.Nil(t, got, name)
	}
}

func FuzzRecord(f *testing.F) {
	record := Append(nil, &digest.Header{Start: 7}, Pack([]byte("spans")))
	f.Add(record)
	f.Add(Append(nil, &digest.Header{}, Pack(make([]byte, 2*blockBytes+1))))
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, record []byte) {
		if _, _, err := Decode(record); err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
		}
	})
}

// A header that is truncated anywhere, or followed by more bytes, is invalid.
func TestHeaderDamage(t *testing.T) {
	h := digest.Header{Terms: []uint64{1}, Meta: digest.Meta{Summary: digest.Summary{Services: []digest.ServiceSummary{{Name: "s"}}}}}
	encoded := appendHeader(nil, &h)
	for i := range encoded {
		_, err := readHeader(encoded[:i])
		require.ErrorIs(t, err, ErrCorrupt, "cut at %d", i)
	}
	_, err := readHeader(append(encoded, 0))
	require.ErrorIs(t, err, ErrCorrupt)
}

func FuzzHeader(f *testing.F) {
	f.Add(appendHeader(nil, &digest.Header{Terms: []uint64{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHeader(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		again, err := readHeader(appendHeader(nil, &h))
		require.NoError(t, err)
		require.Equal(t, appendHeader(nil, &h), appendHeader(nil, &again))
	})
}
