package cold

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Wherever a segment is, each of its runs reads as written: one by one, several at once, and repeatedly.
func TestRead(t *testing.T) {
	for _, place := range places {
		t.Run(place, func(t *testing.T) {
			b := mixed()
			disk := testDisk(t, files.OS)
			s := b.segment(t, disk, place)
			r := newReader(t, disk)
			traces := slices.Sorted(maps.Keys(b.runs))
			for range 2 {
				for _, trace := range traces {
					got, err := read(r, s, b.runs[trace])
					require.NoError(t, err)
					require.Equal(t, b.runs[trace].want, got, trace)
					r.Rest()
				}
			}
			r.Begin(0)
			var results []Result
			for _, trace := range traces {
				results = append(results, r.Read(s, b.runs[trace].last, b.runs[trace].bytes))
			}
			for i, trace := range traces {
				got, err := records(r, results[i])
				require.NoError(t, err)
				require.Equal(t, b.runs[trace].want, got, trace)
			}
			whole := make([]byte, s.Used)
			require.NoError(t, s.Load(disk, whole))
			assert.Equal(t, b.b, whole)
		})
	}
}

// Records of one scope have the same origin; others have different ones.
func TestOrigins(t *testing.T) {
	b := newBuilder(3)
	one, other := b.origin("resource", "scope"), b.origin("resource", "other")
	for _, o := range []testOrigin{one, other, one, one} {
		b.span("a", o, "body")
	}
	disk := testDisk(t, files.OS)
	s := b.segment(t, disk, "file")
	r := newReader(t, disk)
	r.Begin(0)
	var got []format.Position
	assert.True(t, r.Records(r.Read(s, b.runs["a"].last, b.runs["a"].bytes), func(record Record) bool {
		got = append(got, record.Origin)
		return true
	}))
	want := func(o testOrigin) format.Position { return format.PositionOf(3, o.scope) }
	assert.Equal(t, []format.Position{want(one), want(other), want(one), want(one)}, got)

	calls := 0
	r.Begin(0)
	assert.False(t, r.Records(r.Read(s, b.runs["a"].last, b.runs["a"].bytes), func(Record) bool { calls++; return calls < 2 }))
	assert.Equal(t, 2, calls)
}

// Appending to a record's bytes does not change the next record.
func TestRecordsCannotBeAppendedInto(t *testing.T) {
	b := newBuilder(3)
	o := b.origin("resource", "scope")
	b.span("a", o, "one")
	b.span("a", o, "two")
	disk := testDisk(t, files.OS)
	s := b.segment(t, disk, "file")
	r := newReader(t, disk)
	r.Begin(100)
	result := r.Read(s, b.runs["a"].last, b.runs["a"].bytes)
	r.Records(result, func(record Record) bool {
		_, _, _ = append(record.Body, "overwritten"...), append(record.Resource, "overwritten"...), append(record.Scope, "overwritten"...)
		return true
	})
	got, err := records(r, result)
	require.NoError(t, err)
	assert.Equal(t, b.runs["a"].want, got)
}

// Wrong links in a file are corrected.
func TestPatches(t *testing.T) {
	for _, place := range places {
		b := newBuilder(3)
		o := b.origin("resource", "scope")
		for i := range 20 {
			b.span("a", o, fmt.Sprintf("body %d", i))
		}
		run := b.runs["a"]
		for _, at := range run.at {
			format.Records(b.b).SetPrev(at, 1<<29) // as in a file that is out of date
		}
		disk := testDisk(t, files.OS)
		s := b.segment(t, disk, place)
		r := newReader(t, disk)
		got, err := read(r, s, run)
		require.ErrorIs(t, err, ErrChanged)
		require.Equal(t, run.want[19:], got)
		prev := uint32(0)
		for _, at := range run.at {
			s.Patches = append(s.Patches, Patch{at, prev})
			prev = at
		}
		got, err = read(r, s, run)
		require.NoError(t, err)
		assert.Equal(t, run.want, got)
		whole := make([]byte, s.Used)
		require.NoError(t, s.Load(disk, whole))
		assert.Equal(t, run.at[4], format.Records(whole).Prev(run.at[5]))
	}
}

