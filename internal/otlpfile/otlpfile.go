// Package otlpfile reads files of OTLP traces: JSON objects one after the other, or protobuf as the Collector's file
// exporter writes it, with or without lengths, and with or without zstd compression of each message or of the whole file.
package otlpfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// MaxMessage is the largest size of a message in bytes, uncompressed.
const MaxMessage = 1 << 30

// Read returns the messages of a file as requests in protobuf, each only valid until the next. An error ends it, and has the
// position in the file.
//
// The first bytes tell the format: JSON begins with a brace; a message without a length with the tag of its first field; a
// length, four bytes with the highest first, with a byte below that tag; and a compressed file with zstd's magic number.
func Read(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		in := bufio.NewReaderSize(r, 1<<16)
		if magic, _ := in.Peek(len(zstdMagic)); bytes.Equal(magic, zstdMagic) {
			z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(MaxMessage), zstd.WithDecoderConcurrency(1))
			if err != nil {
				yield(nil, err)
				return
			}
			defer z.Close()
			in = bufio.NewReaderSize(z, 1<<16)
		}
		begin, err := in.Peek(1 << 9)
		switch {
		case len(begin) == 0 && errors.Is(err, io.EOF):
		case err != nil && !errors.Is(err, io.EOF):
			yield(nil, err)
		case bytes.HasPrefix(bytes.TrimLeft(begin, " \t\r\n"), []byte{'{'}):
			readJSON(in, yield)
		case begin[0] < resourceSpansTag:
			readDelimited(in, yield)
		case begin[0] == resourceSpansTag:
			data, err := io.ReadAll(io.LimitReader(in, MaxMessage+1))
			if err == nil && len(data) > MaxMessage {
				err = errTooLong
			}
			yield(data, err)
		default:
			yield(nil, fmt.Errorf("is neither OTLP JSON nor OTLP protobuf: it begins with the byte 0x%02x", begin[0]))
		}
	}
}

// resourceSpansTag begins a TracesData: field 1, with a length.
const resourceSpansTag = 0x0a

var errTooLong = fmt.Errorf("a message has more than %d bytes", MaxMessage)

func readJSON(in io.Reader, yield func([]byte, error) bool) {
	decoder := json.NewDecoder(in)
	for {
		at := decoder.InputOffset()
		var message json.RawMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			return
		}
		var request []byte
		if err == nil {
			request, err = fromJSON(message)
		}
		if err != nil {
			yield(nil, fmt.Errorf("the JSON after byte %d: %w", at, err))
			return
		}
		if !yield(request, nil) {
			return
		}
	}
}

func fromJSON(message []byte) ([]byte, error) {
	var u ptrace.JSONUnmarshaler
	td, err := u.UnmarshalTraces(message)
	if err != nil {
		return nil, err
	}
	var m ptrace.ProtoMarshaler
	return m.MarshalTraces(td)
}

func readDelimited(in io.Reader, yield func([]byte, error) bool) {
	var (
		message bytes.Buffer
		at      int64
	)
	for {
		var length [4]byte
		if _, err := io.ReadFull(in, length[:]); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			yield(nil, fmt.Errorf("the length at byte %d: %w", at, err))
			return
		}
		n := int64(binary.BigEndian.Uint32(length[:]))
		message.Reset()
		err := error(nil)
		if n > MaxMessage {
			err = errTooLong
		} else if _, err = io.CopyN(&message, in, n); errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		var request []byte
		if err == nil {
			request, err = unpack(message.Bytes())
		}
		if err != nil {
			yield(nil, fmt.Errorf("the message of %d bytes at byte %d: %w", n, at, err))
			return
		}
		if !yield(request, nil) {
			return
		}
		at += int64(len(length)) + n
	}
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// unpack undoes the file exporter's compression and format.
func unpack(message []byte) ([]byte, error) {
	if bytes.HasPrefix(message, zstdMagic) {
		z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxMessage), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		if message, err = z.DecodeAll(message, nil); err != nil {
			return nil, err
		}
	}
	if bytes.HasPrefix(message, []byte{'{'}) {
		return fromJSON(message)
	}
	return message, nil
}
