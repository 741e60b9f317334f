package spanlog

// sparse is the share of a segment, as a divisor, up to which live spans are copied out of it in passing.
const sparse = 8

// Compact copies live spans out of segments that are filled to at most this share (0 to 1) by them, so that those
// segments can be recycled, and returns how many were. The segment being filled and segments of a single record stay.
func (l *Log) Compact(share float64) int {
	freed := 0
	for n := range uint32(len(l.segments)) {
		if l.movable(n) && float64(l.segments[n].live) <= share*float64(l.pool.segmentSize) {
			l.move(n)
			freed++
		}
	}
	return freed
}

// compactOne copies one sparse segment forward if there is one. It is called whenever the log goes on to another
// segment, so that stragglers do not pile up where nobody calls Compact. It looks at a few segments each time.
func (l *Log) compactOne() {
	const look = 8
	for range min(look, len(l.segments)) {
		if l.hand++; int(l.hand) >= len(l.segments) {
			l.hand = 0
		}
		if l.movable(l.hand) && int(l.segments[l.hand].live) <= l.pool.segmentSize/sparse {
			l.move(l.hand)
			return
		}
	}
}

// movable reports whether the segment's runs can be copied forward.
func (l *Log) movable(n uint32) bool {
	s := &l.segments[n]
	return len(s.buf) == l.pool.segmentSize && s.liveRuns > 0 && (!l.filling || n != l.active)
}

// move copies a segment's live runs to the end of the log and recycles it.
func (l *Log) move(n uint32) {
	next := l.segments[n].runs
	l.segments[n].runs = 0
	for next != 0 {
		number, r := next, l.runs.At(next)
		next = r.sibling
		if r.bytes == 0 {
			l.runs.Free(number)
			continue
		}
		l.moveRun(number, r)
	}
	s := &l.segments[n]
	s.live, s.liveRuns = 0, 0
	l.recycle(n)
}

// moveRun copies the records of a run, all into one segment.
func (l *Log) moveRun(number uint32, r *run) {
	from := r.segment
	records := l.recordsOf(&l.segments[from], r)
	r.last = 0
	var o Origin
	var scope uint32
	to := l.openForRun(from, records)
	for i, at := range records {
		s, d := &l.segments[from], &l.segments[to]
		if ref := s.ref(at); i == 0 || ref != scope {
			scope = ref
			o.Set(s.payload(s.ref(scope)), s.payload(scope))
			o.at = l.names.store(d, &o)
		}
		r.last = d.put(kindSpan, o.at, r.last, s.payload(at))
	}
	d := &l.segments[to]
	r.segment = to
	r.sibling, d.runs = d.runs, number
	d.live += r.bytes
	d.liveRuns++
}

// openForRun returns a segment with room for the records and what they refer to. A run fits into an empty segment,
// because it was in one with all it refers to.
func (l *Log) openForRun(from uint32, records []uint32) uint32 {
	s := &l.segments[from]
	need := 0
	var last uint32
	for i, at := range records {
		need += headerSize + len(s.payload(at))
		if scope := s.ref(at); i == 0 || scope != last {
			last = scope
			need += 2*headerSize + len(s.payload(scope)) + len(s.payload(s.ref(scope)))
		}
	}
	if l.filling {
		if need <= l.segments[l.active].room() {
			return l.active
		}
		l.seal()
	}
	l.begin()
	return l.active
}
