package spanlog

import (
	"github.com/klauspost/compress/s2"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// cold is where a sealed segment's bytes are that is not in memory, or packed there.
type cold struct {
	file    files.File    // none if it is only in memory
	packed  mapped.Memory // compressed, in memory
	size    int64         // of file, or of packed
	used    uint32        // bytes of the segment that are filled
	patches []patch
}

// compressed reports whether the bytes are packed.
func (c *cold) compressed() bool { return c.file.Kind != files.Segment }

// load reads the segment's bytes into buf, which has room for them.
func (c *cold) load(disk *files.Disk, buf []byte) error {
	if err := c.read(disk, buf[:c.used]); err != nil {
		return err
	}
	patchAll(c.patches, buf)
	return nil
}

func (c *cold) read(disk *files.Disk, buf []byte) error {
	switch c.file.Kind {
	case files.Segment:
		return disk.Read(c.file, buf)
	case files.Packed:
		return disk.ReadPacked(c.file, buf)
	default:
		_, err := s2.Decode(buf[:0:len(buf)], c.packed.Buf)
		return err
	}
}

// count adds what it takes of the memory.
func (c *cold) count(p *Pool) { p.used.Add(int64(len(c.packed.Buf))) }

// leave gives the memory back. A file stays.
func (c *cold) leave(p *Pool) {
	if c.packed.Buf != nil {
		p.used.Add(-int64(len(c.packed.Buf)))
		c.packed.Release()
	}
}

// discard gives memory and file back.
func (c *cold) discard(p *Pool) {
	c.leave(p)
	if c.file != (files.File{}) {
		p.disk.Load().GiveUp(c.file)
	}
}

// supersede is discard for a segment whose records are in another one now.
func (c *cold) supersede(p *Pool) {
	c.leave(p)
	if c.file != (files.File{}) {
		p.disk.Load().Supersede(c.file)
	}
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
func (w *windows) of(s *segment, disk *files.Disk) (format.Records, error) {
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
	if err := s.cold.load(disk, at.buf); err != nil {
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
