package spanlog

import (
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Pause lets others have the log: it gives up the shard's mutex, calls work, which reads or makes files and may be nil where others
// are only to have their turn, and takes the mutex again. Meanwhile the log may be used for everything but appending to, or
// releasing, a chain that is being read. Compact ends early where it returns false.
type Pause func(work func()) bool

// countCold counts the memory that a cold segment takes.
func countCold(p *Pool, c *cold.Segment) { p.used.Add(int64(len(c.Packed.Buf))) }

// leaveCold gives the memory of a cold segment back. A file stays.
func leaveCold(p *Pool, c *cold.Segment) {
	c.Gone = true
	if c.Packed.Buf != nil {
		p.used.Add(-int64(len(c.Packed.Buf)))
		c.Packed.Release()
	}
}

// discardCold gives memory and file of a cold segment back.
func discardCold(p *Pool, c *cold.Segment) {
	leaveCold(p, c)
	if c.InFile() {
		p.disk.Load().GiveUp(c.File)
	}
}

// supersedeCold is discardCold for a segment whose records are in another one now.
func supersedeCold(p *Pool, c *cold.Segment) {
	leaveCold(p, c)
	if c.InFile() {
		p.disk.Load().Supersede(c.File)
	}
}

// whole is the bytes of a cold segment that is being compacted.
type whole struct {
	segment *cold.Segment // nil if there is none
	buf     []byte
}

// loading is a segment's file that is read without the shard's mutex. Where that fails, whoever needs it reads it again.
type loading struct {
	whole
	disk *files.Disk
	err  error
}

func (l *loading) read() { l.err = l.segment.Load(l.disk, l.buf) }

// missing returns what reads a segment that is in a file, nil for any other.
func (l *segments) missing(number uint32) *loading {
	if c := l.list[number].cold; c != nil && c.InFile() {
		return l.load(c)
	}
	return nil
}

// load returns what reads a cold segment. Its memory is counted.
func (l *segments) load(c *cold.Segment) *loading {
	l.whole = whole{nil, make([]byte, c.Used)}
	l.count()
	return &loading{whole: whole{c, l.whole.buf}, disk: l.pool.disk.Load()}
}

// take keeps what was read, unless that failed.
func (l *segments) take(load *loading) {
	if l.whole = (whole{}); load.err == nil {
		l.whole = load.whole
	}
	l.count()
}

// bytes returns a segment's bytes, wherever they are. Those of a cold segment are valid until another one was asked for.
func (l *segments) bytes(n uint32) (format.Records, error) {
	s := &l.list[n]
	if s.cold == nil {
		return s.mem.Buf, nil
	}
	if l.whole.segment != s.cold {
		load := l.load(s.cold)
		load.read()
		if l.take(load); load.err != nil {
			return nil, load.err
		}
	}
	return l.whole.buf, nil
}

// forget closes the file of a cold segment that is about to be given up, in walks that wait. Those that are in use do so at their end.
func (l *segments) forget(c *cold.Segment) {
	if c == nil {
		return
	}
	c.Gone = true
	if l.whole.segment == c {
		l.whole = whole{}
	}
	for _, w := range l.walks.idle {
		if w.cold != nil {
			w.cold.Rest()
		}
	}
}