// Damage is an error, and the records before the damaged one are missing.
func TestDamage(t *testing.T) {
	const spans = 10
	for name, c := range map[string]struct {
		change func(b *builder, run *written)
		want   []int // records that are read all the same
	}{
		"a bit in a body":          {func(b *builder, r *written) { b.b[r.at[4]+format.RecordHeaderSize] ^= 1 }, []int{5, 6, 7, 8, 9}},
		"a bit in a checksum":      {func(b *builder, r *written) { b.b[r.at[9]] ^= 1 }, nil},
		"a bit in a length":        {func(b *builder, r *written) { b.b[r.at[4]+format.LengthAt] ^= 1 }, []int{5, 6, 7, 8, 9}},
		"a length out of the file": {func(b *builder, r *written) { b.b[r.at[4]+format.LengthAt+3] ^= 0x80 }, []int{5, 6, 7, 8, 9}},
		"a bit in a reference":     {func(b *builder, r *written) { b.b[r.at[4]+format.RefAt] ^= 1 }, []int{5, 6, 7, 8, 9}},
		"a bit in the time":        {func(b *builder, r *written) { b.b[r.at[4]+format.ArrivedAt] ^= 1 }, []int{5, 6, 7, 8, 9}},
		"a link out of the file":   {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], 1<<29) }, []int{5, 6, 7, 8, 9}},
		"a link to itself":         {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], r.at[5]) }, []int{5, 6, 7, 8, 9}},
		"a link forward":           {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], r.at[9]) }, []int{5, 6, 7, 8, 9}},
		"a link into the header":   {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], format.HeaderSize-1) }, []int{5, 6, 7, 8, 9}},
		"a link into a record":     {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], r.at[4]+1) }, []int{5, 6, 7, 8, 9}},
		"a link to a resource":     {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], format.HeaderSize) }, []int{5, 6, 7, 8, 9}},
		"a link past a record":     {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], r.at[3]) }, []int{0, 1, 2, 3, 5, 6, 7, 8, 9}},
		"a run that ends early":    {func(b *builder, r *written) { format.Records(b.b).SetPrev(r.at[5], 0) }, []int{5, 6, 7, 8, 9}},
		"a bit in the scope":       {func(b *builder, _ *written) { b.b[b.other().scope+format.RecordHeaderSize] ^= 1 }, []int{0, 2, 4, 6, 8}},
		"a bit in the resource": {func(b *builder, _ *written) {
			b.b[format.Records(b.b).Ref(b.other().scope)+format.RecordHeaderSize] ^= 1
		}, []int{0, 2, 4, 6, 8}},
		"a scope that is none": {func(b *builder, _ *written) {
			at := b.other().scope
			b.b[at+format.RefAt+3] ^= 0x40 // now it is a span
			end := int(at) + format.RecordHeaderSize + len("other")
			binary.LittleEndian.PutUint32(b.b[at:], format.RecordChecksum(b.sequence, b.b[at:end]))
		}, []int{0, 2, 4, 6, 8}},
		"all zeros": {func(b *builder, _ *written) { clear(b.b) }, nil},
	} {
		for _, place := range places {
			t.Run(name+", "+place, func(t *testing.T) {
				b := newBuilder(3)
				origins := []testOrigin{b.origin("resource", "scope"), b.origin("another", "other")}
				for i := range spans {
					b.span("a", origins[i%2], fmt.Sprintf("body %d", i))
					b.span("b", origins[0], fmt.Sprintf("of another trace %d", i))
				}
				run := b.runs["a"]
				c.change(b, run)
				disk := testDisk(t, files.OS)
				r := newReader(t, disk)
				got, err := read(r, b.segment(t, disk, place), run)
				require.ErrorIs(t, err, ErrChanged)
				require.ErrorIs(t, err, format.ErrDamaged)
				var want []string
				for _, i := range c.want {
					want = append(want, run.want[i])
				}
				assert.Equal(t, want, got)
			})
		}
	}
}

// other is the second origin of TestDamage.
func (b *builder) other() testOrigin {
	at := uint32(format.HeaderSize)
	for range 3 {
		at += uint32(format.RecordHeaderSize + len(format.Records(b.b).Content(at)))
	}
	return testOrigin{scope: at}
}

