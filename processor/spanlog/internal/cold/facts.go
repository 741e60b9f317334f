package cold

import (
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// pageSlots is how many slots of facts are read together: 16 KiB.
const pageSlots = 341

const pageSize = pageSlots * format.FactSize

// minPages is how many pages a FactReader keeps at least: a fact's, and its origin's.
const minPages = 2

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Facts says where a segment's facts are. The zero Facts has none.
type Facts struct {
	Slots uint16
	At    int64    // where they begin in Segment.File, or in Segment.Packed; the highest slot is first
	Sums  []uint32 // checksums of the pages, the page of slot 1 first
}

// NewFacts returns the place of a segment's facts, from their bytes.
func NewFacts(b []byte, at int64) (f Facts) {
	f = Facts{Slots: uint16(len(b) / format.FactSize), At: at}
	for end := len(b); end > 0; end -= pageSize {
		f.Sums = append(f.Sums, crc32.Checksum(b[max(0, end-pageSize):end], castagnoli))
	}
	return f
}

// page returns the range of a page in the bytes of the facts.
func (f *Facts) page(n int) (from, to int) {
	to = int(f.Slots)*format.FactSize - n*pageSize
	return max(0, to-pageSize), to
}

// LoadFacts reads all facts of a segment. The error is ErrChanged if they are not as they were written.
func (s *Segment) LoadFacts(disk *files.Disk) ([]byte, error) {
	b := make([]byte, int(s.Facts.Slots)*format.FactSize)
	if !s.InFile() {
		copy(b, s.Packed.Buf[s.Facts.At:])
	} else if err := readAt(disk, s.File, b, s.Facts.At); err != nil {
		return nil, fmt.Errorf("read facts back from %s: %w", disk.File(s.File), err)
	}
	if now := NewFacts(b, s.Facts.At); !slices.Equal(now.Sums, s.Facts.Sums) {
		return nil, ErrChanged
	}
	return b, nil
}

func readAt(disk *files.Disk, file files.File, b []byte, at int64) error {
	f, err := disk.Open(file)
	if err != nil {
		return err
	}
	_, err = f.ReadAt(b, at)
	_ = f.Close() // it was only read
	return err
}

// FactReader reads facts of cold segments, and keeps the pages that were read last. It is for one goroutine at a time.
type FactReader struct {
	open   openFiles
	pages  []page
	places map[pageKey]int // indexes of pages
	hand   int             // the page that was looked at last, to be replaced
	last   int             // the page that was used last
}

// pageKey identifies a page. A segment keeps its facts and its sequence when it is packed.
type pageKey struct {
	sequence uint64
	number   int
}

type page struct {
	key  pageKey
	buf  []byte
	used bool // since hand passed it
}

// NewFactReader returns a reader that keeps pages of so many bytes together. disk is nil if the segments are in memory.
func NewFactReader(disk *files.Disk, limit *Limit, memory int) *FactReader {
	return &FactReader{
		open: openFiles{disk: disk, limit: limit}, pages: make([]page, 0, max(minPages, memory/pageSize)), places: map[pageKey]int{},
	}
}

// Read returns the nth slot of a segment, valid until the next call. The error is ErrChanged if it is not as it was written, or that of
// the file.
func (r *FactReader) Read(s *Segment, n uint16) (format.Fact, error) {
	if n == 0 || n > s.Facts.Slots {
		return nil, ErrChanged
	}
	key := pageKey{s.Sequence, int(n-1) / pageSlots}
	if r.last >= len(r.pages) || r.pages[r.last].key != key {
		i, known := r.places[key]
		if !known {
			var err error
			if i, err = r.read(s, key); err != nil {
				return nil, err
			}
		}
		r.last = i
		r.pages[i].used = true
	}
	return format.FactAt(r.pages[r.last].buf, uint16(int(n-1)%pageSlots+1)), nil
}

// read reads a page in place of one that was not used lately, and returns its index.
func (r *FactReader) read(s *Segment, key pageKey) (int, error) {
	i := r.replace()
	p := &r.pages[i]
	from, to := s.Facts.page(key.number)
	if p.buf == nil {
		p.buf = make([]byte, pageSize)
	}
	p.buf = p.buf[:to-from]
	if !s.InFile() {
		copy(p.buf, s.Packed.Buf[int(s.Facts.At)+from:])
	} else {
		f, err := r.open.of(s)
		if err != nil {
			return 0, err
		}
		if _, err = f.ReadAt(p.buf, s.Facts.At+int64(from)); err != nil {
			return 0, fmt.Errorf("read facts back from %s: %w", r.open.disk.File(s.File), err)
		}
	}
	if crc32.Checksum(p.buf, castagnoli) != s.Facts.Sums[key.number] {
		return 0, ErrChanged
	}
	p.key = key
	r.places[key] = i
	return i, nil
}

// replace returns the index of a page to be read into.
func (r *FactReader) replace() int {
	if len(r.pages) < cap(r.pages) {
		r.pages = append(r.pages, page{})
		return len(r.pages) - 1
	}
	for {
		r.hand = (r.hand + 1) % len(r.pages)
		p := &r.pages[r.hand]
		if !p.used {
			delete(r.places, p.key)
			p.key = pageKey{}
			return r.hand
		}
		p.used = false
	}
}

// Rest closes the files of segments that are gone. The caller holds the mutex that guards Segment.Gone.
func (r *FactReader) Rest() { r.open.closeGone() }

// Close closes all files. The reader may be used again.
func (r *FactReader) Close() { r.open.closeAll() }

// Bytes returns how much memory the reader takes.
func (r *FactReader) Bytes() int {
	const entry = 128 // of a page and of the map, about
	return len(r.pages) * (pageSize + entry)
}
