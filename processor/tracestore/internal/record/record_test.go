package record

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestCodec(t testing.TB) *Codec {
	c, err := NewCodec()
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestRecordRoundTrip(t *testing.T) {
	c := newTestCodec(t)
	h := digest.Header{Start: 7, Terms: []uint64{1, 1 << 63}, Meta: digest.Meta{Version: 3}, Distinct: 2}
	spans := bytes.Repeat([]byte("span"), 1000)
	record, err := c.Encode(h, c.Pack(spans))
	require.NoError(t, err)
	require.Less(t, len(record), len(spans)/2, "compressed")
	gotHeader, gotSpans, err := c.Decode(record)
	require.NoError(t, err)
	require.Equal(t, h.Terms, gotHeader.Terms)
	require.Equal(t, h.Meta.Version, gotHeader.Meta.Version)
	require.Equal(t, spans, gotSpans)
}

// The largest trace is 64 MiB of OTLP: a record that says more is not believed.
func TestLargestTrace(t *testing.T) {
	const largest = 64 << 20
	c := newTestCodec(t)
	spans := make([]byte, largest+1)
	got, err := c.Unpack(c.Pack(spans[:largest]))
	require.NoError(t, err)
	require.Len(t, got, largest)
	_, err = c.Unpack(c.Pack(spans))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "67108865 bytes")
}

// Any flipped bit and any missing byte is found out.
func TestRecordDamage(t *testing.T) {
	c := newTestCodec(t)
	record, err := c.Encode(digest.Header{Start: 7}, c.Pack([]byte("spans")))
	require.NoError(t, err)
	for i := range record {
		damaged := bytes.Clone(record)
		damaged[i] ^= 1 << (i % 8)
		_, _, err := c.Decode(damaged)
		require.ErrorIs(t, err, ErrCorrupt, "byte %d", i)
		_, err = c.Header(record[:i])
		require.ErrorIs(t, err, ErrCorrupt, "cut at %d", i)
	}
	_, err = c.Header(nil)
	require.ErrorIs(t, err, ErrCorrupt)
}

func FuzzRecord(f *testing.F) {
	c := newTestCodec(f)
	record, err := c.Encode(digest.Header{Start: 7}, c.Pack([]byte("spans")))
	require.NoError(f, err)
	f.Add(record)
	f.Add([]byte{formatS2})
	f.Fuzz(func(t *testing.T, record []byte) {
		if _, _, err := c.Decode(record); err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
		}
	})
}
