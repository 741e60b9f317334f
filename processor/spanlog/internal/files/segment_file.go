package files

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// SegmentFile is a segment's file that was found.
type SegmentFile struct {
	// Shard, Shards and Seed are those of its header.
	Shard, Shards int
	Seed          format.Seed

	File   // Size is that of the file in bytes
	Header format.Header

	dir     *Directory
	sealed  int  // offset at which its complete records end, by its header
	suspect bool // the header is damaged
}

// Path returns the file's path.
func (f *SegmentFile) Path() string { return f.dir.File(f.File) }

// Suspect reports whether the header is damaged, so that its shard may be wrong.
func (f *SegmentFile) Suspect() bool { return f.suspect }

func (f *SegmentFile) packed() bool { return f.Kind == Packed }

// Read yields the spans of a segment, and returns its bytes, for Adopt, and its damage. It reads into buf if that has room.
func (f *SegmentFile) Read(buf []byte, yield func(format.Found)) (Contents, []format.Damage, error) {
	b, damaged, err := f.load(buf)
	if err != nil {
		return Contents{scratch: buf}, nil, explain("read the span log's file", f.Path(), err)
	}
	s := &format.Scanner{
		Path: f.Path(), Bytes: b, Sequence: f.Header.Sequence, Created: f.Header.Created,
		Sealed: f.sealed, Whole: int(f.Header.Size),
	}
	if s.Whole == 0 || f.suspect || f.packed() {
		s.Whole = len(b)
	}
	if f.packed() {
		s.Sealed = len(b)
	}
	spans := 0
	used := s.Scan(func(found format.Found) { spans++; yield(found) })
	if damaged > 0 {
		s.Damage = nil // records are damaged because blocks are
		s.Note(0, fmt.Sprintf("%d of its compressed blocks are damaged", damaged), max(1, f.Spans()-spans), false)
	}
	if f.suspect {
		s.Note(0, "the header is damaged: what belongs to it was found by the checksums", 0, false)
	}
	return Contents{Records: b, Used: used, scratch: buf}, s.Damage, nil
}

// Contents is the bytes of a segment that was read.
type Contents struct {
	Records format.Records
	Used    uint32 // offset at which the intact records end
	scratch []byte
}

// Scratch returns memory to read the next segment into.
func (c Contents) Scratch() []byte { return c.scratch }

// load reads the segment's bytes, and counts damaged blocks, whose bytes are zero.
func (f *SegmentFile) load(buf []byte) (r format.Records, damaged int, err error) {
	if f.packed() {
		return readPacked(f.dir.sys, f.Path(), buf)
	}
	if cap(buf) < int(f.Size) {
		buf = make([]byte, f.Size)
	}
	buf = buf[:f.Size]
	_, err = f.dir.sys.ReadBeginning(f.Path(), buf)
	return buf, 0, err
}

// Spans estimates the number of spans in a file that cannot be read; at least 1.
func (f *SegmentFile) Spans() int {
	if b, err := f.dir.sys.ReadAll(f.Path()); err == nil {
		if !f.packed() {
			return max(1, format.CountSpans(b, format.HeaderSize, len(b)))
		}
		if spans, ok := format.PackedSpans(b); ok {
			return max(1, spans)
		}
	}
	const spanSize = 500 // as a guess
	return int(max(1, f.Size/spanSize))
}

// Delete deletes a file whose spans were copied to other segments. It marks the file as free first, so that a crash in
// between does not revive it.
func (f *SegmentFile) Delete() {
	_ = f.dir.markFree(f.File)
	_ = f.dir.Remove(f.File) // the next start deletes a file that stays
}
