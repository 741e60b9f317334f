package spanlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"

	"github.com/klauspost/compress/s2"
)

// packedHeaderSize is what a packed file has before what is compressed: a segment's header, then the checksum and length
// of what follows, and the number of spans in it.
const packedHeaderSize = fileHeaderSize + 16

// Shrinking is a sealed segment on its way out of memory. Begin and End are called with the shard's mutex, Run before and
// Free after End without.
type Shrinking struct {
	pool    *Pool
	number  uint32
	pack    bool
	segment segment // as it was; its bytes do not change any more
	result  *cold
	err     error
	left    chunk // what End took out of the log, for Free
}

// BeginShrink chooses a segment that can be made to take less memory or, if onDisk, less disk. With pack it is to be
// compressed. It returns nil if there is none.
//
// Where memory is short it is the newest: what is decided next is in the oldest, and those that stay the longest are the
// fewest to give the same room. Where disk is short it is the oldest: all of them will have to.
func (l *Log) BeginShrink(pack, onDisk bool) *Shrinking {
	best, found := uint32(0), false
	for n := range uint32(len(l.segments)) {
		s := &l.segments[n]
		if s.sequence == 0 || s.busy || s.incompressible && pack || l.filling && n == l.active {
			continue
		}
		hot := s.cold == nil && s.mem.onDisk() == (l.pool.dir != nil)
		raw := s.cold != nil && !s.cold.compressed
		if !hot && (!onDisk || !raw) {
			continue
		}
		if !found || (s.sequence < l.segments[best].sequence) == onDisk {
			best, found = n, true
		}
	}
	if !found {
		return nil
	}
	s := &l.segments[best]
	s.busy = true
	l.unshrinkable(s)
	return &Shrinking{pool: l.pool, number: best, pack: pack, segment: *s}
}

// Run does the work.
func (w *Shrinking) Run() {
	s := &w.segment
	if !w.pack {
		w.result = &cold{number: s.mem.number, suffix: segmentSuffix, size: int64(len(s.mem.buf)), used: s.used}
		return
	}
	raw := s.mem.buf
	if s.cold != nil {
		raw = make([]byte, s.used)
		if w.err = s.cold.load(w.pool.dir, raw); w.err != nil {
			return
		}
	}
	raw = raw[:s.used]
	scratch, _ := scratches.Get().(*[]byte)
	if scratch == nil {
		scratch = new([]byte)
	}
	defer scratches.Put(scratch)
	if need := s2.MaxEncodedLen(len(raw)); cap(*scratch) < need {
		*scratch = make([]byte, need)
	}
	compressed := s2.Encode((*scratch)[:cap(*scratch)], raw)
	if len(compressed) > len(raw)*9/10 {
		w.err = errIncompressible
		return
	}
	if w.pool.dir == nil {
		c := allocate(len(compressed))
		copy(c.buf, compressed)
		w.result = &cold{packed: c, compressed: true, size: int64(len(compressed)), used: s.used}
		return
	}
	w.result, w.err = w.pool.writePacked(raw, compressed)
}

// scratches are buffers for what is compressed. Garbage of that size would let the heap grow by several of them.
var scratches sync.Pool

var errIncompressible = errors.New("compressing it does not help")

