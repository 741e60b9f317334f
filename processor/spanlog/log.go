package spanlog

import (
	"unsafe"

	"github.com/slowburn/slowburn/processor/spanlog/slab"
)

// Log is one shard's buffer. It is not safe for concurrent use: the shard's mutex guards it.
type Log struct {
	pool     *Pool
	segments []segment
	unused   []uint32 // numbers of segments that are not in use
	active   uint32   // the segment being filled
	filling  bool     // whether there is one
	names    dictionary
	runs     slab.Slab[run]
	hand     uint32 // the segment that compactOne looked at last
	counted  int    // bytes of its own memory that the pool was told of

	// Scratch of Compact and Records, kept for the next time.
	offsets []uint32
	chain   []uint32
}

// Chain is where one trace's records are in a log. The zero Chain is that of a trace without records. It holds no
// pointer and may be copied, but only one copy may be appended to or released.
type Chain struct{ last uint32 }

// Empty reports whether the chain has no records.
func (c Chain) Empty() bool { return c.last == 0 }

// run is the records of one trace in one segment, a list from the last to the first.
type run struct {
	segment uint32
	last    uint32 // offset of its last record
	bytes   uint32 // of its records, headers included; 0 in a run that was released
	older   uint32 // the run of the trace before it, 0 at the first
	sibling uint32 // another run in the same segment
}

// New returns an empty log that takes its segments from the pool.
func New(p *Pool) *Log { return &Log{pool: p} }

// Append adds a span's message body to a chain. The body and the origin's headers are copied.
func (l *Log) Append(c *Chain, o *Origin, body []byte) {
	n := headerSize + len(body)
	if need := n + o.size(); need > l.pool.segmentSize/4 {
		l.appendAlone(c, o, body, need)
		return
	}
	s := l.open(n, o)
	if o.sequence != s.sequence {
		o.at, o.sequence = l.names.store(s, o), s.sequence
	}
	r := l.runIn(c, l.active)
	r.last = s.put(kindSpan, o.at, r.last, body)
	r.bytes += uint32(n)
	s.live += uint32(n)
}

// open returns the segment being filled, another one if that has no room for the record.
func (l *Log) open(n int, o *Origin) *segment {
	for {
		if l.filling {
			s := &l.segments[l.active]
			if n <= s.room() && (o.sequence == s.sequence || n+o.size() <= s.room()) {
				return s
			}
			l.seal()
		}
		l.begin()
		l.compactOne() // may fill a part of the new segment, never so much that the loop goes on for long
	}
}

// begin opens a segment to be filled.
func (l *Log) begin() { l.active, l.filling = l.newSegment(l.pool.segmentSize), true }

// seal ends the segment being filled.
func (l *Log) seal() {
	l.filling = false
	l.names.table.Clear()
	if s := &l.segments[l.active]; s.liveRuns == 0 {
		l.recycle(l.active)
	}
}

// appendAlone stores a record in a segment of its own size, beside the one being filled.
func (l *Log) appendAlone(c *Chain, o *Origin, body []byte, size int) {
	n := l.newSegment(size)
	s := &l.segments[n]
	resource := s.put(kindResource, 0, 0, o.Resource)
	scope := s.put(kindScope, resource, 0, o.Scope)
	r := l.runIn(c, n)
	r.last = s.put(kindSpan, scope, 0, body)
	r.bytes = uint32(headerSize + len(body))
	s.live = r.bytes
}

// runIn returns the chain's run in the segment: its last one if that is there, else a new one.
func (l *Log) runIn(c *Chain, segment uint32) *run {
	if c.last != 0 {
		if r := l.runs.At(c.last); r.segment == segment {
			return r
		}
	}
	n, r := l.runs.New()
	r.segment, r.older = segment, c.last
	c.last = n
	s := &l.segments[segment]
	r.sibling, s.runs = s.runs, n
	s.liveRuns++
	return r
}

func (l *Log) newSegment(size int) uint32 {
	var n uint32
	if last := len(l.unused) - 1; last >= 0 {
		n, l.unused = l.unused[last], l.unused[:last]
	} else {
		n = uint32(len(l.segments))
		l.segments = append(l.segments, segment{})
	}
	l.segments[n] = segment{buf: l.pool.get(size), sequence: l.pool.sequence.Add(1)}
	l.count()
	return n
}

// Release forgets a trace's records. The chain is empty afterwards.
func (l *Log) Release(c *Chain) {
	for n := c.last; n != 0; {
		r := l.runs.At(n)
		segment, older := r.segment, r.older
		s := &l.segments[segment]
		s.live -= r.bytes
		s.liveRuns--
		r.bytes = 0
		if s.liveRuns == 0 {
			l.abandon(segment)
		}
		n = older
	}
	c.last = 0
}

// abandon is called for a segment without live runs. The one being filled starts anew.
func (l *Log) abandon(n uint32) {
	if !l.filling || n != l.active {
		l.recycle(n)
		return
	}
	s := &l.segments[n]
	l.freeRuns(s)
	l.names.table.Clear()
	*s = segment{buf: s.buf, sequence: l.pool.sequence.Add(1)}
}

// recycle gives a segment without live runs back to the pool.
func (l *Log) recycle(n uint32) {
	s := &l.segments[n]
	l.freeRuns(s)
	l.pool.put(s.buf)
	*s = segment{}
	l.unused = append(l.unused, n)
	l.count()
}

func (l *Log) freeRuns(s *segment) {
	for n := s.runs; n != 0; {
		next := l.runs.At(n).sibling
		l.runs.Free(n)
		n = next
	}
	s.runs = 0
}

// count tells the pool what the log takes besides its segments.
func (l *Log) count() {
	now := l.runs.Bytes() + l.names.table.Bytes() + cap(l.segments)*int(unsafe.Sizeof(segment{}))
	if now != l.counted {
		l.pool.Grow(int64(now - l.counted))
		l.counted = now
	}
}

// Close gives all memory back to the pool. The log is not to be used afterwards.
func (l *Log) Close() {
	for i := range l.segments {
		if s := &l.segments[i]; s.buf != nil {
			l.pool.put(s.buf)
		}
	}
	l.pool.Grow(-int64(l.counted))
	*l = Log{pool: l.pool}
}
