package spanlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Inventory is what a directory holds when it is opened.
type Inventory struct {
	// Segments and Journals are in the order in which they were begun.
	Segments []*SegmentFile
	Journals []*JournalFile
	// Seed and Shards are those that the latest file was written with; Shards is 0 where there is none.
	Seed   Seed
	Shards int
	// Sequence is the highest that a file has.
	Sequence uint64
	// Bytes is the size of the segments.
	Bytes int64
	// Damage is what cannot be read.
	Damage []Damage
}

// SegmentFile is a segment that was found.
type SegmentFile struct {
	// Shard, Shards and Seed are what it was written with.
	Shard, Shards int
	Seed          Seed
	// Size is that of the file in bytes.
	Size int64

	path    string
	number  uint64
	suffix  string
	header  fileHeader
	sealed  uint32
	suspect bool // the header is damaged
	packed  bool
}

// Inventory reads the headers of all files, and deletes those that are not in use.
func (d *Directory) Inventory() (*Inventory, error) {
	names, err := os.ReadDir(d.path)
	if err != nil {
		return nil, explain("read the directory of the span log", d.path, err)
	}
	inv := &Inventory{}
	for _, entry := range names {
		suffix := filepath.Ext(entry.Name())
		number, err := strconv.ParseUint(strings.TrimSuffix(entry.Name(), suffix), 16, 63)
		if err != nil || suffix != segmentSuffix && suffix != journalSuffix && suffix != packedSuffix {
			if suffix == temporarySuffix {
				if err := os.Remove(filepath.Join(d.path, entry.Name())); err != nil {
					return nil, explain("delete the unfinished file", filepath.Join(d.path, entry.Name()), err)
				}
			}
			continue // not ours, or set aside
		}
		d.next.Store(max(d.next.Load(), number))
		if err := inv.add(d, number, suffix); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(inv.Segments, func(a, b *SegmentFile) int { return compare(a.header.sequence, b.header.sequence) })
	slices.SortFunc(inv.Journals, func(a, b *JournalFile) int { return compare(a.header.sequence, b.header.sequence) })
	return inv, inv.dropTwins(d)
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// add takes a file into the inventory.
func (inv *Inventory) add(d *Directory, number uint64, suffix string) error {
	path := d.file(number, suffix)
	b, size, err := readHead(path)
	if err != nil {
		return explain("read the span log's file", path, err)
	}
	magic := string(b[:8])
	if magic == magicFree || magic == string(make([]byte, 8)) {
		return os.Remove(path) // given back, or never used
	}
	if size < fileHeaderSize {
		return inv.setAside(d, path, size, "the file is cut off in its header")
	}
	want := map[string]string{segmentSuffix: magicSegment, packedSuffix: magicPacked, journalSuffix: magicJournal}[suffix]
	h, err := parseHeader(b[:], path)
	var version *VersionError
	switch {
	case magic != want && err != nil:
		return inv.setAside(d, path, size, "this is no file of a span log, or its header is damaged")
	case errors.As(err, &version):
		return err
	case err != nil && suffix == journalSuffix:
		return inv.setAside(d, path, size, "the header of the journal is damaged")
	}
	d.used.Add(size)
	if err == nil && h.sequence >= inv.Sequence {
		inv.Sequence, inv.Seed, inv.Shards = h.sequence, h.seed, int(h.shards)
	}
	if suffix == journalSuffix {
		inv.Journals = append(inv.Journals, &JournalFile{path: path, number: number, size: size, header: h, Shard: int(h.shard),
			names: binary.LittleEndian.Uint32(b[headerUsedAt:])})
		return nil
	}
	inv.Bytes += size
	inv.Segments = append(inv.Segments, &SegmentFile{
		Shard: int(h.shard), Shards: int(h.shards), Seed: h.seed, Size: size,
		path: path, number: number, suffix: suffix, header: h,
		sealed: binary.LittleEndian.Uint32(b[headerUsedAt:]), suspect: err != nil, packed: suffix == packedSuffix,
	})
	return nil
}

// Path is where the file is.
func (f *SegmentFile) Path() string { return f.path }

// Suspect reports whether the header is damaged, so that the shard cannot be relied upon.
func (f *SegmentFile) Suspect() bool { return f.suspect }

// readHead reads a file's header, and zeros where it is shorter.
func readHead(path string) (b [fileHeaderSize]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return b, 0, err
	}
	defer closeQuietly(f)
	info, err := f.Stat()
	if err != nil {
		return b, 0, err
	}
	if n := min(info.Size(), fileHeaderSize); n > 0 {
		_, err = f.ReadAt(b[:n], 0)
	}
	return b, info.Size(), err
}

// setAside renames a file that cannot be read, so that it is neither read again nor lost.
func (inv *Inventory) setAside(d *Directory, path string, size int64, why string) error {
	lost := 0
	if b, err := os.ReadFile(path); err == nil && strings.HasSuffix(path, segmentSuffix) {
		s := scanner{b: b}
		lost = max(1, s.count(fileHeaderSize, len(b)))
	}
	inv.Damage = append(inv.Damage, Damage{Path: path, Reason: fmt.Sprintf("%s; it was renamed to end in %s", why, damagedSuffix), Lost: lost})
	if err := os.Rename(path, path+damagedSuffix); err != nil {
		return explain("set a damaged file aside,", path, err)
	}
	return nil
}

// dropTwins deletes one of a packed segment and its original where both are there: the process ended in between, or the
// power failed when the original's file was used for something else already, which its header may not say. So the packed
// one is taken if it is whole.
func (inv *Inventory) dropTwins(d *Directory) error {
	var err error
	whole := map[uint64]bool{} // by sequence of a segment that has two: whether the packed one is
	for _, s := range inv.Segments {
		if !s.packed {
			whole[s.header.sequence] = false
		}
	}
	for _, s := range inv.Segments {
		if _, two := whole[s.header.sequence]; two && s.packed {
			_, err := readPacked(s.path, nil)
			whole[s.header.sequence] = err == nil
		}
	}
	inv.Segments = slices.DeleteFunc(inv.Segments, func(s *SegmentFile) bool {
		packed, two := whole[s.header.sequence]
		twin := two && s.packed != packed
		if twin {
			inv.Bytes -= s.Size
			err = errors.Join(err, d.remove(s.number, s.suffix, s.Size))
		}
		return twin
	})
	return err
}

// Read yields the spans of a segment, and returns its bytes for Adopt and what is wrong with it. buf is scratch.
func (f *SegmentFile) Read(buf []byte, yield func(Found)) (Contents, []Damage, error) {
	b, err := f.load(buf)
	if err != nil {
		return Contents{buf: buf}, nil, explain("read the span log's file", f.path, err)
	}
	s := &scanner{
		path: f.path, b: b, sequence: f.header.sequence, created: f.header.created,
		sealed: int(f.sealed), whole: int(f.header.size),
	}
	if s.whole == 0 || f.suspect || f.packed {
		s.whole = len(b)
	}
	used := s.scan(yield)
	if f.suspect {
		s.note(0, "the header is damaged: what belongs to it was found by the checksums", 0, false)
	}
	return Contents{b: b, buf: b, used: used}, s.damage, nil
}

// Contents is the bytes of a segment that was read.
type Contents struct {
	b    records
	buf  []byte
	used uint32
}

// Scratch is memory to read the next segment into.
func (c Contents) Scratch() []byte { return c.buf }

// load reads the segment's bytes.
func (f *SegmentFile) load(buf []byte) (records, error) {
	if f.packed {
		b, err := readPacked(f.path, buf)
		f.sealed = uint32(len(b))
		return b, err
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer closeQuietly(file)
	if cap(buf) < int(f.Size) {
		buf = make([]byte, f.Size)
	}
	buf = buf[:f.Size]
	_, err = file.ReadAt(buf, 0)
	return buf, err
}
