package cold

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// builder makes the bytes of a segment with runs of several traces.
type builder struct {
	b        []byte
	sequence uint64
	runs     map[string]*written
}

// written is a run with its expected records.
type written struct {
	last, bytes uint32
	at          []uint32 // of its records, oldest first
	want        []string // as described returns them
}

func newBuilder(sequence uint64) *builder {
	b := &builder{b: make([]byte, format.HeaderSize), sequence: sequence, runs: map[string]*written{}}
	(&format.Header{Sequence: sequence}).Put(b.b)
	format.SetMagic(b.b, format.MagicSegment)
	return b
}

func (b *builder) put(k format.Kind, ref, prev uint32, payload string) uint32 {
	at := uint32(len(b.b))
	record := make([]byte, format.RecordHeaderSize, format.RecordHeaderSize+len(payload))
	binary.LittleEndian.PutUint32(record[format.PrevAt:], prev)
	binary.LittleEndian.PutUint32(record[format.LengthAt:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(record[format.RefAt:], uint32(k)<<format.KindShift|ref)
	record = append(record, payload...)
	binary.LittleEndian.PutUint32(record, format.RecordChecksum(b.sequence, record))
	b.b = append(b.b, record...)
	return at
}

// origin is a resource and scope in the segment.
type testOrigin struct {
	scope uint32
	text  string
}

func (b *builder) origin(resource, scope string) testOrigin {
	at := b.put(format.KindScope, b.put(format.KindResource, 0, 0, resource), 0, scope)
	return testOrigin{at, described(resource, scope, "")}
}

// span adds a span to the run of a trace, every third as a copy.
func (b *builder) span(trace string, o testOrigin, body string) {
	r := b.runs[trace]
	if r == nil {
		r = &written{}
		b.runs[trace] = r
	}
	kind, payload := format.KindSpan, body
	if len(r.at)%3 == 2 {
		kind, payload = format.KindCopied, "12345678"+body
	}
	r.last = b.put(kind, o.scope, r.last, payload)
	r.at = append(r.at, r.last)
	r.bytes += uint32(format.RecordHeaderSize + len(payload))
	r.want = append(r.want, o.text+described("", "", body))
}

// described returns what tests compare of a record: of a long text its beginning and length.
func described(parts ...string) (text string) {
	for _, p := range parts {
		if len(p) > 20 {
			p = fmt.Sprintf("%s…%d", p[:20], len(p))
		}
		text += p + "|"
	}
	return text
}

// places are the places where a segment may be.
var places = []string{"file", "packed file", "packed memory"}

// testDisk returns a disk in a directory of its own.
func testDisk(t testing.TB, sys files.System) *files.Disk {
	dir, err := files.OpenDirectoryOn(sys, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dir.Close()) })
	return files.NewDisk(dir, 1<<40, 1<<20, 1)
}

// segment puts the segment in the given place.
func (b *builder) segment(t testing.TB, disk *files.Disk, place string) *Segment {
	format.SetUsed(b.b, uint32(len(b.b)))
	s := &Segment{Used: uint32(len(b.b)), Sequence: b.sequence, Checked: true}
	content := b.b
	if place != "file" {
		content = format.Pack(b.b, nil)
	}
	switch place {
	case "file":
		s.File = files.File{Number: b.sequence, Kind: files.Segment, Size: int64(len(content))}
	case "packed file":
		s.File = files.File{Number: b.sequence, Kind: files.Packed, Size: int64(len(content))}
	default:
		s.Packed = mapped.Allocate(len(content))
		t.Cleanup(s.Packed.Release)
		copy(s.Packed.Buf, content)
	}
	if s.Size = int64(len(content)); s.InFile() {
		require.NoError(t, os.WriteFile(disk.File(s.File), content, 0o600))
	}
	return s
}

// newReader returns a reader that is closed at the end of the test, when no file may be open.
func newReader(t testing.TB, disk *files.Disk) *Reader {
	limit := &Limit{}
	r := NewReader(disk, limit, 128<<10)
	t.Cleanup(func() {
		r.Close()
		require.Zero(t, limit.Open(), "files that are still open")
	})
	return r
}

// read returns the records of a run as the reader returns them.
func read(r *Reader, s *Segment, run *written) (got []string, err error) {
	r.Begin(int(run.bytes))
	return records(r, r.Read(s, run.last, run.bytes))
}

// records describes the records that were read.
func records(r *Reader, result Result) (got []string, err error) {
	r.Records(result, func(record Record) bool {
		got = append(got, described(string(record.Resource), string(record.Scope), "")+described("", "", string(record.Body)))
		return true
	})
	return got, result.Err
}

// mixed is a segment of more than three blocks with interleaved traces and records of all lengths.
func mixed() *builder {
	b := newBuilder(7)
	origins := []testOrigin{b.origin("resource 0", "scope 0"), b.origin("", ""), b.origin(strings.Repeat("large resource ", 6000), "scope")}
	for i := range 300 {
		b.span(fmt.Sprintf("trace %d", i%7), origins[i%2], fmt.Sprintf("body %d %s", i, strings.Repeat(".", i*7%900)))
		if i%50 == 0 {
			b.span("large", origins[i/50%3], fmt.Sprintf("large body %d %s", i, strings.Repeat("+", 1000*i%70_000)))
		}
		if i == 100 {
			for n := range 100 {
				b.span("dense", origins[n%3], fmt.Sprintf("dense %d %s", n, strings.Repeat("-", n)))
			}
		}
	}
	b.span("one", origins[0], "")
	return b
}
