package spanlog

// sparse is the share of what a segment takes, as a divisor, up to which live spans are copied out of it in passing.
const sparse = 8

// Compact copies live spans out of segments of which they are at most this share, so that those segments can be
// recycled, and returns how many were. The segment being filled and segments of a single record stay, and so do those
// that are not in memory, unless disk is what is short.
func (l *Log) Compact(share float64, disk bool) int {
	freed := 0
	for n := range uint32(len(l.segments)) {
		s := &l.segments[n]
		if l.movable(n) && (disk || s.inMemory()) && float64(s.live) <= share*float64(s.takes()) && l.pool.spare() && l.move(n) {
			freed++
		}
	}
	return freed
}

// inMemory reports whether recycling the segment gives memory back.
func (s *segment) inMemory() bool { return s.cold == nil || s.cold.packed.buf != nil }

// takes is how many bytes recycling the segment gives back, of memory or of disk. Its spans are copied as they were before
// they were compressed, so that to copy many out of a compressed segment would take more room than it makes.
func (s *segment) takes() int64 {
	if s.cold != nil {
		return s.cold.size
	}
	return int64(len(s.mem.buf))
}

// compactOne copies one sparse segment forward if there is one. It is called whenever the log goes on to another
// segment, so that stragglers do not pile up where nobody calls Compact. It looks at a few segments each time.
func (l *Log) compactOne() {
	const look = 8
	for range min(look, len(l.segments)) {
		if l.hand++; int(l.hand) >= len(l.segments) {
			l.hand = 0
		}
		if s := &l.segments[l.hand]; l.movable(l.hand) && int64(s.live) <= s.takes()/sparse {
			l.move(l.hand)
			return
		}
	}
}

// movable reports whether the segment's runs can be copied forward.
func (l *Log) movable(n uint32) bool {
	s := &l.segments[n]
	return s.sequence != 0 && !s.alone && !s.busy && s.liveRuns > 0 && (!l.filling || n != l.active)
}

// move copies a segment's live runs to the end of the log and recycles it. It reports whether its bytes could be read.
func (l *Log) move(n uint32) bool {
	from, err := l.bytes(n)
	if err != nil || readable(from) != nil {
		return false // it stays: who needs its spans will tell
	}
	next := l.segments[n].runs
	l.segments[n].runs = 0
	for next != 0 {
		number, r := next, l.runs.At(next)
		next = r.sibling
		if r.bytes == 0 {
			l.runs.Free(number)
			continue
		}
		l.moveRun(number, r, from)
	}
	s := &l.segments[n]
	s.live, s.liveRuns, s.superseded = 0, 0, true
	l.recycle(n)
	return true
}

// Newer reports whether records of the chain are in segments that were begun after the position was taken, be it that they
// were copied there.
func (l *Log) Newer(c Chain, than Position) bool {
	for n := c.last; n != 0; n = l.runs.At(n).older {
		if l.segments[l.runs.At(n).segment].sequence > than.Sequence() {
			return true
		}
	}
	return false
}

// moveRun copies the records of a run, all into one segment.
func (l *Log) moveRun(number uint32, r *run, from records) {
	source := r.segment
	offsets := l.recordsOf(from, r)
	r.last, r.bytes = 0, 0
	var o Origin
	var scope uint32
	to, names := l.openForRun(from, offsets)
	for i, at := range offsets {
		s, d := &l.segments[source], &l.segments[to]
		if ref := from.ref(at); i == 0 || ref != scope {
			scope = ref
			o.Set(from.content(from.ref(scope)), from.content(scope))
			o.at = names.store(d, &o)
		}
		arrived := d.since(s.created + int64(from.arrived(at)))
		body := from.body(at)
		r.last = d.put(kindCopied, o.at, r.last, arrived, prefix(from.position(s.sequence, at)), body)
		r.bytes += uint32(headerSize + copiedSize + len(body))
	}
	d := &l.segments[to]
	r.segment = to
	r.sibling, d.runs = d.runs, number
	d.live += r.bytes
	d.liveRuns++
	if d.alone {
		l.finish(d)
	}
}

// openForRun returns a segment with room for the records and what they refer to, and the dictionary to be used with it.
func (l *Log) openForRun(from records, offsets []uint32) (uint32, *dictionary) {
	need := 0
	var last uint32
	for i, at := range offsets {
		need += headerSize + copiedSize + len(from.body(at))
		if scope := from.ref(at); i == 0 || scope != last {
			last = scope
			need += 2*headerSize + len(from.content(scope)) + len(from.content(from.ref(scope)))
		}
	}
	if need > l.pool.segmentSize-fileHeaderSize {
		n := l.newSegment(fileHeaderSize + need)
		l.segments[n].alone = true
		return n, &dictionary{}
	}
	if l.filling {
		if need <= l.segments[l.active].room() {
			return l.active, &l.names
		}
		l.seal()
	}
	l.begin()
	return l.active, &l.names
}
