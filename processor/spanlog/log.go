package spanlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Log is one shard's buffer: segments that it fills one after the other. It is not safe for concurrent use: the shard's
// mutex guards it.
type Log struct {
	segments
	shard   uint32
	active  uint32 // the segment being filled
	filling bool   // active is valid
	latest  uint64 // sequence of the latest active segment
	clock   int64  // Unix milliseconds; arrival time of the spans that are appended
	hand    uint32 // the segment that compactOne visited last
	// volatile is set while a segment being filled may be in no file although the pool has a disk.
	volatile bool
}

// wide is the segment being filled with records whose resource and scope are too large to be stored once in every segment of
// the usual size. It has room for them and for a usual segment's records, and is filled while they fit.
type wide struct {
	number  uint32
	filling bool // number is valid
	names   dictionary
}

// New returns an empty log that takes its segments from the pool. Logs of a pool have different shards.
func New(p *Pool, shard int) *Log {
	return &Log{segments: segments{pool: p}, shard: uint32(shard), latest: p.sequence.Load()}
}

// SetTime sets the arrival time of spans that are appended from now on, in Unix milliseconds.
func (l *Log) SetTime(unixMilli int64) { l.clock = unixMilli }

// Position returns a position that is higher than that of every span in the log, and at most that of any span to come.
func (l *Log) Position() Position {
	if l.filling {
		return format.PositionOf(l.latest, l.list[l.active].used)
	}
	return format.PositionOf(l.latest, format.RefMask)
}

// Append adds a span's message body to a chain. The body and the origin's headers are copied.
func (l *Log) Append(c *Chain, o *Origin, body []byte) {
	if l.volatile {
		leaveVolatile(l)
	}
	n := format.RecordHeaderSize + len(body)
	if n+o.size() > largest(l.pool.segmentSize) {
		appendApart(l, c, o, l.placeholder(), l.clock, body)
		return
	}
	s := l.open(n, o)
	l.names.place(s, o)
	prev := l.runs.lastIn(*c, l.active)
	l.runs.grow(c, l.active, s, s.put(format.KindSpan, o.at, prev, s.since(l.clock), nil, body), n)
}

// AppendWithFact is Append, and stores the span's fact for Facts, unless the record is too large for the segment being filled. identify is
// called once for each origin of a segment.
func (l *Log) AppendWithFact(c *Chain, o *Origin, body []byte, f *Fact, identify Identify) {
	n := format.RecordHeaderSize + len(body)
	if n+o.size() > largest(l.pool.segmentSize) {
		l.Append(c, o, body)
		return
	}
	if l.volatile {
		leaveVolatile(l)
	}
	s := l.open(n+factRoom, o)
	l.names.place(s, o)
	slot := putFact(l, s, o, f, l.runs.factIn(*c, l.active), identify)
	prev := l.runs.lastIn(*c, l.active)
	l.runs.grow(c, l.active, s, s.put(format.KindSpan, o.at, prev, s.since(l.clock), nil, body), n)
	l.runs.At(c.last).fact = slot
}

// putFact stores a fact in the segment being filled, where its origin was placed, and returns its slot. There must be room.
func putFact(l *Log, s *segment, o *Origin, f *Fact, prev uint16, identify Identify) uint16 {
	origin := l.names.identity(s, o, identify)
	slot := s.slot()
	format.FactAt(s.mem.Buf, slot).Put(f, origin, prev)
	return slot
}

// AppendCopy adds a copy of a span, which keeps its position and time of arrival (Unix milliseconds). It needs no Guard:
// if the disk fails, the span is kept in memory, as by Pool.get.
func (l *Log) AppendCopy(c *Chain, o *Origin, body []byte, at Position, arrived int64) {
	if err := appendCopy(l, c, o, body, at, arrived); err != nil {
		_ = l.Interrupt(err) // the span is kept in memory, below
		l.appendAlone(c, o, at, arrived, body, l.pool.volatileMemory)
	}
}

func appendCopy(l *Log, c *Chain, o *Origin, body []byte, at Position, arrived int64) (err error) {
	defer Guard(&err)()
	n := format.RecordHeaderSize + format.CopiedSize + len(body)
	if n+o.size() > largest(l.pool.segmentSize) {
		appendApart(l, c, o, at, arrived, body)
		return nil
	}
	s := l.open(n, o)
	l.names.place(s, o)
	prev := l.runs.lastIn(*c, l.active)
	l.runs.grow(c, l.active, s, s.put(format.KindCopied, o.at, prev, s.since(arrived), encodePosition(at), body), n)
	return nil
}

