package tracestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// FileName is the name of the store's file in its directory.
const FileName = "traces.db"

// Errors of ReadFile.
var (
	// ErrInUse says that a running gateway has the file open.
	ErrInUse = errors.New("a running gateway has the file open, and nobody else can read it: stop the gateway meanwhile, or let it write " +
		"kept traces to a file, too, with the Collector's file exporter")
	// ErrDamaged says that a trace, or a chunk of traces, is damaged. The following ones can be read.
	ErrDamaged = errors.New("stored traces are damaged")
)

// MagicBytes is the number of bytes that IsFile needs.
const MagicBytes = 20

// IsFile reports whether these are the first bytes of a file like the store's: one of bbolt's.
func IsFile(begin []byte) bool {
	const magic, at = 0xED0CDAED, 16 // of the first page, after its header
	return len(begin) >= MagicBytes && bytes.Equal(begin[at:MagicBytes], binary.NativeEndian.AppendUint32(nil, magic))
}

// ReadFile iterates over the OTLP requests of all traces in a store's file, one for each trace with its late spans, in the order in which
// they were stored. It does not change the file. After ErrDamaged it continues; any other error, such as ErrInUse, ends it.
func ReadFile(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		file, err := tracefile.OpenReadOnly(path)
		if err != nil {
			if errors.Is(err, state.ErrLocked) {
				err = ErrInUse
			}
			yield(nil, err)
			return
		}
		defer func() { _ = file.Close() }() // it was opened read-only
		for request, err := range file.Requests() {
			if errors.Is(err, record.ErrCorrupt) {
				err = fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			if !yield(request, err) {
				return
			}
		}
	}
}