// A record of another segment that used the file before is not read.
func TestRecordsOfAnotherSequence(t *testing.T) {
	b := newBuilder(3)
	b.span("a", b.origin("resource", "scope"), "body")
	disk := testDisk(t, files.OS)
	s := b.segment(t, disk, "file")
	s.Sequence = 4
	got, err := read(newReader(t, disk), s, b.runs["a"])
	assert.ErrorIs(t, err, ErrChanged)
	assert.Empty(t, got)
	s.Checked = false // a segment that was never in a file carries no checksums
	got, err = read(newReader(t, disk), s, b.runs["a"])
	assert.NoError(t, err)
	assert.Len(t, got, 1)
}

// A packed file's damaged block costs the records in it.
func TestDamagedBlock(t *testing.T) {
	b := newBuilder(3)
	o := b.origin("resource", "scope")
	for i := range 400 {
		b.span("a", o, fmt.Sprintf("body %d %0500d", i, i))
	}
	run := b.runs["a"]
	disk := testDisk(t, files.OS)
	s := b.segment(t, disk, "packed file")
	x, err := format.ParseIndex(format.Pack(b.b, nil))
	require.NoError(t, err)
	require.Equal(t, 4, x.Blocks())
	flip(t, disk, s, x.Block(1).From)
	got, err := read(newReader(t, disk), s, run)
	assert.ErrorIs(t, err, format.ErrDamaged)
	assert.ErrorContains(t, err, "read compressed spans back from "+disk.File(s.File))
	first := slices.IndexFunc(run.at, func(at uint32) bool { return at >= 2*format.BlockSize })
	assert.Equal(t, run.want[first:], got)

	flip(t, disk, s, format.PackedHeaderSize) // the index
	got, err = read(newReader(t, disk), s, run)
	assert.ErrorIs(t, err, format.ErrDamaged)
	assert.Empty(t, got)
}

func flip(t *testing.T, disk *files.Disk, s *Segment, at int) {
	b, err := os.ReadFile(disk.File(s.File))
	require.NoError(t, err)
	b[at] ^= 1
	require.NoError(t, os.WriteFile(disk.File(s.File), b, 0o600))
}

// A segment with so many blocks that its index exceeds the first read.
func TestLongIndex(t *testing.T) {
	b := newBuilder(3)
	o := b.origin("resource", "scope")
	for i := range 60 {
		b.span("a", o, fmt.Sprintf("body %d %s", i, strings.Repeat("x", format.BlockSize)))
	}
	disk := testDisk(t, files.OS)
	s := b.segment(t, disk, "packed file")
	require.Greater(t, s.Used, uint32(54*format.BlockSize))
	got, err := read(newReader(t, disk), s, b.runs["a"])
	require.NoError(t, err)
	assert.Equal(t, b.runs["a"].want, got)
}

// A removed file can be read while it is open, and not be opened again; a truncated one ends the read with an error. The reader
// continues with other files.
func TestFilesThatAreGone(t *testing.T) {
	for _, place := range places[:2] {
		t.Run(place, func(t *testing.T) {
			disk := testDisk(t, files.OS)
			segment := func(sequence uint64) (*Segment, *written) {
				b := newBuilder(sequence)
				o := b.origin("resource", "scope")
				rnd := rand.New(rand.NewPCG(1, 2))
				for range 500 {
					b.span("a", o, fmt.Sprintf("%0400d", rnd.Uint64()))
				}
				return b.segment(t, disk, place), b.runs["a"]
			}
			r := newReader(t, disk)
			removed, run := segment(1)
			open, err := read(r, removed, run)
			require.NoError(t, err)
			require.NoError(t, os.Remove(disk.File(removed.File)))
			got, err := read(r, removed, run)
			require.NoError(t, err)
			assert.Equal(t, open, got)
			r.Close()
			r.blocks = newBlocks(0)
			r.window.segment = nil
			got, err = read(r, removed, run)
			assert.ErrorIs(t, err, fs.ErrNotExist)
			assert.ErrorContains(t, err, "read spans back: open "+disk.File(removed.File))
			assert.Empty(t, got)

			cut, run := segment(2)
			half := *run
			half.last, half.bytes, half.want = run.at[100], 0, run.want[:101]
			for i, at := range run.at[:101] {
				half.bytes += run.at[i+1] - at
			}
			_, err = read(r, cut, &half)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(disk.File(cut.File), cut.Size/2))
			got, err = read(r, cut, run)
			assert.ErrorIs(t, err, io.EOF)
			assert.ErrorContains(t, err, "spans back from "+disk.File(cut.File))
			assert.Less(t, len(got), 500)
			got, err = read(r, cut, &half)
			require.NoError(t, err, "its first half is there")
			assert.Equal(t, half.want, got)

			whole, run := segment(3)
			got, err = read(r, whole, run)
			require.NoError(t, err)
			assert.Equal(t, run.want, got)
		})
	}
}

