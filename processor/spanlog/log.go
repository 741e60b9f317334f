package spanlog

import (
	"encoding/binary"
	"unsafe"

	"github.com/slowburn/slowburn/internal/slab"
)

// Log is one shard's buffer. It is not safe for concurrent use: the shard's mutex guards it.
type Log struct {
	pool     *Pool
	shard    uint32
	segments []segment
	unused   []uint32 // numbers of segments that are not in use
	active   uint32   // the segment being filled
	filling  bool     // whether there is one
	latest   uint64   // sequence of the segment that was filled last
	clock    int64    // Unix milliseconds; when what is appended arrived
	names    dictionary
	runs     slab.Slab[run]
	hand     uint32 // the segment that compactOne looked at last
	windows  windows
	counted  int64 // bytes of its own memory that the pool was told of

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

// New returns an empty log that takes its segments from the pool. Logs of a pool have different shards.
func New(p *Pool, shard int) *Log {
	return &Log{pool: p, shard: uint32(shard), latest: p.sequence.Load()}
}

// SetTime says when what is appended from now on arrived, in Unix milliseconds.
func (l *Log) SetTime(unixMilli int64) { l.clock = unixMilli }

// Position is higher than that of every span in the log, and not higher than that of any to come.
func (l *Log) Position() Position {
	if l.filling {
		return positionOf(l.latest, l.segments[l.active].used)
	}
	return positionOf(l.latest, refMask)
}

// Append adds a span's message body to a chain. The body and the origin's headers are copied.
func (l *Log) Append(c *Chain, o *Origin, body []byte) {
	n := headerSize + len(body)
	if need := n + o.size(); need > l.pool.largest() {
		at := l.placeholder()
		l.appendAlone(c, o, at, l.clock, body)
		return
	}
	s := l.open(n, o)
	if o.sequence != s.sequence {
		o.at, o.sequence = l.names.store(s, o), s.sequence
	}
	r := l.runIn(c, l.active)
	r.last = s.put(kindSpan, o.at, r.last, s.since(l.clock), nil, body)
	r.bytes += uint32(n)
	s.live += uint32(n)
}

// AppendCopy adds a span that had another place before, with the position and the time of arrival that it had there.
func (l *Log) AppendCopy(c *Chain, o *Origin, body []byte, at Position, arrived int64) {
	n := headerSize + copiedSize + len(body)
	if n+o.size() > l.pool.largest() {
		l.appendAlone(c, o, at, arrived, body)
		return
	}
	s := l.open(n, o)
	if o.sequence != s.sequence {
		o.at, o.sequence = l.names.store(s, o), s.sequence
	}
	r := l.runIn(c, l.active)
	r.last = s.put(kindCopied, o.at, r.last, s.since(arrived), prefix(at), body)
	r.bytes += uint32(n)
	s.live += uint32(n)
}

func prefix(at Position) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(at)) }

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
func (l *Log) begin() {
	l.active, l.filling = l.newSegment(l.pool.segmentSize), true
	l.latest = l.segments[l.active].sequence
}

// seal ends the segment being filled.
func (l *Log) seal() {
	l.filling = false
	l.names.table.Clear()
	s := &l.segments[l.active]
	if s.liveRuns == 0 {
		l.recycle(l.active)
		return
	}
	l.finish(s)
}

// finish seals a segment.
func (l *Log) finish(s *segment) {
	l.pool.written(s.mem.number, segmentSuffix)
	s.shrinkable = true
	l.pool.shrinkable.Add(1)
}

// Interrupt gives up the segment being filled, of which a store failed. What is in it stays.
func (l *Log) Interrupt() {
	l.filling = false
	l.names.table.Clear()
}

// placeholder takes a position in the order of records for one that is stored elsewhere.
func (l *Log) placeholder() Position {
	if l.filling && l.segments[l.active].room() < headerSize {
		l.seal()
	}
	if !l.filling {
		l.begin()
	}
	s := &l.segments[l.active]
	return positionOf(s.sequence, s.put(kindResource, 0, 0, 0, nil, nil))
}

// appendAlone stores a record in a segment of its own size, beside the one being filled.
func (l *Log) appendAlone(c *Chain, o *Origin, at Position, arrived int64, body []byte) {
	n := headerSize + copiedSize + len(body)
	number := l.newSegment(fileHeaderSize + n + o.size())
	s := &l.segments[number]
	s.alone = true
	resource := s.put(kindResource, 0, 0, 0, nil, o.Resource)
	scope := s.put(kindScope, resource, 0, 0, nil, o.Scope)
	r := l.runIn(c, number)
	r.last = s.put(kindCopied, scope, 0, s.since(arrived), prefix(at), body)
	r.bytes = uint32(n)
	s.live = r.bytes
	l.finish(s)
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
	n := l.slot()
	h := l.pool.header(l, l.clock)
	h.size = uint32(size)
	l.segments[n].begin(&h, l.pool.get(size))
	l.count()
	return n
}

// slot returns the number of a segment that is not in use.
func (l *Log) slot() (n uint32) {
	if last := len(l.unused) - 1; last >= 0 {
		n, l.unused = l.unused[last], l.unused[:last]
		return n
	}
	l.segments = append(l.segments, segment{})
	return uint32(len(l.segments) - 1)
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
	h := l.pool.header(l, l.clock)
	h.size = uint32(len(s.mem.buf))
	s.begin(&h, s.mem)
	l.latest = h.sequence
}

// recycle gives a segment without live runs back to the pool.
func (l *Log) recycle(n uint32) {
	s := &l.segments[n]
	l.freeRuns(s)
	if s.busy {
		s.dead = true // who works on it gives it back
		return
	}
	l.windows.forget(s.sequence)
	l.unshrinkable(s)
	switch {
	case s.superseded && s.cold != nil:
		l.pool.supersedeCold(s.cold)
	case s.superseded:
		l.pool.supersede(s.mem)
	case s.cold != nil:
		l.pool.discard(s.cold)
	default:
		l.pool.put(s.mem)
	}
	*s = segment{}
	l.unused = append(l.unused, n)
	l.count()
}

// unshrinkable takes a segment from those that could take less memory.
func (l *Log) unshrinkable(s *segment) {
	if s.shrinkable {
		s.shrinkable = false
		l.pool.shrinkable.Add(-1)
	}
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
	now := l.pool.OnHeap(l.runs.Bytes() + l.names.table.Bytes() + cap(l.segments)*int(unsafe.Sizeof(segment{})) + l.windows.bytes())
	if now != l.counted {
		l.pool.Grow(now - l.counted)
		l.counted = now
	}
}

// Close gives all memory back to the pool. Files stay, with what is in them. The log is not to be used afterwards.
func (l *Log) Close() {
	for i := range l.segments {
		switch s := &l.segments[i]; {
		case s.cold != nil:
			l.pool.leave(s.cold)
		case s.mem.onDisk() && s.liveRuns > 0:
			l.pool.unmap(s.mem)
		case s.mem.buf != nil:
			l.pool.put(s.mem)
		}
	}
	l.pool.Grow(-l.counted)
	*l = Log{pool: l.pool, shard: l.shard}
}
