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
	buf := w.spare(int(s.used))
	w.last = (w.last + 1) % len(w.list)
	at := &w.list[w.last]
	at.buf = buf
	if err := s.cold.load(disk, at.buf); err != nil {
		return nil, err
	}
	at.sequence = s.sequence
	return at.buf, nil
}

// Pause lets others have the log: it gives up the shard's mutex, calls work, which reads or makes files and may be nil where others
// are only to have their turn, and takes the mutex again. Meanwhile the log may be used for everything but appending to, or
// releasing, a chain that is being read. Compact ends early where it returns false.
type Pause func(work func()) bool

// ready has the bytes of a run's segment at hand, as far as that is possible, without the mutex while a file is read: others do not
// wait for the disk. turn says that others are to have their turn in any case.
func (l *segments) ready(run uint32, turn bool, pause Pause) {
	load := l.missing(l.runs.At(run).segment)
	if load == nil {
		if turn {
			pause(nil)
		}
		return
	}
	for load != nil {
		pause(load.read)
		if load.err != nil || l.take(l.runs.At(run).segment, load) {
			return
		}
		load = l.missing(l.runs.At(run).segment) // it is elsewhere by now
	}
}

// missing returns what reads a segment that is in a file and in no window, nil for any other.
func (l *segments) missing(number uint32) *loading {
	s := &l.list[number]
	if s.cold == nil || s.cold.file == (files.File{}) || l.windows.has(s.sequence) {
		return nil
	}
	return &loading{cold: s.cold, sequence: s.sequence, disk: l.pool.disk.Load(), buf: l.windows.spare(int(s.used))}
}

// take makes a window of what was read, and reports false where the segment is another one, or elsewhere, by now: its file may have
// been given up while it was read.
func (l *segments) take(number uint32, load *loading) bool {
	s := &l.list[number]
	if load.err != nil || s.cold != load.cold {
		return false
	}
	l.windows.add(load)
	l.count()
	return true
}

// loading is a segment's file that is read without the shard's mutex. Where that fails, whoever needs it reads it again.
type loading struct {
	cold     *cold
	sequence uint64
	disk     *files.Disk
	buf      []byte
	err      error
}

func (l *loading) read() { l.err = l.cold.load(l.disk, l.buf) }

// has reports whether a segment's bytes are in a window.
func (w *windows) has(sequence uint64) bool {
	for i := range w.list {
		if w.list[i].sequence == sequence {
			return true
		}
	}
	return false
}

// spare returns a buffer of this size, that of the window which was used before all others.
func (w *windows) spare(size int) []byte {
	at := &w.list[(w.last+1)%len(w.list)]
	buf := at.buf
	*at = window{}
	if cap(buf) < size || cap(buf) > 2*size && cap(buf) > maxSegmentSize {
		buf = make([]byte, max(size, minSegmentSize))
	}
	return buf[:size]
}

// add makes a window of what was read, in the place of the one that was used before all others.
func (w *windows) add(l *loading) {
	if !w.has(l.sequence) {
		w.last = (w.last + 1) % len(w.list)
		w.list[w.last] = window{sequence: l.sequence, buf: l.buf}
	}
}

// forget drops what was read of a segment. Its buffer stays for the next one, unless it is that of a giant trace.
func (w *windows) forget(sequence uint64) {
	for i := range w.list {
		at := &w.list[i]
		if at.sequence != sequence {
			continue
		}
		at.sequence = 0
		if cap(at.buf) > maxSegmentSize {
			at.buf = nil
		}
	}
}

func (w *windows) bytes() (n int) {
	for i := range w.list {
		n += cap(w.list[i].buf)
	}
	return n
}
