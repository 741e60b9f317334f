// Package record writes a trace as one value of the store's file, and reads it back: a Codec makes a record of a
// digest.Header and of spans that Pack compressed. A damaged record is ErrCorrupt, whatever the damage.
package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// ErrCorrupt says that a record is not what was written.
var ErrCorrupt = errors.New("the record is damaged")

// A record is
//
//	format (1) | CRC-32C of all that follows (4) | length of the header (4) | header, JSON | spans, compressed
//
// with big-endian numbers. The spans are an OTLP protobuf message; two such, one after the other, are the message of
// both, which is how late spans are added. The format says how they are compressed.
const (
	formatZstd   = 1 // what earlier versions wrote; it is only read
	formatS2     = 2 // an S2 block: a seventh more bytes than zstd for a tenth of its time
	recordPrefix = 1 + 4 + 4
)

// MaxTraceBytes is the largest trace that is stored, uncompressed. More of one trace ID is a leaked context, and each
// late span costs reading and writing all of it.
const MaxTraceBytes = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Codec writes and reads records. Its methods may be called concurrently.
type Codec struct {
	zstd    *zstd.Decoder
	scratch sync.Pool // *[]byte, what Pack compresses into
}

// NewCodec returns a codec; Close it.
func NewCodec() (*Codec, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(2*MaxTraceBytes))
	if err != nil {
		return nil, err
	}
	return &Codec{zstd: dec, scratch: sync.Pool{New: func() any { return new([]byte) }}}, nil
}

// Pack compresses an OTLP message of at most MaxTraceBytes.
func (c *Codec) Pack(spans []byte) []byte {
	scratch := c.scratch.Get().(*[]byte)
	defer c.scratch.Put(scratch)
	packed := s2.Encode((*scratch)[:cap(*scratch)], spans)
	if cap(packed) <= maxScratch {
		*scratch = packed
	}
	return slices.Clone(packed)
}

// maxScratch is the most memory that a call of Pack leaves for the next.
const maxScratch = 1 << 20

// Unpack undoes Pack.
func (c *Codec) Unpack(packed []byte) ([]byte, error) {
	n, err := s2.DecodedLen(packed)
	if err == nil && n > MaxTraceBytes {
		err = fmt.Errorf("%d bytes of spans are more than a record holds", n)
	}
	var spans []byte
	if err == nil {
		spans, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return spans, nil
}

// Encode makes a record of the header and what Pack returned.
func (c *Codec) Encode(h digest.Header, packed []byte) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode the header of trace %s: %w", h.Meta.Summary.TraceID, err)
	}
	record := make([]byte, recordPrefix, recordPrefix+len(head)+len(packed))
	record[0] = formatS2
	binary.BigEndian.PutUint32(record[5:], uint32(len(head)))
	record = append(append(record, head...), packed...)
	binary.BigEndian.PutUint32(record[1:], crc32.Checksum(record[5:], castagnoli))
	return record, nil
}

// Header reads a record's header. It checks the whole record.
func (c *Codec) Header(record []byte) (digest.Header, error) {
	h, _, err := c.split(record)
	return h, err
}

// Decode reads a record. What it returns shares no memory with it.
func (c *Codec) Decode(record []byte) (digest.Header, []byte, error) {
	h, compressed, err := c.split(record)
	if err != nil {
		return digest.Header{}, nil, err
	}
	var spans []byte
	if record[0] == formatS2 {
		spans, err = c.Unpack(compressed)
	} else if spans, err = c.zstd.DecodeAll(compressed, nil); err != nil {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return digest.Header{}, nil, err
	}
	return h, spans, nil
}

func (c *Codec) split(record []byte) (h digest.Header, compressed []byte, err error) {
	if len(record) < recordPrefix || record[0] != formatZstd && record[0] != formatS2 {
		return digest.Header{}, nil, fmt.Errorf("%w: unknown format", ErrCorrupt)
	}
	if crc32.Checksum(record[5:], castagnoli) != binary.BigEndian.Uint32(record[1:]) {
		return digest.Header{}, nil, fmt.Errorf("%w: checksum mismatch", ErrCorrupt)
	}
	n := binary.BigEndian.Uint32(record[5:])
	body := record[recordPrefix:]
	if uint64(n) > uint64(len(body)) {
		return digest.Header{}, nil, fmt.Errorf("%w: the header is longer than the record", ErrCorrupt)
	}
	if err := json.Unmarshal(body[:n], &h); err != nil {
		return digest.Header{}, nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return h, body[n:], nil
}

// Close frees what the codec holds. It must not be used again.
func (c *Codec) Close() {
	c.zstd.Close()
}
