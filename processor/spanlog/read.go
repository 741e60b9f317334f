package spanlog

import (
	"iter"
	"slices"

	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Record is a span in the log. Its slices are the log's own: do not change them, and copy what you keep.
type Record struct {
	// Body is the span's message body.
	Body []byte
	// Resource and Scope are the span's headers, as in Origin.
	Resource, Scope []byte
	// Origin identifies resource and scope: records with equal numbers have equal ones. The reverse does not hold, because
	// every segment stores its own.
	Origin uint64
}

// Records yields a trace's records, the oldest first. In place of records that cannot be read it yields an error, and
// continues with the next run. Do not use the log meanwhile; a record is valid until the next. pause, unless nil, is called
// between records of different segments, and files are read during it.
func (l *segments) Records(c Chain, pause Pause) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w := beginWalk(l, c)
		defer w.end(l) // deferred because reading a record may fault
		for i := len(w.chain) - 1; i >= 0; i-- {
			if !w.run(l, i, pause, yield) {
				return
			}
		}
	}
}

// maxIdle is how many walks are kept for reuse, if they take no more than two segments.
const maxIdle = 4

// maxPlan returns how many bytes of cold runs are read at a time, without the shard's mutex. A larger run is read by itself.
func maxPlan(segmentSize int) int { return segmentSize / 4 }

// walks are the idle walks, kept for reuse.
type walks struct {
	idle  []*walk
	bytes int // memory of all walks' readers, as counted last
}

// walk is one pass over the records of one trace.
type walk struct {
	chain   []uint32     // the trace's runs, the newest first
	cold    *cold.Reader // nil until it is needed
	counted int          // bytes of cold, as counted last
	plan    []planned    // the runs that cold reads, or has read
	fetch   func()       // is read; made once, as a method value allocates
}

// planned is a run in a cold segment. It may be moved while the shard's mutex is given up.
type planned struct {
	number  uint32
	segment *cold.Segment
	run     run // as it was when it was planned
	cold.Result
}

// beginWalk returns a walk over the runs of a chain.
func beginWalk(l *segments, c Chain) *walk {
	var w *walk
	if last := len(l.walks.idle) - 1; last >= 0 {
		w, l.walks.idle = l.walks.idle[last], l.walks.idle[:last]
	} else {
		w = &walk{}
		w.fetch = w.read
	}
	w.chain = l.runs.of(c, w.chain[:0])
	return w
}

// end keeps a walk for reuse, or closes it if there are enough.
func (w *walk) end(l *segments) {
	clear(w.plan)
	w.plan = w.plan[:0]
	if w.cold != nil {
		w.cold.Rest()
	}
	w.count(l)
	if idle := len(l.walks.idle); idle > 0 && (idle >= maxIdle || l.walks.bytes > 2*l.pool.segmentSize) {
		w.close()
		w.count(l)
		return
	}
	l.walks.idle = append(l.walks.idle, w)
}

// close closes the files of a walk that is not kept.
func (w *walk) close() {
	if w.cold != nil {
		w.cold.Close()
		w.cold = nil
	}
}

// count updates the count of the memory that the walk's reader takes.
func (w *walk) count(l *segments) {
	now := 0
	if w.cold != nil {
		now = w.cold.Bytes()
	}
	if now != w.counted {
		l.walks.bytes += now - w.counted
		w.counted = now
		l.count()
	}
}

// run yields the records of the chain's run at index i, hot or cold, and reports whether to go on.
func (w *walk) run(l *segments, i int, pause Pause, yield func(Record, error) bool) bool {
	turn := pause != nil && i < len(w.chain)-1 // let others have the mutex once
	for {
		r := l.runs.At(w.chain[i])
		s := &l.list[r.segment]
		if s.cold == nil && turn {
			pause(nil)
			turn = false
			continue // the run may have moved
		}
		if s.cold == nil {
			return l.yield(s, r, yield)
		}
		if p := w.planned(w.chain[i], r, s.cold); p != nil {
			return w.yield(p, yield)
		}
		w.planFrom(l, i)
		if turn = false; pause != nil && s.cold.InFile() {
			pause(w.fetch)
		} else {
			w.fetch()
		}
		w.count(l)
	}
}

// planFrom plans to read the cold runs from index i towards the newest, up to maxPlan bytes.
func (w *walk) planFrom(l *segments, i int) {
	w.plan = w.plan[:0]
	bytes := 0
	for ; i >= 0; i-- {
		r := l.runs.At(w.chain[i])
		c := l.list[r.segment].cold
		if c == nil {
			continue
		}
		if len(w.plan) > 0 && bytes+int(r.bytes) > maxPlan(l.pool.segmentSize) {
			break
		}
		bytes += int(r.bytes)
		w.plan = append(w.plan, planned{number: w.chain[i], segment: c, run: *r})
	}
	if w.cold == nil {
		w.cold = cold.NewReader(l.pool.disk.Load(), &l.pool.reading, l.pool.segmentSize)
	}
	w.cold.Begin(bytes)
	w.count(l)
}

