// Package record encodes a trace as one value: Append makes a record of a digest.Header and of spans compressed by Pack.
// Any damage to a record is ErrCorrupt.
package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// ErrCorrupt says that a record is damaged.
var ErrCorrupt = errors.New("the record is damaged")

// A record is
//
//	format (1) | CRC-32C of all that follows (4) | length of the header (4) | header (header.go) | spans (pack.go)
//
// with big-endian numbers. The spans are an OTLP protobuf message; two such, one after the other, are the message of
// both, which is how late spans are added.
const (
	format       = 4
	recordPrefix = 1 + 4 + 4
)

// MaxTraceBytes is the largest trace that is stored, uncompressed. A larger one has a leaked context, and each late
// span would cost reading and writing all of it.
const MaxTraceBytes = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends the record of the header and of the result of Pack to dst.
func Append(dst []byte, h *digest.Header, packed []byte) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, recordPrefix)...)
	dst = appendHeader(dst, h)
	record := dst[from:]
	record[0] = format
	binary.BigEndian.PutUint32(record[5:], uint32(len(record)-recordPrefix))
	dst = append(dst, packed...)
	record = dst[from:]
	binary.BigEndian.PutUint32(record[1:], crc32.Checksum(record[5:], castagnoli))
	return dst
}

// Header reads a record's header. It checks the whole record.
func Header(record []byte) (digest.Header, error) {
	h, _, err := split(record)
	return h, err
}

// Decode reads a record. The results share no memory with it.
func Decode(record []byte) (digest.Header, []byte, error) {
	h, compressed, err := split(record)
	if err != nil {
		return digest.Header{}, nil, err
	}
	spans, err := Unpack(compressed)
	if err != nil {
		return digest.Header{}, nil, err
	}
	return h, spans, nil
}

// Size returns the size of a record's spans in bytes, uncompressed, and false if the record does not have it. It does not check the
// record for damage, so it is as fast for a large one.
func Size(record []byte) (int, bool) {
	if len(record) < recordPrefix || record[0] != format {
		return 0, false
	}
	body := record[recordPrefix:]
	header := uint64(binary.BigEndian.Uint32(record[5:]))
	if header > uint64(len(body)) {
		return 0, false
	}
	size, err := unpackedLen(body[header:])
	return size, err == nil
}

func split(record []byte) (h digest.Header, compressed []byte, err error) {
	if len(record) < recordPrefix || record[0] != format {
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
	if h, err = readHeader(body[:n]); err != nil {
		return digest.Header{}, nil, err
	}
	return h, body[n:], nil
}
