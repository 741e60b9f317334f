package spanlog

import (
	"errors"
	"sync"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Shrinking is a sealed segment on its way out of memory. Begin and End are called with the shard's mutex, Run before and
// Free after End without.
type Shrinking struct {
	pool    *Pool
	number  uint32
	pack    bool
	segment segment // as it was; its bytes do not change any more
	result  *cold.Segment
	err     error
	left    mapped.Memory // what End took out of the log, for Free
}

// BeginShrink chooses a segment that can be made to take less memory or, if onDisk, less disk. With pack it is to be
// compressed. It returns nil if there is none.
//
// Where memory is short it is the newest: what is decided next is in the oldest, and those that stay the longest are the
// fewest to give the same room. Where disk is short it is the oldest: all of them will have to.
func (l *Log) BeginShrink(pack, onDisk bool) *Shrinking {
	best, found := uint32(0), false
	for n := range uint32(len(l.list)) {
		s := &l.list[n]
		if s.sequence == 0 || s.busy || s.incompressible && pack || fills(l, n) {
			continue
		}
		hot := s.cold == nil && s.mem.OnDisk() == (l.pool.disk.Load() != nil)
		raw := s.cold != nil && !s.cold.Compressed()
		if !hot && (!onDisk || !raw) {
			continue
		}
		if !found || (s.sequence < l.list[best].sequence) == onDisk {
			best, found = n, true
		}
	}
	if !found {
		return nil
	}
	s := &l.list[best]
	s.busy = true
	l.unshrinkable(s)
	return &Shrinking{pool: l.pool, number: best, pack: pack, segment: *s}
}

// Run does the work.
func (w *Shrinking) Run() {
	s := &w.segment
	if !w.pack {
		w.result = w.cold(files.InFile(s.mem), int64(len(s.mem.Buf)))
		return
	}
	raw := s.mem.Buf
	if s.cold != nil {
		raw = make([]byte, s.used)
		if w.err = s.cold.Load(w.pool.disk.Load(), raw); w.err != nil {
			return
		}
	}
	raw = raw[:s.used]
	scratch, _ := scratches.Get().(*[]byte)
	if scratch == nil {
		scratch = new([]byte)
	}
	defer scratches.Put(scratch)
	b := format.Pack(raw, *scratch)
	*scratch = b
	if len(b) > len(raw)*9/10 {
		w.err = errIncompressible
		return
	}
	disk := w.pool.disk.Load()
	if disk == nil {
		m := mapped.Allocate(len(b))
		copy(m.Buf, b)
		w.result = w.cold(files.File{}, int64(len(b)))
		w.result.Packed = m
		return
	}
	f, err := disk.WritePacked(b)
	if err != nil {
		w.err = err
		return
	}
	w.result = w.cold(f, f.Size)
}

// cold is the segment as it is in a file of this size, or in memory.
func (w *Shrinking) cold(f files.File, size int64) *cold.Segment {
	s := &w.segment
	return &cold.Segment{File: f, Size: size, Used: s.used, Sequence: s.sequence, Checked: s.checked}
}

// scratches are buffers for what is compressed. Garbage of that size would let the heap grow by several of them.
var scratches sync.Pool

var errIncompressible = errors.New("compression saves no space")

// EndShrink takes the result. It reports whether the segment takes less now.
func (l *Log) EndShrink(w *Shrinking) (bool, error) {
	s := &l.list[w.number]
	s.busy = false
	if s.dead {
		if w.pack && w.result != nil {
			countCold(l.pool, w.result)
			discardCold(l.pool, w.result)
		}
		s.dead = false
		l.recycle(w.number)
		return true, nil
	}
	if w.err != nil {
		s.incompressible = true
		if errors.Is(w.err, errIncompressible) {
			return false, nil
		}
		return false, w.err
	}
	switch {
	case s.cold != nil:
		l.forget(s.cold)
		supersedeCold(l.pool, s.cold)
	case w.pack:
		supersede(l.pool, s.mem)
	default:
		w.left = s.mem
		l.pool.used.Add(-int64(len(s.mem.Buf)))
	}
	countCold(l.pool, w.result)
	s.cold, s.mem = w.result, mapped.Memory{}
	return true, nil
}

// Free gives the segment's memory back. It takes a while and is for whoever called EndShrink, after the mutex.
func (w *Shrinking) Free() {
	if w.left.Buf != nil {
		w.left.Release()
		w.left = mapped.Memory{}
	}
}

// Fail makes the work have failed.
func (w *Shrinking) Fail(err error) { w.result, w.err = nil, err }

// Saved is how many bytes less the segment takes.
func (w *Shrinking) Saved() int64 {
	if w.result == nil {
		return 0
	}
	if w.segment.cold != nil {
		return w.segment.cold.Size - w.result.Size
	}
	return int64(len(w.segment.mem.Buf)) - w.result.Size
}
