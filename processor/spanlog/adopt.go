package spanlog

// patch corrects the link of a record to the one before it in its run. What a file says of that may be out of date: it
// is not written to it again.
type patch struct{ at, prev uint32 }

// Adopt makes a segment that was found a part of the log. Spans are attached to chains with Attach; Settle comes last.
func (l *Log) Adopt(f *SegmentFile, c Contents) (number uint32) {
	n := l.slot()
	l.segments[n] = segment{
		cold:    &cold{number: f.number, suffix: f.suffix, size: f.Size, used: c.used, compressed: f.packed},
		created: f.header.created, sequence: f.header.sequence, used: c.used, checked: true,
		alone: int(f.header.size) != l.pool.segmentSize,
	}
	return n
}

// Attach adds a span of an adopted segment to a chain.
func (l *Log) Attach(chain *Chain, number uint32, c Contents, s *Found) {
	r := l.runIn(chain, number)
	at := &l.segments[number]
	if c.b.prev(s.At) != r.last {
		at.cold.patches = append(at.cold.patches, patch{s.At, r.last})
	}
	r.last = s.At
	r.bytes += s.Size
	at.live += s.Size
}

// Settle ends the adoption of a segment. One without a span that is still wanted is deleted.
func (l *Log) Settle(number uint32) {
	if l.segments[number].liveRuns == 0 {
		l.recycle(number)
	}
	l.count()
}

// Delete deletes a segment file whose spans were copied to where they belong.
func (f *SegmentFile) Delete(p *Pool) {
	p.discard(&cold{number: f.number, suffix: f.suffix, size: f.Size})
}
