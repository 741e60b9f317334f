package tracestore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
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
	record, err := c.encode(h, c.pack(spans))
	require.NoError(t, err)
	require.Less(t, len(record), len(spans)/2, "compressed")
	gotHeader, gotSpans, err := c.decode(record)
	require.NoError(t, err)
	require.Equal(t, h.Terms, gotHeader.Terms)
	require.Equal(t, h.Meta.Version, gotHeader.Meta.Version)
	require.Equal(t, spans, gotSpans)
}

// What earlier versions stored is still read, and gets late spans.
func TestRecordsOfEarlierVersions(t *testing.T) {
	b := opened(t, nil)
	td := spans(spec{trace: 1, id: 1, service: "s", name: "op", duration: time.Second})
	b.storeNow(td)
	require.NoError(t, b.db.Load().Update(func(tx *bbolt.Tx) error {
		key := append(tx.Bucket(bucketIDs).Get(bytesOfID(1)), bytesOfID(1)...)
		h, packed, err := b.codec.split(tx.Bucket(bucketTraces).Get(key))
		require.NoError(t, err)
		otlp, err := b.codec.unpack(packed)
		require.NoError(t, err)
		return tx.Bucket(bucketTraces).Put(key, zstdRecord(t, h, otlp))
	}))
	got, _, ok, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, bytesOf(t, td), bytesOf(t, got))

	b.storeNow(spans(spec{trace: 1, id: 2, parent: 1, service: "s", name: "late", late: true}))
	got, meta, ok, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 2, got.SpanCount())
	require.Equal(t, 2, meta.Version)
}

func zstdRecord(t *testing.T, h header, otlp []byte) []byte {
	head, err := json.Marshal(h)
	require.NoError(t, err)
	enc, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	record := binary.BigEndian.AppendUint32(make([]byte, 5), uint32(len(head)))
	record[0] = formatZstd
	record = enc.EncodeAll(otlp, append(record, head...))
	binary.BigEndian.PutUint32(record[1:], crc32.Checksum(record[5:], castagnoli))
	return record
}

// Any flipped bit and any missing byte is found out.
func TestRecordDamage(t *testing.T) {
	c := newTestCodec(t)
	record, err := c.encode(header{Start: 7}, c.pack([]byte("spans")))
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
	record, err := c.encode(header{Start: 7}, c.pack([]byte("spans")))
	require.NoError(f, err)
	f.Add(record)
	f.Add([]byte{formatS2})
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