func encodePosition(at Position) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(at)) }

// open returns the segment being filled, or begins another if it has no room for a record of n bytes and its origin.
func (l *Log) open(n int, o *Origin) *segment {
	for {
		if l.filling {
			s := &l.list[l.active]
			if n <= s.room() && (o.sequence == s.sequence || n+o.size() <= s.room()) {
				return s
			}
			l.seal()
		}
		l.begin()
		l.compactOne() // fills a small part of the new segment at most, so that the loop ends soon
	}
}

// fills reports whether a segment is being filled.
func fills(l *Log, n uint32) bool {
	return l.filling && n == l.active || l.wide.filling && n == l.wide.number
}

// begin begins a segment and makes it the one being filled.
func (l *Log) begin() {
	l.active, l.filling = l.add(l.shard, l.clock, memoryFor(l, l.pool.segmentSize)), true
	l.latest = l.list[l.active].sequence
}

// memoryFor returns memory for a segment to be filled, as Pool.get.
func memoryFor(l *Log, size int) mapped.Memory {
	m := l.pool.get(size)
	l.volatile = l.volatile || !m.OnDisk() && l.pool.disk.Load() != nil
	return m
}

// leaveVolatile seals the segments being filled that are in no file because the disk failed, once there are free segments
// again: spans that are accepted while the disk works must survive the process.
func leaveVolatile(l *Log) {
	if l.pool.stock.len() == 0 {
		return
	}
	if l.filling && !l.list[l.active].mem.OnDisk() {
		l.seal()
	}
	if l.wide.filling && !l.list[l.wide.number].mem.OnDisk() {
		l.wide.seal(l)
	}
	l.volatile = false
}

// seal ends the segment being filled, and recycles it if it has no live run.
func (l *Log) seal() {
	l.filling = false
	l.names.clear()
	s := &l.list[l.active]
	if s.liveRuns == 0 {
		l.recycle(l.active)
		return
	}
	l.finish(s)
}

// Interrupt ends the segments being filled, because a store failed. Their spans stay; segments without live runs go back to
// the pool. After ErrDisk it discards the pool's free segments too: the fault has likely hit them, and they would fail other
// requests. It returns the error, with the name of the damaged file if that is known.
func (l *Log) Interrupt(cause error) error {
	cause = named(l, cause)
	if errors.Is(cause, ErrDisk) {
		discardStock(l.pool)
	}
	l.filling, l.wide.filling = false, false
	l.names.clear()
	l.wide.names.clear()
	for n := range uint32(len(l.list)) {
		if s := &l.list[n]; s.sequence != 0 && s.liveRuns == 0 && !s.busy {
			l.recycle(n)
		}
	}
	return cause
}

// Probe reads the segment being filled, and ends it if the disk cannot return it, so that it fails no request. It is for the
// other logs of a pool, after one of them failed.
func (l *Log) Probe() {
	if l.filling && mapped.Readable(l.list[l.active].mem.Buf) != nil {
		_ = l.Interrupt(nil) // there is no request to fail
	}
}

// named adds the name of the damaged segment's file to a disk error.
func named(l *Log, cause error) error {
	var fault *mapped.Fault
	disk := l.pool.disk.Load()
	if disk == nil || !errors.As(cause, &fault) {
		return cause
	}
	for i := range l.list {
		if m := l.list[i].mem; m.OnDisk() && fault.In(m.Buf) {
			return &damaged{filepath.Base(disk.File(files.InFile(m))), cause}
		}
	}
	return cause
}

// damaged is the error of a segment's file that the disk cannot return.
type damaged struct {
	name  string
	cause error
}

func (d *damaged) Error() string {
	return fmt.Sprintf("the segment file %s is damaged: it was cut off, or cannot be read or written; another one is begun", d.name)
}

func (d *damaged) Unwrap() error { return d.cause }

