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

// Log is one shard's buffer: its segments, of which it fills one after the other. It is not safe for concurrent use: the
// shard's mutex guards it.
type Log struct {
	segments
	shard   uint32
	active  uint32 // the segment being filled
	filling bool   // whether there is one
	latest  uint64 // sequence of the segment that was filled last
	clock   int64  // Unix milliseconds; when what is appended arrived
	hand    uint32 // the segment that compactOne looked at last
	// volatile says that a segment being filled may be in no file, where it should be in one.
	volatile bool
}

// wide is the segment being filled with records whose resource and scope are too large to be stored once in every segment of
// the usual size: it has room for them and for a usual segment's records. As long as they are the same it goes on with it.
type wide struct {
	number  uint32
	filling bool // whether there is one
	names   dictionary
}

// New returns an empty log that takes its segments from the pool. Logs of a pool have different shards.
func New(p *Pool, shard int) *Log {
	return &Log{segments: segments{pool: p}, shard: uint32(shard), latest: p.sequence.Load()}
}

// SetTime says when what is appended from now on arrived, in Unix milliseconds.
func (l *Log) SetTime(unixMilli int64) { l.clock = unixMilli }

// Position is higher than that of every span in the log, and not higher than that of any to come.
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
	if o.sequence != s.sequence {
		o.at, o.sequence = l.names.store(s, o), s.sequence
	}
	prev := l.runs.lastIn(*c, l.active)
	l.runs.grow(c, l.active, s, s.put(format.KindSpan, o.at, prev, s.since(l.clock), nil, body), n)
}

// AppendCopy adds a span that had another place before, with the position and the time of arrival that it had there. Where
// the disk fails under it the span is kept in memory, as by Pool.get: it needs no Guard.
func (l *Log) AppendCopy(c *Chain, o *Origin, body []byte, at Position, arrived int64) {
	if err := l.copy(c, o, body, at, arrived); err != nil {
		_ = l.Interrupt(err) // the span is kept all the same
		l.appendAlone(c, o, at, arrived, body, l.pool.volatileMemory)
	}
}

func (l *Log) copy(c *Chain, o *Origin, body []byte, at Position, arrived int64) (err error) {
	defer Guard(&err)()
	n := format.RecordHeaderSize + format.CopiedSize + len(body)
	if n+o.size() > largest(l.pool.segmentSize) {
		appendApart(l, c, o, at, arrived, body)
		return nil
	}
	s := l.open(n, o)
	if o.sequence != s.sequence {
		o.at, o.sequence = l.names.store(s, o), s.sequence
	}
	prev := l.runs.lastIn(*c, l.active)
	l.runs.grow(c, l.active, s, s.put(format.KindCopied, o.at, prev, s.since(arrived), prefix(at), body), n)
	return nil
}

func prefix(at Position) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(at)) }

// open returns the segment being filled, another one if that has no room for the record.
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
		l.compactOne() // may fill a part of the new segment, never so much that the loop goes on for long
	}
}

// fills reports whether a segment is being filled.
func fills(l *Log, n uint32) bool {
	return l.filling && n == l.active || l.wide.filling && n == l.wide.number
}

// begin opens a segment to be filled.
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

// leaveVolatile ends the segments being filled that are in no file, as the disk failed when they were begun, once there are free segments
// again: a span that was let in since, which a working disk has room for, is not to be lost with the process.
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

// seal ends the segment being filled.
func (l *Log) seal() {
	l.filling = false
	l.names.table.Clear()
	s := &l.list[l.active]
	if s.liveRuns == 0 {
		l.recycle(l.active)
		return
	}
	l.finish(s)
}

// Interrupt gives up the segments being filled, because a store failed. What is in it stays; segments that hold nothing go
// back to the pool. What hit one file has likely hit others: the segments that wait for their first use are given up, too, so that
// they fail no other request. It returns the error with the name of the file that it is about, as far as that is known.
func (l *Log) Interrupt(cause error) error {
	cause = named(l, cause)
	if errors.Is(cause, ErrDisk) {
		discardStock(l.pool)
	}
	l.filling, l.wide.filling = false, false
	l.names.table.Clear()
	l.wide.names.table.Clear()
	for n := range uint32(len(l.list)) {
		if s := &l.list[n]; s.sequence != 0 && s.liveRuns == 0 && !s.busy {
			l.recycle(n)
		}
	}
	return cause
}

// Probe reads the segment being filled, and gives it up where the disk does not give it back, so that no request fails of it: for logs
// beside one that failed.
func (l *Log) Probe() {
	if l.filling && mapped.Readable(l.list[l.active].mem.Buf) != nil {
		_ = l.Interrupt(nil) // nobody waits for it
	}
}

// named returns an error of the disk with the name of the segment's file that it is about.
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

// damaged is a segment's file that the disk does not give back.
type damaged struct {
	name  string
	cause error
}

func (d *damaged) Error() string {
	return fmt.Sprintf("the segment file %s is damaged: it was cut off, or cannot be read or written; another one is begun", d.name)
}

func (d *damaged) Unwrap() error { return d.cause }

// placeholder takes a position in the order of records for one that is stored elsewhere.
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

// appendApart stores a record that is too large for the segment being filled, with what it refers to, beside that: in a segment of
// its own, unless the resource and scope are the larger part of it. Those are stored once for many records.
func appendApart(l *Log, c *Chain, o *Origin, at Position, arrived int64, body []byte) {
	n := format.RecordHeaderSize + format.CopiedSize + len(body)
	if o.size() <= n {
		l.appendAlone(c, o, at, arrived, body, l.pool.get)
		return
	}
	s := l.wide.open(l, n, o)
	if o.sequence != s.sequence {
		o.at, o.sequence = l.wide.names.store(s, o), s.sequence
	}
	prev := l.runs.lastIn(*c, l.wide.number)
	l.runs.grow(c, l.wide.number, s, s.put(format.KindCopied, o.at, prev, s.since(arrived), prefix(at), body), n)
}

// open returns the wide segment of a log, another one if that has no room for the record.
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
	w.names.table.Clear()
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
	l.runs.grow(c, number, s, s.put(format.KindCopied, scope, 0, s.since(arrived), prefix(at), body), n)
	l.finish(s)
}

// Release forgets a trace's records. The chain is empty afterwards.
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

// abandon is called for a segment without live runs. The one being filled starts anew, unless the disk fails under it; a wide one
// does not, for what it is as large as is gone.
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
	l.names.table.Clear()
	h := l.pool.header(l.shard, l.clock, len(s.mem.Buf))
	if err := s.beginAnew(&h); err != nil {
		_ = l.Interrupt(err) // nothing is lost: it held nothing
		return
	}
	l.latest = h.Sequence
}

// Close gives all memory back to the pool. Files stay, with what is in them. The log is not to be used afterwards.
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
	l.pool.Grow(-l.counted)
	*l = Log{segments: segments{pool: l.pool}, shard: l.shard}
}
