package spanlog

import (
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Pause gives up the shard's mutex, calls work, which reads or makes files, and takes the mutex again. A nil work only lets
// others have the mutex. Meanwhile the log may be used, except that a chain that is being read must not be appended to or
// released. A Compact whose Pause returns false ends early.
type Pause func(work func()) bool

// countCold counts the memory that a cold segment takes.
func countCold(p *Pool, c *cold.Segment) { p.used.Add(int64(len(c.Packed.Buf))) }

// leaveCold gives a cold segment's memory back. Its file stays.
func leaveCold(p *Pool, c *cold.Segment) {
	c.Gone = true
	if c.Packed.Buf != nil {
		p.used.Add(-int64(len(c.Packed.Buf)))
		c.Packed.Release()
	}
}

// discardCold gives a cold segment's memory back and gives up its file.
func discardCold(p *Pool, c *cold.Segment) {
	leaveCold(p, c)
	if c.InFile() {
		p.disk.Load().GiveUp(c.File)
	}
}

// supersedeCold is discardCold for a segment whose live records were copied: its file stays until the copy is flushed.
func supersedeCold(p *Pool, c *cold.Segment) {
	leaveCold(p, c)
	if c.InFile() {
		p.disk.Load().Supersede(c.File)
	}
}

// whole holds the bytes of a cold segment that is being compacted.
type whole struct {
	segment *cold.Segment // nil if there is none
	buf     []byte
}

// loading reads a segment without the shard's mutex. If that fails, bytes reads it again.
type loading struct {
	whole
	disk *files.Disk
	err  error
}

func (l *loading) read() { l.err = l.segment.Load(l.disk, l.buf) }

// missing returns the loading of a cold segment in a file, nil for any other segment.
func (l *segments) missing(number uint32) *loading {
	if c := l.list[number].cold; c != nil && c.InFile() {
		return l.load(c)
	}
	return nil
}

// load returns the loading of a cold segment, and counts its memory.
func (l *segments) load(c *cold.Segment) *loading {
	l.whole = whole{nil, make([]byte, c.Used)}
	l.count()
	return &loading{whole: whole{c, l.whole.buf}, disk: l.pool.disk.Load()}
}

// take keeps the bytes that were read, unless reading failed.
func (l *segments) take(load *loading) {
	if l.whole = (whole{}); load.err == nil {
		l.whole = load.whole
	}
	l.count()
}

// bytes returns a segment's bytes, hot or cold. Those of a cold segment are valid until the next call for another one.
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

// forget marks a cold segment as gone before it is given up, and closes its file in idle walks. Walks in use close it at
// their end. c may be nil.
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
	l.facts.rest()
}
