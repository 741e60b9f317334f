package files

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Inventory lists the files that a directory held when it was opened.
type Inventory struct {
	// Segments and Journals are in the order in which they were begun.
	Segments []*SegmentFile
	Journals []*JournalFile
	// Seed and Shards are those of the latest file; Shards is 0 without a file.
	Seed   format.Seed
	Shards int
	// Sequence is the highest sequence of a file.
	Sequence uint64
	// Bytes is the size of all segments.
	Bytes int64
	// Damage describes the files that cannot be read.
	Damage []format.Damage
	// OtherFormats are the files that this call moved aside, by version.
	OtherFormats []otherformat.Moved
}

// Inventory reads the headers of all files, deletes those that are not in use, and moves those of another format version
// aside. An error may come with an inventory of the files so far, so that the caller can report files that were moved.
func (d *Directory) Inventory() (*Inventory, error) {
	names, err := d.sys.ReadDirectory(d.path)
	if err != nil {
		return nil, explain("read the directory of the span log", d.path, err)
	}
	inv := &Inventory{}
	other := &otherformat.Mover{System: d.sys}
	for _, entry := range names {
		suffix := filepath.Ext(entry.Name())
		number, err := strconv.ParseUint(strings.TrimSuffix(entry.Name(), suffix), 16, 63)
		magic, known := magics[Kind(suffix)]
		if err != nil || !known {
			if suffix == temporarySuffix {
				if err := d.sys.Remove(filepath.Join(d.path, entry.Name())); err != nil {
					return nil, explain("delete the unfinished file", filepath.Join(d.path, entry.Name()), err)
				}
			}
			continue // not a file of a span log, or one set aside
		}
		d.next.Store(max(d.next.Load(), number))
		f := File{Number: number, Kind: Kind(suffix)}
		err = inv.add(d, f, magic, other)
		inv.OtherFormats = other.Moved
		if err != nil {
			return inv, err
		}
	}
	slices.SortFunc(inv.Segments, func(a, b *SegmentFile) int { return cmp.Compare(a.Header.Sequence, b.Header.Sequence) })
	slices.SortFunc(inv.Journals, func(a, b *JournalFile) int { return cmp.Compare(a.header.Sequence, b.header.Sequence) })
	if err := other.Flush(); err != nil {
		return inv, explain("flush the directory of the span log", d.path, err)
	}
	return inv, inv.dropTwins(d)
}

// magics are the magics of files in use, by kind.
var magics = map[Kind]string{
	Segment: format.MagicSegment, Packed: format.MagicPacked, Journal: format.MagicJournal,
}

// add adds a file to the inventory, sets it aside if it is damaged, moves it aside if it has another format version, or deletes
// it if it is free. A file in use begins with want.
func (inv *Inventory) add(d *Directory, f File, want string, other *otherformat.Mover) error {
	path := d.File(f)
	b, size, err := readHead(d.sys, path)
	if err != nil {
		return explain("read the span log's file", path, err)
	}
	f.Size = size
	magic := string(b[:8])
	if magic == format.MagicFree || magic == string(make([]byte, 8)) {
		return d.sys.Remove(path) // free, or never used
	}
	if size < format.HeaderSize {
		return inv.setAside(d, f, "the file is cut off in its header")
	}
	h, err := format.ParseHeader(b[:])
	var version *format.VersionError
	switch {
	case magic != want && err != nil:
		return inv.setAside(d, f, "this is no file of a span log, or its header is damaged")
	case errors.As(err, &version):
		if err := other.Move(path, otherformat.Version(version.Version), size); err != nil {
			return explain(fmt.Sprintf("move aside the file of format version %d,", version.Version), path, err)
		}
		return nil
	case err != nil && f.Kind == Journal:
		return inv.setAside(d, f, "the header of the journal is damaged")
	}
	d.used.Add(size)
	if err == nil && h.Sequence >= inv.Sequence {
		inv.Sequence, inv.Seed, inv.Shards = h.Sequence, h.Seed, int(h.Shards)
	}
	used := binary.LittleEndian.Uint32(b[format.UsedAt:])
	if f.Kind == Journal {
		inv.Journals = append(inv.Journals, &JournalFile{Shard: int(h.Shard), File: f, dir: d, header: h, names: int(used)})
		return nil
	}
	inv.Bytes += size
	inv.Segments = append(inv.Segments, &SegmentFile{
		Shard: int(h.Shard), Shards: int(h.Shards), Seed: h.Seed, File: f, Header: h,
		dir: d, sealed: int(used), suspect: err != nil,
	})
	return nil
}

// readHead reads a file's header, padded with zeros if the file is shorter, and returns the file's size in bytes.
func readHead(sys System, path string) (b [format.HeaderSize]byte, size int64, err error) {
	size, err = sys.ReadBeginning(path, b[:])
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, size, err
}

// setAside renames a file that cannot be read to end in .damaged, so that it is neither read again nor lost.
func (inv *Inventory) setAside(d *Directory, f File, reason string) error {
	lost, path := 0, d.File(f)
	if b, err := d.sys.ReadAll(path); err == nil && f.Kind == Segment {
		lost = max(1, format.CountSpans(b, format.HeaderSize, len(b)))
	}
	inv.Damage = append(inv.Damage, format.Damage{
		Path: path, Reason: fmt.Sprintf("%s; it was renamed to end in %s", reason, damagedSuffix), Lost: lost,
	})
	failpoint.Before(failpoint.SpanlogAside)
	if err := d.sys.Rename(path, path+damagedSuffix); err != nil {
		return explain("set a damaged file aside,", path, err)
	}
	failpoint.After(failpoint.SpanlogAside)
	return nil
}

// dropTwins deletes the original where there are both a packed segment and its original, or the packed one if that is damaged.
// There are both if the process ended in between, or if the power failed after the original's file was reused, which its
// header may not show: hence the packed one is preferred.
func (inv *Inventory) dropTwins(d *Directory) error {
	var err error
	whole := map[uint64]bool{} // by sequence of segments with an original: whether there is an undamaged packed one
	for _, s := range inv.Segments {
		if !s.packed() {
			whole[s.Header.Sequence] = false
		}
	}
	for _, s := range inv.Segments {
		if _, two := whole[s.Header.Sequence]; two && s.packed() {
			_, damaged, err := readPacked(d.sys, s.Path(), nil)
			whole[s.Header.Sequence] = err == nil && damaged == 0
		}
	}
	inv.Segments = slices.DeleteFunc(inv.Segments, func(s *SegmentFile) bool {
		packed, two := whole[s.Header.Sequence]
		twin := two && s.packed() != packed
		if twin {
			inv.Bytes -= s.Size
			err = errors.Join(err, d.Remove(s.File))
		}
		return twin
	})
	return err
}
