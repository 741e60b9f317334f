package spanlog

import (
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// Adopt adds a segment that was found to the log, and returns its number. Call Attach for its spans next, then Settle.
func (l *segments) Adopt(f *SegmentFile, c Contents) (number uint32) {
	n := l.slot()
	files.Found(l.pool.disk.Load(), f.File)
	l.list[n] = segment{
		cold:    &cold.Segment{File: f.File, Size: f.Size, Used: c.Used, Sequence: f.Header.Sequence, Checked: true},
		created: f.Header.Created, sequence: f.Header.Sequence, used: c.Used, checked: true,
		alone: int(f.Header.Size) != l.pool.segmentSize,
	}
	return n
}

// Attach adds a span of an adopted segment to a chain. The spans of a segment are attached in the order of its bytes.
func (l *segments) Attach(chain *Chain, number uint32, c Contents, found *Found) {
	s := &l.list[number]
	r := l.runs.in(chain, number, s)
	if c.Records.Prev(found.At) != r.last {
		s.cold.Patches = append(s.cold.Patches, cold.Patch{At: found.At, Prev: r.last})
	}
	r.last = found.At
	r.bytes += found.Size
	s.live += found.Size
}

// Settle ends the adoption of a segment, and deletes the segment if no span was attached.
func (l *segments) Settle(number uint32) {
	if l.list[number].liveRuns == 0 {
		l.recycle(number)
	}
	l.count()
}

// Newer reports whether records of the chain are in segments that were begun after that of a position, including copied
// records.
func (l *segments) Newer(c Chain, than Position) bool {
	for n := c.last; n != 0; n = l.runs.At(n).older {
		if l.list[l.runs.At(n).segment].sequence > than.Sequence() {
			return true
		}
	}
	return false
}
