package cold

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// ErrChanged means that a record is not as it was written. It wraps format.ErrDamaged.
var ErrChanged = fmt.Errorf("read spans back: %w: a record has changed since it was written", format.ErrDamaged)

// Reader reads the runs of one trace at a time. It is for one goroutine at a time.
type Reader struct {
	open    openFiles
	window  window
	blocks  blocks
	headers headers

	memory  int // bytes; see NewReader
	bodies  []byte
	spans   []span
	origins []origin
}

// span is a record that was read, by offsets in Reader.bodies.
type span struct {
	from, to uint32
	scope    uint32 // offset of its scope in the segment
	origin   int32  // index in Reader.origins, -1 if that cannot be read
}

// origin is a scope and its resource that were read.
type origin struct {
	at              format.Position
	resource, scope header
}

// Result is the records of a run that were read. They are valid until the next Begin.
type Result struct {
	first, last int
	// Err is why some or all records are missing; nil if none is.
	Err error
}

// Record is a span that was read.
type Record struct {
	Body, Resource, Scope []byte
	// Origin is the position of the scope.
	Origin format.Position
}

// NewReader returns a reader of segments. disk is nil if they are in memory. From one trace to the next it keeps decoded
// blocks of memory bytes, half as many bytes of records, and a quarter of resources and scopes.
func NewReader(disk *files.Disk, limit *Limit, memory int) *Reader {
	return &Reader{
		open: openFiles{disk: disk, limit: limit}, window: newWindow(memory), blocks: newBlocks(memory), headers: newHeaders(memory / 8),
		memory: memory,
	}
}

// Begin discards the results of earlier reads, and makes room for so many bytes of records.
func (r *Reader) Begin(bytes int) {
	r.headers.age()
	r.spans, r.origins = r.spans[:0], r.origins[:0]
	r.bodies = slices.Grow(r.bodies[:0], bytes)
}

// Read reads a run, given by the offset of its last record and the size of all its records.
func (r *Reader) Read(s *Segment, last, bytes uint32) Result {
	result := Result{first: len(r.spans)}
	result.Err = r.follow(s, last, bytes)
	result.last = len(r.spans)
	read := r.spans[result.first:]
	slices.Reverse(read)
	for i := range read {
		if i > 0 && read[i].scope == read[i-1].scope {
			read[i].origin = read[i-1].origin
			continue
		}
		if err := r.find(s, &read[i]); err != nil && result.Err == nil {
			result.Err = err
		}
	}
	return result
}

// follow reads the records of a run, the newest first.
func (r *Reader) follow(s *Segment, last, bytes uint32) error {
	for at := last; at != 0; {
		record, err := r.record(s, at, bytes)
		if err != nil {
			return err
		}
		if k := record.Kind(0); k != format.KindSpan && k != format.KindCopied {
			return ErrChanged
		}
		bytes -= uint32(len(record))
		from := uint32(len(r.bodies))
		r.bodies = append(r.bodies, record.Body(0)...)
		r.spans = append(r.spans, span{from: from, to: uint32(len(r.bodies)), scope: record.Ref(0)})
		prev := s.prev(at, record)
		if prev >= at {
			return ErrChanged
		}
		at = prev
	}
	if bytes != 0 {
		return ErrChanged // a link skips records
	}
	return nil
}

// record returns the record at an offset, valid until the next call. The error is ErrChanged if it is damaged, or has more than
// limit bytes.
func (r *Reader) record(s *Segment, at, limit uint32) (format.Records, error) {
	if at < format.HeaderSize || at > s.Used || s.Used-at < format.RecordHeaderSize || limit < format.RecordHeaderSize {
		return nil, ErrChanged
	}
	b, err := r.at(s, at, format.RecordHeaderSize, int(limit))
	if err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(b[format.LengthAt:])
	if length > limit-format.RecordHeaderSize || length > s.Used-at-format.RecordHeaderSize {
		return nil, ErrChanged
	}
	if b, err = r.at(s, at, format.RecordHeaderSize+length, int(limit)); err != nil {
		return nil, err
	}
	record := format.Records(b)
	if record.Kind(0) == format.KindCopied && length < format.CopiedSize ||
		s.Checked && format.RecordChecksum(s.Sequence, b) != binary.LittleEndian.Uint32(b[format.ChecksumAt:]) {
		return nil, ErrChanged
	}
	return record, nil
}

// at returns n bytes of a segment, valid until the next call. want is how many bytes before their end may be requested next.
func (r *Reader) at(s *Segment, at, n uint32, want int) ([]byte, error) {
	if s.Compressed() {
		return r.blocks.at(&r.open, s, at, n)
	}
	return r.window.at(&r.open, s, at, n, want)
}

// find sets the origin of a span to its resource and scope, -1 if one of them cannot be read.
func (r *Reader) find(s *Segment, target *span) error {
	target.origin = -1
	scope, err := r.header(s, target.scope, format.KindScope)
	if err != nil {
		return err
	}
	resource, err := r.header(s, scope.ref, format.KindResource)
	if err != nil {
		return err
	}
	target.origin = int32(len(r.origins))
	r.origins = append(r.origins, origin{format.PositionOf(s.Sequence, target.scope), resource, scope})
	return nil
}

// header returns the resource or scope at an offset, from the cache or from the segment.
func (r *Reader) header(s *Segment, at uint32, kind format.Kind) (header, error) {
	place := format.PositionOf(s.Sequence, at)
	if found, ok := r.headers.get(place); ok {
		return found, nil
	}
	record, err := r.record(s, at, s.Used)
	if err != nil {
		return header{}, err
	}
	if record.Kind(0) != kind {
		return header{}, ErrChanged
	}
	return r.headers.put(place, record.Ref(0), record.Content(0)), nil
}

// Records yields the records that were read of a run, the oldest first, and reports whether yield accepted them all: it stops
// when yield returns false.
func (r *Reader) Records(result Result, yield func(Record) bool) bool {
	for _, s := range r.spans[result.first:result.last] {
		if s.origin < 0 {
			continue
		}
		o := &r.origins[s.origin]
		if !yield(Record{
			Body: r.bodies[s.from:s.to:s.to], Resource: r.headers.of(o.resource), Scope: r.headers.of(o.scope), Origin: o.at,
		}) {
			return false
		}
	}
	return true
}

// Rest prepares a reader for idling: it closes the files of segments that are gone, and frees what a large trace took. Results
// are not valid any more. The caller holds the mutex that guards Segment.Gone.
func (r *Reader) Rest() {
	r.open.closeGone()
	r.window.trim()
	r.blocks.trim()
	r.headers.trim()
	if cap(r.bodies) > r.memory/2 {
		r.bodies = nil
	}
	if (cap(r.spans)+cap(r.origins))*int(unsafe.Sizeof(span{})) > r.memory/4 {
		r.spans, r.origins = nil, nil
	}
}

// Close closes all files. The reader may be used again.
func (r *Reader) Close() { r.open.closeAll() }

// Bytes returns how much memory the reader takes.
func (r *Reader) Bytes() int {
	return cap(r.bodies) + cap(r.spans)*int(unsafe.Sizeof(span{})) + cap(r.origins)*int(unsafe.Sizeof(origin{})) +
		cap(r.window.buf) + r.blocks.bytes() + r.headers.bytes()
}
