package tracestore

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
)

// errCorrupt says that a record is not what was written.
var errCorrupt = errors.New("the record is damaged")

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

// maxTraceBytes is the largest trace that is stored, uncompressed. More of one trace ID is a leaked context, and each
// late span costs reading and writing all of it.
const maxTraceBytes = 64 << 20

// header is what the store knows of a trace without its spans.
type header struct {
	Meta Meta `json:"meta"`
	// Duration is the summary's, in nanoseconds.
	Duration uint64 `json:"duration"`
	// Start is the trace's start as the index has it, and Terms what it is found by, so that both can be taken back.
	Start uint64   `json:"start"`
	Terms []uint64 `json:"terms"`
	// Distinct counts the spans without identical copies: late spans that do not raise it bring nothing.
	Distinct int `json:"distinct"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// codec writes and reads records. Its methods may be called concurrently.
type codec struct {
	zstd    *zstd.Decoder
	scratch sync.Pool // *[]byte, what pack compresses into
}

func newCodec() (*codec, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(2*maxTraceBytes))
	if err != nil {
		return nil, err
	}
	return &codec{zstd: dec, scratch: sync.Pool{New: func() any { return new([]byte) }}}, nil
}

// pack compresses an OTLP message of at most maxTraceBytes.
func (c *codec) pack(spans []byte) []byte {
	scratch := c.scratch.Get().(*[]byte)
	defer c.scratch.Put(scratch)
	packed := s2.Encode((*scratch)[:cap(*scratch)], spans)
	if cap(packed) <= maxScratch {
		*scratch = packed
	}
	return slices.Clone(packed)
}

// maxScratch is the most memory that a call of pack leaves for the next.
const maxScratch = 1 << 20

// unpack undoes pack.
func (c *codec) unpack(packed []byte) ([]byte, error) {
	n, err := s2.DecodedLen(packed)
	if err == nil && n > maxTraceBytes {
		err = fmt.Errorf("%d bytes of spans are more than a record holds", n)
	}
	var spans []byte
	if err == nil {
		spans, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return spans, nil
}

// encode makes a record of the header and what pack returned.
func (c *codec) encode(h header, packed []byte) ([]byte, error) {
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

// header reads a record's header. It checks the whole record.
func (c *codec) header(record []byte) (header, error) {
	h, _, err := c.split(record)
	return h, err
}

// decode reads a record. What it returns shares no memory with it.
func (c *codec) decode(record []byte) (header, []byte, error) {
	h, compressed, err := c.split(record)
	if err != nil {
		return header{}, nil, err
	}
	var spans []byte
	if record[0] == formatS2 {
		spans, err = c.unpack(compressed)
	} else if spans, err = c.zstd.DecodeAll(compressed, nil); err != nil {
		err = fmt.Errorf("%w: %w", errCorrupt, err)
	}
	if err != nil {
		return header{}, nil, err
	}
	return h, spans, nil
}

func (c *codec) split(record []byte) (h header, compressed []byte, err error) {
	if len(record) < recordPrefix || record[0] != formatZstd && record[0] != formatS2 {
		return header{}, nil, fmt.Errorf("%w: unknown format", errCorrupt)
	}
	if crc32.Checksum(record[5:], castagnoli) != binary.BigEndian.Uint32(record[1:]) {
		return header{}, nil, fmt.Errorf("%w: checksum mismatch", errCorrupt)
	}
	n := binary.BigEndian.Uint32(record[5:])
	body := record[recordPrefix:]
	if uint64(n) > uint64(len(body)) {
		return header{}, nil, fmt.Errorf("%w: the header is longer than the record", errCorrupt)
	}
	if err := json.Unmarshal(body[:n], &h); err != nil {
		return header{}, nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return h, body[n:], nil
}

func (c *codec) close() {
	c.zstd.Close()
}