// read reads the planned runs.
func (w *walk) read() {
	for i := range w.plan {
		p := &w.plan[i]
		p.Result = w.cold.Read(p.segment, p.run.last, p.run.bytes)
	}
}

// planned returns the result of reading a run, nil if it was not read, or has moved or grown since.
func (w *walk) planned(number uint32, r *run, c *cold.Segment) *planned {
	i := slices.IndexFunc(w.plan, func(p planned) bool { return p.number == number })
	if i < 0 || w.plan[i].segment != c || w.plan[i].run.last != r.last {
		return nil
	}
	return &w.plan[i]
}

// yield yields the records of a run in memory, and reports whether to go on.
func (l *segments) yield(s *segment, r *run, yield func(Record, error) bool) bool {
	b := format.Records(s.mem.Buf)
	offsets, sound := l.runs.records(b, s, r)
	if !sound && !yield(Record{}, cold.ErrChanged) {
		return false
	}
	for _, at := range offsets {
		scope := b.Ref(at)
		record := Record{
			Body:     b.Body(at),
			Resource: b.Content(b.Ref(scope)),
			Scope:    b.Content(scope),
			Origin:   uint64(format.PositionOf(s.sequence, scope)),
		}
		if !yield(record, nil) {
			return false
		}
	}
	return true
}

// yield yields the records that were read of a cold run, and reports whether to go on.
func (w *walk) yield(p *planned, yield func(Record, error) bool) bool {
	if p.Err != nil && !yield(Record{}, p.Err) {
		return false
	}
	return w.cold.Records(p.Result, func(r cold.Record) bool {
		return yield(Record{Body: r.Body, Resource: r.Resource, Scope: r.Scope, Origin: uint64(r.Origin)}, nil)
	})
}

// factWalk reads the facts of traces.
type factWalk struct {
	cold     *cold.FactReader // nil until it is needed
	counted  int              // bytes of cold, as counted last
	fact     Fact             // as yielded
	identity Identity         // likewise
	list     []uint16         // scratch of slots
}

// pagesInSegments is how many bytes of facts are kept of cold segments, in segments.
const pagesInSegments = 2

// Facts yields the facts of a trace's records, in any order, and reports whether it read all that there are; there may be fewer
// than records. A yielded fact is valid until the next one. It does not give up the mutex while it reads files.
func (l *segments) Facts(c Chain, yield func(f *Fact, resource *Identity)) (all bool) {
	w := &l.facts
	for n := c.last; n != 0; {
		r := l.runs.At(n)
		if all = w.run(l.pool, &l.list[r.segment], r.fact, yield); !all {
			break
		}
		n = r.older
	}
	if now := w.bytes(); now != w.counted {
		w.counted = now
		l.count()
	}
	return all
}

// run yields the facts of a run from its last one on, and reports whether it could read all, and there are any.
func (w *factWalk) run(p *Pool, s *segment, last uint16, yield func(*Fact, *Identity)) bool {
	origin := uint16(0) // whose identity is in w
	for at := last; at != 0; {
		slot := w.slot(p, s, at)
		if slot == nil {
			return false
		}
		copy(w.fact[:], slot)
		from, prev := slot.Origin(), slot.Prev()
		if from != origin {
			if slot = w.slot(p, s, from); slot == nil {
				return false
			}
			copy(w.identity[:], slot)
			origin = from
		}
		yield(&w.fact, &w.identity)
		if prev >= at {
			return false
		}
		at = prev
	}
	return last != 0
}

// slot returns a slot of a segment, hot or cold, valid until the next call; nil if it cannot be read.
func (w *factWalk) slot(p *Pool, s *segment, n uint16) format.Fact {
	if n == 0 || n > s.slots {
		return nil
	}
	if s.cold == nil {
		return format.FactAt(s.mem.Buf, n)
	}
	if w.cold == nil {
		w.cold = cold.NewFactReader(p.disk.Load(), &p.reading, pagesInSegments*p.segmentSize)
	}
	f, err := w.cold.Read(s.cold, n)
	if err != nil {
		return nil
	}
	return f
}

// slots returns the slots of a run in memory from its last one on, the oldest first, valid until the next call; none if they are damaged.
func (w *factWalk) slots(s *segment, last uint16) []uint16 {
	w.list = w.list[:0]
	for at := last; at != 0; {
		if at > s.slots {
			return nil
		}
		slot := format.FactAt(s.mem.Buf, at)
		if origin := slot.Origin(); slot.Prev() >= at || origin == 0 || origin > s.slots {
			return nil
		}
		w.list = append(w.list, at)
		at = slot.Prev()
	}
	slices.Reverse(w.list)
	return w.list
}

// rest closes the files of segments that are gone.
func (w *factWalk) rest() {
	if w.cold != nil {
		w.cold.Rest()
	}
}

func (w *factWalk) close() {
	if w.cold != nil {
		w.cold.Close()
	}
}

func (w *factWalk) bytes() int {
	if w.cold == nil {
		return 0
	}
	return w.cold.Bytes()
}
