package spanlog

import (
	"unsafe"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// segments are one shard's segments, by number, and the runs in them.
type segments struct {
	pool    *Pool
	list    []segment
	unused  []uint32 // numbers of segments that are not in use
	runs    runs
	walks   walks
	whole   whole      // the cold segment being compacted
	names   dictionary // of the segment being filled
	wide    wide
	facts   factWalk
	counted int64 // bytes of memory besides the segments, as last given to Pool.Grow
}

// add begins a segment in memory from the pool, and returns its number. created is in Unix milliseconds.
func (l *segments) add(shard uint32, created int64, mem mapped.Memory) uint32 {
	n := l.slot()
	h := l.pool.header(shard, created, len(mem.Buf))
	l.list[n].begin(&h, mem)
	l.count()
	return n
}

// slot returns the number of a segment that is not in use.
func (l *segments) slot() (n uint32) {
	if last := len(l.unused) - 1; last >= 0 {
		n, l.unused = l.unused[last], l.unused[:last]
		return n
	}
	l.list = append(l.list, segment{})
	return uint32(len(l.list) - 1)
}

// finish marks a segment as sealed: it is shrinkable from now on.
func (l *segments) finish(s *segment) {
	if s.mem.OnDisk() {
		l.pool.disk.Load().End(files.InFile(s.mem))
	}
	s.shrinkable = true
	l.pool.shrinkable.Add(1)
}

// unshrinkable takes a segment out of the count of shrinkable ones.
func (l *segments) unshrinkable(s *segment) {
	if s.shrinkable {
		s.shrinkable = false
		l.pool.shrinkable.Add(-1)
	}
}

// recycle gives a segment without live runs back to the pool. If it is busy, EndShrink does so.
func (l *segments) recycle(n uint32) {
	s := &l.list[n]
	l.runs.free(s)
	l.runs.Trim()
	if s.busy {
		s.dead = true
		return
	}
	l.forget(s.cold)
	l.unshrinkable(s)
	switch {
	case s.superseded && s.cold != nil:
		supersedeCold(l.pool, s.cold)
	case s.superseded:
		supersede(l.pool, s.mem)
	case s.cold != nil:
		discardCold(l.pool, s.cold)
	default:
		l.pool.put(s.mem)
	}
	*s = segment{}
	l.unused = append(l.unused, n)
	l.count()
}

// supersede gives back the memory of a segment whose records were copied. Where files are flushed, its file stays until the
// copy is.
func supersede(p *Pool, m mapped.Memory) {
	if !m.OnDisk() || !p.disk.Load().Flushes() {
		p.put(m)
		return
	}
	p.used.Add(-int64(len(m.Buf)))
	m.Release()
	p.disk.Load().Supersede(files.InFile(m))
}

// lowest returns the lowest sequence of a segment in use; without one, a sequence that is not used yet.
func (l *segments) lowest() uint64 {
	lowest := l.pool.sequence.Load() + 1
	for i := range l.list {
		if s := &l.list[i]; s.sequence != 0 {
			lowest = min(lowest, s.sequence)
		}
	}
	return lowest
}

// count updates the pool's count of the memory that the log takes besides its segments.
func (l *segments) count() {
	now := l.pool.OnHeap(l.runs.Bytes() + l.names.bytes() + l.wide.names.bytes() + cap(l.list)*int(unsafe.Sizeof(segment{})) +
		l.walks.bytes + l.facts.bytes() + cap(l.whole.buf))
	if now != l.counted {
		l.pool.Grow(now - l.counted)
		l.counted = now
	}
}

// Usage describes what a log holds.
type Usage struct {
	// Segments is the number of segments in use, Allocated their size in bytes.
	Segments, Allocated int
	// Cold is the number of segments that are not in memory, or compressed there.
	Cold int
	// Live is the size in bytes of all span records that were not released.
	Live int
}

// Usage returns what the log holds. It visits every segment.
func (l *segments) Usage() Usage {
	var u Usage
	for i := range l.list {
		s := &l.list[i]
		if s.sequence == 0 {
			continue
		}
		u.Segments++
		u.Live += int(s.live)
		if s.cold != nil {
			u.Cold++
		}
		u.Allocated += int(s.takes())
	}
	return u
}

// WriteAgain marks all mapped pages as dirty, so that the next Sync writes them even if the kernel takes them for clean. It
// faults if the disk fails: see Guard.
func (l *segments) WriteAgain() {
	for i := range l.list {
		if s := &l.list[i]; s.mem.OnDisk() {
			mapped.Dirty(s.mem.Buf[:s.used])
		}
	}
}