// writePacked writes a packed segment beside the one that it is of.
func (p *Pool) writePacked(raw, compressed []byte) (*cold, error) {
	b := make([]byte, packedHeaderSize, packedHeaderSize+len(compressed))
	copy(b, raw[:fileHeaderSize])
	copy(b, magicPacked)
	binary.LittleEndian.PutUint32(b[headerUsedAt:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(b[fileHeaderSize:], crc32.Checksum(compressed, castagnoli))
	binary.LittleEndian.PutUint32(b[fileHeaderSize+4:], uint32(len(compressed)))
	counter := scanner{b: raw}
	binary.LittleEndian.PutUint32(b[fileHeaderSize+8:], uint32(counter.count(fileHeaderSize, len(raw))))
	b = append(b, compressed...)

	number := p.dir.next.Add(1)
	temporary, path := p.dir.file(number, temporarySuffix), p.dir.file(number, packedSuffix)
	err := writeFile(temporary, b, p.unsynced != nil)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write a compressed segment: %w", err), ignoreMissing(os.Remove(temporary)))
	}
	if p.unsynced != nil {
		p.unsynced.rename()
	}
	p.dir.used.Add(int64(len(b)))
	return &cold{number: number, suffix: packedSuffix, size: int64(len(b)), used: uint32(len(raw)), compressed: true}, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func writeFile(path string, b []byte, sync bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// EndShrink takes the result. It reports whether the segment takes less now.
func (l *Log) EndShrink(w *Shrinking) (bool, error) {
	s := &l.segments[w.number]
	s.busy = false
	if s.dead {
		if w.pack && w.result != nil {
			l.pool.count(w.result)
			l.pool.discard(w.result)
		}
		s.dead = false
		l.recycle(w.number)
		return true, nil
	}
	if w.err != nil {
		s.incompressible = true
		if errors.Is(w.err, errIncompressible) {
			return false, nil
		}
		return false, w.err
	}
	switch {
	case s.cold != nil:
		l.pool.supersedeCold(s.cold)
	case w.pack:
		l.pool.supersede(s.mem)
	default:
		w.left = s.mem
		l.pool.used.Add(-int64(len(s.mem.buf)))
	}
	l.pool.count(w.result)
	s.cold, s.mem = w.result, chunk{}
	return true, nil
}

// Free gives the segment's memory back. It takes a while and is for whoever called EndShrink, after the mutex.
func (w *Shrinking) Free() {
	if w.left.buf != nil {
		w.pool.source.unmap(w.left)
		w.left = chunk{}
	}
}

// count adds what a cold segment takes of the memory.
func (p *Pool) count(c *cold) {
	if c.packed.buf != nil {
		p.used.Add(int64(len(c.packed.buf)))
	}
}

// unpack reads a packed segment into buf.
func (c *cold) unpack(dir *Directory, buf []byte) error {
	if c.number == 0 {
		_, err := s2.Decode(buf[:0:c.used], c.packed.buf)
		return err
	}
	b, err := readPacked(dir.file(c.number, c.suffix), buf[:0:len(buf)])
	if err == nil && len(b) != len(buf) {
		err = errDamaged
	}
	if err != nil {
		return fmt.Errorf("read compressed spans back: %w", err)
	}
	copy(buf, b) // onto itself, where there was room
	return nil
}

var errDamaged = errors.New("it is damaged")

// readPacked reads a packed file, into buf where that has room.
func readPacked(path string, buf []byte) (records, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < packedHeaderSize {
		return nil, errDamaged
	}
	compressed := b[packedHeaderSize:]
	if int(binary.LittleEndian.Uint32(b[fileHeaderSize+4:])) != len(compressed) ||
		binary.LittleEndian.Uint32(b[fileHeaderSize:]) != crc32.Checksum(compressed, castagnoli) {
		return nil, fmt.Errorf("%s: %w", path, errDamaged)
	}
	n, err := s2.DecodedLen(compressed)
	if err != nil || n != int(binary.LittleEndian.Uint32(b[headerUsedAt:])) {
		return nil, fmt.Errorf("%s: %w", path, errDamaged)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	return s2.Decode(buf[:n], compressed)
}

// Spans is how many spans a file seems to have, for when it cannot be read.
func (f *SegmentFile) Spans() int {
	if b, err := os.ReadFile(f.path); err == nil {
		if f.packed && len(b) >= packedHeaderSize {
			return max(1, int(binary.LittleEndian.Uint32(b[fileHeaderSize+8:])))
		}
		if counter := (scanner{b: b}); !f.packed {
			return max(1, counter.count(fileHeaderSize, len(b)))
		}
	}
	const spanSize = 500 // as a guess
	return int(max(1, f.Size/spanSize))
}

// Fail makes the work have failed.
func (w *Shrinking) Fail(err error) { w.result, w.err = nil, err }

// Saved is how many bytes less the segment takes.
func (w *Shrinking) Saved() int64 {
	if w.result == nil {
		return 0
	}
	if w.segment.cold != nil {
		return w.segment.cold.size - w.result.size
	}
	return int64(len(w.segment.mem.buf)) - w.result.size
}
