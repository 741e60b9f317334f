package tracestore

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func newTestCodec(t testing.TB) *codec {
	c, err := newCodec()
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

func TestRecordRoundTrip(t *testing.T) {
	c := newTestCodec(t)
	h := header{Start: 7, Terms: []uint64{1, 1 << 63}, Meta: Meta{Version: 3}, Distinct: 2}
	spans := bytes.Repeat([]byte("span"), 1000)
	record, err := c.encode(h, spans)
	require.NoError(t, err)
	require.Less(t, len(record), len(spans)/2, "compressed")
	gotHeader, gotSpans, err := c.decode(record)
	require.NoError(t, err)
	require.Equal(t, h.Terms, gotHeader.Terms)
	require.Equal(t, h.Meta.Version, gotHeader.Meta.Version)
	require.Equal(t, spans, gotSpans)
}

// Any flipped bit and any missing byte is found out.
func TestRecordDamage(t *testing.T) {
	c := newTestCodec(t)
	record, err := c.encode(header{Start: 7}, []byte("spans"))
	require.NoError(t, err)
	for i := range record {
		damaged := bytes.Clone(record)
		damaged[i] ^= 1 << (i % 8)
		_, _, err := c.decode(damaged)
		require.ErrorIs(t, err, errCorrupt, "byte %d", i)
		_, err = c.header(record[:i])
		require.ErrorIs(t, err, errCorrupt, "cut at %d", i)
	}
	_, err = c.header(nil)
	require.ErrorIs(t, err, errCorrupt)
}

func FuzzRecord(f *testing.F) {
	c := newTestCodec(f)
	record, err := c.encode(header{Start: 7}, []byte("spans"))
	require.NoError(f, err)
	f.Add(record)
	f.Add([]byte{recordFormat})
	f.Fuzz(func(t *testing.T, record []byte) {
		if _, _, err := c.decode(record); err != nil {
			require.ErrorIs(t, err, errCorrupt)
		}
	})
}

func TestOperationKeys(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 5000))
	for _, op := range []operation{{"s", "op"}, {"", ""}, {"a\x00b", "c"}, {"s", ""}} {
		got, ok := operationOf(operationKey(op))
		require.True(t, ok)
		require.Equal(t, op, got)
	}
	got, ok := operationOf(operationKey(operation{long, long}))
	require.True(t, ok)
	require.Len(t, got.name, maxNameBytes)
	for _, bad := range [][]byte{nil, {0}, {0, 9, 'x'}} {
		_, ok := operationOf(bad)
		require.False(t, ok)
	}
}

func TestConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"max_bytes": "2GiB", "retention": "1h"}).Unmarshal(cfg))
	require.Equal(t, &Config{Directory: "slowburn-data", Retention: time.Hour, MaxBytes: 2 << 30}, cfg)
	require.NoError(t, cfg.Validate())
	err := (&Config{}).Validate()
	require.ErrorContains(t, err, "directory is empty")
	require.ErrorContains(t, err, "retention is 0s")
	require.ErrorContains(t, err, "max_bytes is 0B")
}