// placeholder stores an empty record in the segment being filled and returns its position, for a record that is stored in
// another segment.
func (l *Log) placeholder() Position {
	if l.filling && l.list[l.active].room() < format.RecordHeaderSize {
		l.seal()
	}
	if !l.filling {
		l.begin()
	}
	s := &l.list[l.active]
	return format.PositionOf(s.sequence, s.put(format.KindResource, 0, 0, 0, nil, nil))
}

// appendApart stores a record that, with its resource and scope, is too large for the segment being filled: in a segment of
// its own or, if the resource and scope are the larger part, in the wide segment, which stores them once for many records.
func appendApart(l *Log, c *Chain, o *Origin, at Position, arrived int64, body []byte) {
	n := format.RecordHeaderSize + format.CopiedSize + len(body)
	if o.size() <= n {
		l.appendAlone(c, o, at, arrived, body, l.pool.get)
		return
	}
	s := l.wide.open(l, n, o)
	l.wide.names.place(s, o)
	prev := l.runs.lastIn(*c, l.wide.number)
	l.runs.grow(c, l.wide.number, s, s.put(format.KindCopied, o.at, prev, s.since(arrived), encodePosition(at), body), n)
}

// open returns the wide segment of a log, or begins another if it has no room for a record of n bytes and its origin.
func (w *wide) open(l *Log, n int, o *Origin) *segment {
	if w.filling {
		if s := &l.list[w.number]; n+w.names.missing(s, o) <= s.room() {
			return s
		}
		w.seal(l)
	}
	size := format.HeaderSize + n + o.size() + l.pool.segmentSize
	w.number, w.filling = l.add(l.shard, l.clock, memoryFor(l, size)), true
	s := &l.list[w.number]
	s.alone = true
	return s
}

// seal ends the wide segment.
func (w *wide) seal(l *Log) {
	w.filling = false
	w.names.clear()
	if s := &l.list[w.number]; s.liveRuns > 0 {
		l.finish(s)
		return
	}
	l.recycle(w.number)
}

// appendAlone stores a record in a segment of its own size, beside the one being filled. memory returns its memory.
func (l *Log) appendAlone(c *Chain, o *Origin, at Position, arrived int64, body []byte, memory func(size int) mapped.Memory) {
	n := format.RecordHeaderSize + format.CopiedSize + len(body)
	number := l.add(l.shard, l.clock, memory(format.HeaderSize+n+o.size()))
	s := &l.list[number]
	s.alone = true
	resource := s.put(format.KindResource, 0, 0, 0, nil, o.Resource)
	scope := s.put(format.KindScope, resource, 0, 0, nil, o.Scope)
	l.runs.grow(c, number, s, s.put(format.KindCopied, scope, 0, s.since(arrived), encodePosition(at), body), n)
	l.finish(s)
}

// Release releases a trace's records. The chain is empty afterwards.
func (l *Log) Release(c *Chain) {
	for n := c.last; n != 0; {
		r := l.runs.At(n)
		segment, older := r.segment, r.older
		s := &l.list[segment]
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

// abandon reuses or recycles a segment without live runs. The one being filled begins anew, unless the disk fails under it; a
// wide one is recycled, as its size was chosen for a resource and scope that are released.
func (l *Log) abandon(n uint32) {
	if l.wide.filling && n == l.wide.number {
		l.wide.seal(l)
		return
	}
	if !l.filling || n != l.active {
		l.recycle(n)
		return
	}
	s := &l.list[n]
	l.runs.free(s)
	l.names.clear()
	h := l.pool.header(l.shard, l.clock, len(s.mem.Buf))
	if err := s.beginAnew(&h); err != nil {
		_ = l.Interrupt(err) // nothing is lost: it held nothing
		return
	}
	l.latest = h.Sequence
}

// Close gives all memory back to the pool. Files with live spans stay. The log must not be used afterwards.
func (l *Log) Close() {
	for i := range l.list {
		switch s := &l.list[i]; {
		case s.cold != nil:
			leaveCold(l.pool, s.cold)
		case s.mem.OnDisk() && s.liveRuns > 0:
			l.pool.used.Add(-int64(len(s.mem.Buf)))
			s.mem.Release()
		case s.mem.Buf != nil:
			l.pool.put(s.mem)
		}
	}
	for _, w := range l.walks.idle {
		w.close()
	}
	l.facts.close()
	l.pool.Grow(-l.counted)
	*l = Log{segments: segments{pool: l.pool}, shard: l.shard}
}
