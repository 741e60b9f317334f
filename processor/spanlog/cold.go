package spanlog

import (
	"encoding/binary"
	"fmt"
	"os"
)

// cold is a sealed segment that is not in memory, or packed there.
type cold struct {
	number     uint64 // of its file; 0 if it is only in memory
	suffix     string // of its file
	size       int64  // of its file, or of packed
	used       uint32 // bytes of the segment that are filled
	packed     chunk  // compressed, in memory
	compressed bool
	patches    []patch
}

// load reads a segment's bytes into buf, which has room for them.
func (c *cold) load(dir *Directory, buf []byte) error {
	if err := c.read(dir, buf); err != nil {
		return err
	}
	for _, p := range c.patches {
		binary.LittleEndian.PutUint32(buf[p.at+prevAt:], p.prev)
	}
	return nil
}

func (c *cold) read(dir *Directory, buf []byte) error {
	if c.compressed {
		return c.unpack(dir, buf[:c.used])
	}
	f, err := os.Open(dir.file(c.number, c.suffix))
	if err != nil {
		return fmt.Errorf("read spans back: %w", err)
	}
	defer closeQuietly(f)
	if _, err := f.ReadAt(buf[:c.used], 0); err != nil {
		return fmt.Errorf("read spans back from %s: %w", f.Name(), err)
	}
	return nil
}

// windows are copies of cold segments' bytes that were needed lately. They hold their slices until the third other
// segment is looked at.
type windows struct {
	list [3]window
	last int // the one used last
}

type window struct {
	sequence uint64
	buf      []byte
}

// of returns a cold segment's bytes.
func (w *windows) of(s *segment, dir *Directory) (records, error) {
	for i := range w.list {
		if w.list[i].sequence == s.sequence {
			w.last = i
			return w.list[i].buf, nil
		}
	}
	w.last = (w.last + 1) % len(w.list)
	at := &w.list[w.last]
	at.sequence = 0
	if cap(at.buf) < int(s.used) || cap(at.buf) > 2*int(s.used) && cap(at.buf) > maxSegmentSize {
		at.buf = make([]byte, max(int(s.used), minSegmentSize))
	}
	at.buf = at.buf[:s.used]
	if err := s.cold.load(dir, at.buf); err != nil {
		return nil, err
	}
	at.sequence = s.sequence
	return at.buf, nil
}

func (w *windows) forget(sequence uint64) {
	for i := range w.list {
		if w.list[i].sequence == sequence {
			w.list[i].sequence = 0
		}
	}
}

func (w *windows) bytes() (n int) {
	for i := range w.list {
		n += cap(w.list[i].buf)
	}
	return n
}

// bytes returns a segment's bytes, wherever they are. Those of a cold segment are valid until the third other one was
// asked for.
func (l *Log) bytes(n uint32) (records, error) {
	s := &l.segments[n]
	if s.cold == nil {
		return s.mem.buf, nil
	}
	b, err := l.windows.of(s, l.pool.dir)
	l.count()
	return b, err
}
