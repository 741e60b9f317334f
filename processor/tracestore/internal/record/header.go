package record

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// A header is a sequence of varints; strings, each after its length; the terms, 8 bytes each; the adjusted count as the 8
// bytes of a float; and a byte for whether the trace is complete. appendHeader has the order. Times are Unix nanoseconds.

func appendHeader(dst []byte, h *digest.Header) []byte {
	m, s := &h.Meta, &h.Meta.Summary
	for _, text := range [...]string{s.TraceID, s.RootService, s.RootOperation, s.Policy} {
		dst = appendString(dst, text)
	}
	for _, n := range [...]uint64{
		s.StartUnixNano, h.Duration, h.Start, uint64(s.SpanCount), uint64(s.ErrorCount), uint64(h.Distinct),
		uint64(m.Version), uint64(m.LateSpans), unixNano(m.Stored), unixNano(m.Updated), uint64(len(s.Services)),
	} {
		dst = binary.AppendUvarint(dst, n)
	}
	for i := range s.Services {
		of := &s.Services[i]
		dst = appendString(dst, of.Name)
		dst = binary.AppendUvarint(dst, uint64(of.Spans))
		dst = binary.AppendUvarint(dst, uint64(of.Errors))
		var extent digest.Extent
		if i < len(h.Extents) {
			extent = h.Extents[i]
		}
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, extent.Longest), extent.LongestFailed)
	}
	dst = binary.AppendUvarint(dst, uint64(len(h.Terms)))
	for _, term := range h.Terms {
		dst = binary.BigEndian.AppendUint64(dst, term)
	}
	dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(s.AdjustedCount))
	if s.Complete {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// unixNano returns a time in Unix nanoseconds, 0 for the zero time.
func unixNano(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func timeOf(nanoseconds uint64) time.Time { return time.Unix(0, int64(nanoseconds)).UTC() }

// readHeader reads a header that appendHeader wrote.
func readHeader(b []byte) (h digest.Header, err error) {
	r := reader{left: b}
	m, s := &h.Meta, &h.Meta.Summary
	for _, text := range [...]*string{&s.TraceID, &s.RootService, &s.RootOperation, &s.Policy} {
		*text = r.text()
	}
	s.StartUnixNano, h.Duration, h.Start = r.number(), r.number(), r.number()
	s.SpanCount, s.ErrorCount, h.Distinct = int(r.number()), int(r.number()), int(r.number())
	m.Version, m.LateSpans = int(r.number()), int(r.number())
	m.Stored, m.Updated = timeOf(r.number()), timeOf(r.number())
	s.Start, s.DurationMS = timeOf(s.StartUnixNano), float64(h.Duration)/1e6
	if n := r.count(); n > 0 {
		s.Services, h.Extents = make([]digest.ServiceSummary, n), make([]digest.Extent, n)
	}
	for i := range s.Services {
		s.Services[i] = digest.ServiceSummary{Name: r.text(), Spans: int(r.number()), Errors: int(r.number())}
		h.Extents[i] = digest.Extent{Longest: r.number(), LongestFailed: r.number()}
	}
	if n := r.count(); n > 0 {
		h.Terms = make([]uint64, n)
	}
	for i := range h.Terms {
		h.Terms[i] = r.fixed()
	}
	s.AdjustedCount = math.Float64frombits(r.fixed())
	complete := r.take(1)
	if r.bad || len(r.left) > 0 {
		return digest.Header{}, fmt.Errorf("%w: its header is malformed", ErrCorrupt)
	}
	s.Complete = complete[0] != 0
	return h, nil
}

// reader reads the parts of a header. After the first missing part it is bad, and reads zeros.
type reader struct {
	left []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.left)) {
		r.bad = true
		return nil
	}
	taken := r.left[:n]
	r.left = r.left[n:]
	return taken
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.take(uint64(n))
	return v
}

// count reads a number of elements, each of which takes at least a byte.
func (r *reader) count() uint64 {
	n := r.number()
	if n > uint64(len(r.left)) {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) text() string { return string(r.take(r.number())) }

func (r *reader) fixed() uint64 {
	b := r.take(8)
	if r.bad {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
