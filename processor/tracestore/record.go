package tracestore

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
)

// errCorrupt says that a record is not what was written.
var errCorrupt = errors.New("the record is damaged")

// A record is
//
//	format (1) | CRC-32C of all that follows (4) | length of the header (4) | header, JSON | spans, zstd
//
// with big-endian numbers. The spans are an OTLP protobuf message; two such, one after the other, are the message of
// both, which is how late spans are added.
const (
	recordFormat = 1
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
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false)) // the record has one
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(2*maxTraceBytes))
	if err != nil {
		return nil, err
	}
	return &codec{enc, dec}, nil
}

func (c *codec) encode(h header, spans []byte) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode the header of trace %s: %w", h.Meta.Summary.TraceID, err)
	}
	record := make([]byte, recordPrefix, recordPrefix+len(head)+len(spans)/4)
	record[0] = recordFormat
	binary.BigEndian.PutUint32(record[5:], uint32(len(head)))
	record = c.enc.EncodeAll(spans, append(record, head...))
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
	spans, err := c.dec.DecodeAll(compressed, nil)
	if err != nil {
		return header{}, nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return h, spans, nil
}

func (c *codec) split(record []byte) (h header, compressed []byte, err error) {
	if len(record) < recordPrefix || record[0] != recordFormat {
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
	c.dec.Close()
}
