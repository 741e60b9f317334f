package spanlog

import (
	"errors"
	"sync"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Shrinking is a sealed segment on its way out of memory, or into a smaller file. Call BeginShrink and EndShrink with the
// shard's mutex; Run between them and Free afterwards without it.
type Shrinking struct {
	pool    *Pool
	number  uint32
	pack    bool
	segment segment // a copy from BeginShrink; its bytes do not change any more
	result  *cold.Segment
	err     error
	left    mapped.Memory // the memory that EndShrink took out of the log, for Free
}

// BeginShrink chooses a segment that can take less memory or, with onDisk, less disk, and marks it as busy. With pack Run
// compresses it. It returns nil if there is none.
//
// Without onDisk it chooses the newest: the next decisions need the oldest, and a new segment stays out of memory for
// longer. With onDisk it chooses the oldest.
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

// Run makes the smaller segment: the segment's file without its memory or, with pack, compressed bytes. EndShrink returns
// its error.
func (w *Shrinking) Run() {
	s := &w.segment
	if !w.pack {
		w.result = w.cold(files.InFile(s.mem), int64(len(s.mem.Buf)))
		facts := format.FactsOf(s.mem.Buf, s.slots)
		w.result.Facts = cold.NewFacts(facts, int64(len(s.mem.Buf)-len(facts)))
		return
	}
	raw, facts, err := w.read()
	if err != nil {
		w.err = err
		return
	}
	scratch, _ := scratches.Get().(*[]byte)
	if scratch == nil {
		scratch = new([]byte)
	}
	defer scratches.Put(scratch)
	b := format.Pack(raw, *scratch)
	at := len(b)
	b = append(b, facts...)
	*scratch = b
	if len(b) > (len(raw)+len(facts))*9/10 {
		w.err = errIncompressible
		return
	}
	defer func() {
		if w.result != nil {
			w.result.Facts = cold.NewFacts(facts, int64(at))
		}
	}()
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

// read returns the segment's records and facts. Facts that cannot be read are left out: a reader goes without.
func (w *Shrinking) read() (raw, facts []byte, err error) {
	s := &w.segment
	if s.cold == nil {
		return s.mem.Buf[:s.used], format.FactsOf(s.mem.Buf, s.slots), nil
	}
	raw = make([]byte, s.used)
	if err = s.cold.Load(w.pool.disk.Load(), raw); err != nil {
		return nil, nil, err
	}
	if facts, err = s.cold.LoadFacts(w.pool.disk.Load()); err != nil {
		facts = nil
	}
	return raw, facts, nil
}

// cold returns the segment as a cold one, in a file or in memory, of so many bytes.
func (w *Shrinking) cold(f files.File, size int64) *cold.Segment {
	s := &w.segment
	return &cold.Segment{File: f, Size: size, Used: s.used, Sequence: s.sequence, Checked: s.checked}
}

// scratches are buffers for compressed bytes. They are reused because garbage of that size makes the heap grow by several.
var scratches sync.Pool

var errIncompressible = errors.New("compression saves no space")

// EndShrink puts the smaller segment in the place of the old one, and reports whether the segment takes less now. Its error
// is that of Run. It returns false and no error if compression saves too little.
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

// Free unmaps the memory that EndShrink left. It takes a while: call it without the shard's mutex.
func (w *Shrinking) Free() {
	if w.left.Buf != nil {
		w.left.Release()
		w.left = mapped.Memory{}
	}
}

// Fail sets the error that EndShrink returns, in place of Run's result.
func (w *Shrinking) Fail(err error) { w.result, w.err = nil, err }

// Saved returns how many bytes less the segment takes; 0 if shrinking it failed.
func (w *Shrinking) Saved() int64 {
	if w.result == nil {
		return 0
	}
	if w.segment.cold != nil {
		return w.segment.cold.Size - w.result.Size
	}
	return int64(len(w.segment.mem.Buf)) - w.result.Size
}
