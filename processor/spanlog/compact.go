package spanlog

import (
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// sparse is the divisor of a segment's size that gives the live bytes up to which compactOne copies them.
const sparse = 8

// Compact recycles segments whose live spans take at most a share (0 to 1) of them: it copies these spans to the end of the
// log. It returns how many segments it recycled. It leaves out the segments being filled, those that are not of the usual
// size and, unless disk is set, those that take no memory. pause, unless nil, is called before each segment; files are read
// and made during it. If the disk fails under a copy, Compact faults and ends the segments being filled.
func (l *Log) Compact(share float64, disk bool, pause Pause) int {
	freed, done := 0, false
	defer func() {
		l.whole = whole{}
		l.count()
		if !done {
			_ = l.Interrupt(nil) // the fault goes on
		}
	}()
	compactable := func(n uint32) bool {
		s := &l.list[n]
		return l.movable(n) && (disk || s.inMemory()) && float64(s.live) <= share*float64(s.takes())
	}
	for n := range uint32(len(l.list)) {
		if !compactable(n) {
			continue
		}
		if pause != nil && !l.prepare(n, pause) {
			break
		}
		if compactable(n) && hasSpare(l.pool) && l.move(n, int(share*float64(l.list[n].takes()))) {
			freed++
		}
	}
	done = true
	return freed
}

// prepare calls pause to load a segment's bytes and to make a segment to copy them to, without the shard's mutex. It reports
// whether to go on.
func (l *Log) prepare(n uint32, pause Pause) bool {
	load := l.missing(n)
	goOn := pause(func() {
		ensureSpare(l.pool)
		if load != nil {
			load.read()
		}
	})
	if load != nil {
		l.take(load)
	}
	return goOn
}

// inMemory reports whether recycling the segment gives memory back.
func (s *segment) inMemory() bool { return s.cold == nil || s.cold.Packed.Buf != nil }

// takes returns how many bytes recycling the segment gives back, of memory or of disk. Spans are copied uncompressed, so that
// a compressed segment is worth compacting only if few are live.
func (s *segment) takes() int64 {
	if s.cold != nil {
		return s.cold.Size
	}
	return int64(len(s.mem.Buf))
}

// compactOne compacts one sparse segment if it finds one. It is called whenever the log begins a segment, so that sparse
// segments do not pile up between calls of Compact. It visits a few segments each time, and leaves cold ones to Compact, as
// Append must not wait for the disk.
func (l *Log) compactOne() {
	const look = 8
	for range min(look, len(l.list)) {
		if l.hand++; int(l.hand) >= len(l.list) {
			l.hand = 0
		}
		if s := &l.list[l.hand]; s.cold == nil && l.movable(l.hand) && int64(s.live) <= s.takes()/sparse {
			if l.move(l.hand, int(s.takes()/sparse)) {
				return
			}
		}
	}
}

// movable reports whether the segment's runs can be copied forward.
func (l *Log) movable(n uint32) bool {
	s := &l.list[n]
	return s.sequence != 0 && !s.alone && !s.busy && s.liveRuns > 0 && !fills(l, n)
}

// move copies a segment's live runs to the end of the log and recycles the segment. It reports whether it did: not if the
// segment's bytes cannot be read, or if the copy, with its resources and scopes, would have more than limit bytes. Without
// that limit a segment that consists of resources would be copied again and again.
func (l *Log) move(n uint32, limit int) bool {
	from, err := l.bytes(n)
	if err != nil || mapped.Readable(from) != nil {
		return false // a reader of its spans gets the error
	}
	headers := map[uint32]bool{} // offsets of those that were added up
	for number := l.list[n].runs; number != 0; number = l.runs.At(number).sibling {
		r := l.runs.At(number)
		if r.bytes == 0 {
			continue
		}
		offsets, sound := l.runs.records(from, &l.list[n], r)
		if !sound {
			return false // likewise
		}
		if limit -= int(r.bytes) + headersOf(from, offsets, headers) + len(factSlots(l, r))*format.FactSize; limit < 0 {
			return false
		}
	}
	for number := l.list[n].runs; number != 0; number = l.list[n].runs {
		if r := l.runs.At(number); r.bytes == 0 {
			l.list[n].runs = r.sibling
			l.runs.Free(number)
			continue
		}
		moveRun(l, number, from)
	}
	l.recycle(n)
	return true
}

// headersOf returns how many bytes the records' resources and scopes take, except those in seen, and adds them to seen.
func headersOf(b format.Records, offsets []uint32, seen map[uint32]bool) (bytes int) {
	last := uint32(0)
	for _, at := range offsets {
		scope := b.Ref(at)
		if scope == last {
			continue
		}
		last = scope
		for _, header := range [...]uint32{scope, b.Ref(scope)} {
			if !seen[header] {
				seen[header] = true
				bytes += format.RecordHeaderSize + len(b.Content(header))
			}
		}
	}
	return bytes
}

// moveRun copies the records of a segment's first run to the end of the log, all into one segment, and their facts if each record has one
// in memory. from is the segment's bytes. If a store fails the run stays where it is.
func moveRun(l *Log, number uint32, from format.Records) {
	r := l.runs.At(number)
	source := r.segment
	offsets, _ := l.runs.records(from, &l.list[source], r) // move checked that they are sound
	var o Origin
	var last, bytes uint32
	var scope uint32
	var fact uint16
	facts := factSlots(l, r)
	to, names, room := openForRun(l, from, offsets, len(facts))
	if len(facts) != len(offsets) || !room {
		facts = nil
	}
	failpoint.Before(failpoint.SpanlogCopy)
	s, d := &l.list[source], &l.list[to]
	for i, at := range offsets {
		if ref := from.Ref(at); i == 0 || ref != scope {
			scope = ref
			o.Set(from.Content(from.Ref(scope)), from.Content(scope))
			o.at = names.store(d, &o)
		}
		arrived := d.since(s.created + int64(from.Arrived(at)))
		body := from.Body(at)
		if facts != nil {
			fact = copyFact(l, s, d, &o, facts[i], fact)
		}
		last = d.put(format.KindCopied, o.at, last, arrived, encodePosition(from.Position(s.sequence, at)), body)
		bytes += uint32(format.RecordHeaderSize + format.CopiedSize + len(body))
	}
	failpoint.After(failpoint.SpanlogCopy)
	s.runs, s.superseded = r.sibling, true
	s.live -= r.bytes
	s.liveRuns--
	r.segment, r.last, r.bytes, r.fact = to, last, bytes, fact
	r.sibling, d.runs = d.runs, number
	d.live += r.bytes
	d.liveRuns++
	if d.alone {
		l.finish(d)
	}
}

// factSlots returns the slots of a run's facts, the oldest first, valid until the next call; none if its segment is cold.
func factSlots(l *Log, r *run) []uint16 {
	s := &l.list[r.segment]
	if s.cold != nil {
		return nil
	}
	return l.facts.slots(s, r.fact)
}

// copyFact copies a fact from one segment in memory to the one being filled, where its origin was placed, and returns its slot there.
func copyFact(l *Log, s, d *segment, o *Origin, slot, prev uint16) uint16 {
	from := format.FactAt(s.mem.Buf, slot)
	identity := Identity(format.FactAt(s.mem.Buf, from.Origin())[:format.IdentitySize])
	return putFact(l, d, o, (*Fact)(from[:format.FactContent]), prev, func([]byte) Identity { return identity })
}

// openForRun returns a segment with room for the records, their resources and their scopes, and the segment's dictionary. It reports
// whether there is room for so many facts too.
func openForRun(l *Log, from format.Records, offsets []uint32, facts int) (uint32, *dictionary, bool) {
	need := 0
	var last uint32
	for i, at := range offsets {
		need += format.RecordHeaderSize + format.CopiedSize + len(from.Body(at))
		if scope := from.Ref(at); i == 0 || scope != last {
			last = scope
			need += 2*format.RecordHeaderSize + len(from.Content(scope)) + len(from.Content(from.Ref(scope)))
		}
	}
	if need > l.pool.segmentSize-format.HeaderSize {
		n := l.add(l.shard, l.clock, l.pool.get(format.HeaderSize+need))
		l.list[n].alone = true
		return n, &dictionary{}, false
	}
	room := false
	if withFacts := need + facts*factRoom; facts > 0 && withFacts <= l.pool.segmentSize-format.HeaderSize {
		need, room = withFacts, true
	}
	if l.filling {
		if need <= l.list[l.active].room() {
			return l.active, &l.names, room
		}
		l.seal()
	}
	l.begin()
	return l.active, &l.names, room
}