// fewFiles is a filesystem with a limit on the files open for reading.
type fewFiles struct {
	files.System
	left int
	err  error
}

type countedFile struct {
	files.ReadFile
	of *fewFiles
}

func (f *fewFiles) Open(path string) (files.ReadFile, error) {
	if f.left == 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: f.err}
	}
	file, err := f.System.Open(path)
	if err == nil {
		f.left--
		file = countedFile{file, f}
	}
	return file, err
}

func (c countedFile) Close() error {
	c.of.left++
	return c.ReadFile.Close()
}

// With too many files open, a reader closes its own. If that does not help, its error says what to do, and it reads again once a
// file can be opened.
func TestTooManyOpenFiles(t *testing.T) {
	for _, tooMany := range []error{syscall.EMFILE, syscall.ENFILE} {
		sys := &fewFiles{System: files.OS, left: 3, err: tooMany}
		disk := testDisk(t, sys)
		r := newReader(t, disk)
		segments, runs := manySegments(t, disk, 10)
		for range 2 {
			for i, s := range segments {
				got, err := read(r, s, runs[i])
				require.NoError(t, err)
				require.Equal(t, runs[i].want, got)
			}
		}
		r.Close()
		require.Equal(t, 3, sys.left)
		sys.left = 0
		got, err := read(r, segments[0], runs[0])
		assert.ErrorIs(t, err, tooMany)
		assert.ErrorContains(t, err, "raise the limit of open files (ulimit -n, LimitNOFILE=)")
		assert.Empty(t, got)
		sys.left = 1
		got, err = read(r, segments[0], runs[0])
		require.NoError(t, err)
		assert.Equal(t, runs[0].want, got)
	}
}

// manySegments returns segments with one run each.
func manySegments(t *testing.T, disk *files.Disk, n int) (segments []*Segment, runs []*written) {
	for i := range n {
		b := newBuilder(uint64(i + 1))
		b.span("a", b.origin("resource", "scope"), fmt.Sprintf("of segment %d", i))
		segments = append(segments, b.segment(t, disk, places[i%2]))
		runs = append(runs, b.runs["a"])
	}
	return segments, runs
}

// A reader has at most MaxFiles files open, all readers together little more than maxOpen, and each can open one.
func TestOpenFilesAreBounded(t *testing.T) {
	disk := testDisk(t, files.OS)
	segments, runs := manySegments(t, disk, 2*MaxFiles)
	limit := &Limit{}
	var readers []*Reader
	for n := range 2 * maxOpen / MaxFiles {
		r := NewReader(disk, limit, 1000)
		readers = append(readers, r)
		for i, s := range segments {
			got, err := read(r, s, runs[i])
			require.NoError(t, err)
			require.Equal(t, runs[i].want, got)
			require.LessOrEqual(t, len(r.open.list), MaxFiles)
			require.LessOrEqual(t, limit.Open(), maxOpen+n)
		}
		require.NotEmpty(t, r.open.list)
	}
	require.GreaterOrEqual(t, limit.Open(), maxOpen)
	opened := readers[0].open.list[MaxFiles-1]
	_, err := read(readers[0], opened.segment, runs[opened.segment.Sequence-1])
	require.NoError(t, err)
	assert.Same(t, opened, readers[0].open.list[MaxFiles-1], "it is not opened again")
	for _, r := range readers {
		r.Close()
	}
	assert.Zero(t, limit.Open())
}

