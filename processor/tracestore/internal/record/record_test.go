package record

import (
	"bytes"
	"testing"
	"time"

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

// The largest trace is 64 MiB of OTLP: a record that says more is not believed.
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

// Any flipped bit and any missing byte is found out.
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

func FuzzRecord(f *testing.F) {
	record := Append(nil, &digest.Header{Start: 7}, Pack([]byte("spans")))
	f.Add(record)
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, record []byte) {
		if _, _, err := Decode(record); err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
		}
	})
}

// A header that is cut off anywhere, or followed by something, is none.
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