// A resting reader closes the files of deleted segments, and their contents are not used again.
func TestRestClosesWhatIsGone(t *testing.T) {
	disk := testDisk(t, files.OS)
	segments, runs := manySegments(t, disk, 4)
	limit := &Limit{}
	r := NewReader(disk, limit, 1000)
	for i, s := range segments {
		_, err := read(r, s, runs[i])
		require.NoError(t, err)
	}
	segments[0].Gone, segments[3].Gone = true, true
	r.Rest()
	assert.Equal(t, 2, limit.Open())
	for _, f := range r.open.list {
		assert.False(t, f.segment.Gone)
	}
	segments[1].Gone, segments[2].Gone = true, true
	r.Rest()
	assert.Zero(t, limit.Open())
	assert.Nil(t, r.window.segment)
	for _, b := range r.blocks.list {
		assert.Nil(t, b.segment)
	}
}

// The memory of a reader is bounded whatever it reads, and Bytes returns it.
func TestMemory(t *testing.T) {
	for _, place := range places {
		t.Run(place, func(t *testing.T) {
			disk := testDisk(t, files.OS)
			r := newReader(t, disk)
			assert.Zero(t, r.Bytes())
			b := newBuilder(3)
			for i := range 40 {
				b.span("large", b.origin(strings.Repeat("r", 100_000), "scope"), fmt.Sprintf("%d%s", i, strings.Repeat("b", 100_000)))
				b.span("small", b.origin("resource", fmt.Sprint(i)), "small")
			}
			s := b.segment(t, disk, place)
			got, err := read(r, s, b.runs["large"])
			require.NoError(t, err)
			require.Equal(t, b.runs["large"].want, got)
			assert.Greater(t, r.Bytes(), 8_000_000)
			r.Rest()
			assert.Less(t, r.Bytes(), 4*r.memory, "nothing may be read for long after a giant trace")
			for range 3 {
				_, err = read(r, s, b.runs["small"])
				require.NoError(t, err)
				r.Rest()
				assert.Less(t, r.Bytes(), 4*r.memory)
			}
		})
	}
}

// A warm reader reads without allocations.
func TestReadAllocates(t *testing.T) {
	for _, place := range places {
		b := mixed()
		disk := testDisk(t, files.OS)
		s := b.segment(t, disk, place)
		r := newReader(t, disk)
		run := b.runs["trace 1"]
		readRun := func() {
			r.Begin(int(run.bytes))
			if r.Read(s, run.last, run.bytes).Err != nil {
				t.Error("it is not read")
			}
			r.Rest()
		}
		readRun()
		assert.Zero(t, testing.AllocsPerRun(100, readRun), place)
	}
}

// However a file's bytes change, a reader returns only written records.
func TestBytesThatChange(t *testing.T) {
	written := mixed()
	for _, place := range places {
		t.Run(place, func(t *testing.T) {
			disk := testDisk(t, files.OS)
			s := written.segment(t, disk, place)
			content := slices.Clone(s.Packed.Buf)
			if s.InFile() {
				var err error
				content, err = os.ReadFile(disk.File(s.File))
				require.NoError(t, err)
			}
			rnd := rand.New(rand.NewPCG(3, 4))
			damaged := 0
			for range 200 {
				changed := slices.Clone(content)
				for range 1 + rnd.IntN(20) {
					changed[format.HeaderSize+rnd.IntN(len(changed)-format.HeaderSize)] = byte(rnd.Uint32())
				}
				if s.InFile() {
					require.NoError(t, os.WriteFile(disk.File(s.File), changed[:len(changed)-rnd.IntN(2)*rnd.IntN(1000)], 0o600))
				} else {
					copy(s.Packed.Buf, changed)
				}
				r := newReader(t, disk)
				for trace, run := range written.runs {
					got, err := read(r, s, run)
					if err == nil {
						require.Equal(t, run.want, got, trace)
						continue
					}
					damaged++
					require.True(t, errors.Is(err, format.ErrDamaged) || errors.Is(err, io.EOF), "%v", err)
					for _, body := range got {
						require.Contains(t, run.want, body)
					}
				}
				r.Close()
			}
			assert.Positive(t, damaged)
		})
	}
}
