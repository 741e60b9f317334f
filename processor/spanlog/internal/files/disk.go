package files

import (
	"errors"
	"sync"

	"github.com/slowburn/slowburn/internal/mapped"
)

// ErrBudget means that the disk budget has no room for another file.
var ErrBudget = errors.New("the disk budget is used up")

// Disk manages the files of a pool's segments and journals within a budget. It is safe for concurrent use.
type Disk struct {
	*Directory
	limit       int64 // bytes of all files
	segmentSize int
	keep        int      // limit of free files
	flush       *flusher // nil if only the kernel flushes
	later       later

	mu   sync.Mutex
	free []uint64 // numbers of free files of a segment's size, not mapped
}

// NewDisk returns the disk of a pool with a budget of limit bytes. It keeps up to keep free files of a segment's size.
func NewDisk(d *Directory, limit int64, segmentSize, keep int) *Disk {
	disk := &Disk{Directory: d, limit: limit, segmentSize: segmentSize, keep: keep}
	disk.later.disk = disk
	return disk
}

// Make returns a file for a segment of this size in bytes: a free one, or a new one within the budget. To make room it finishes
// leaving files, deletes free ones, and flushes so that superseded ones can leave.
func (d *Disk) Make(size int) (mapped.Memory, error) {
	for {
		leaves := Leaving(d) > 0 // then another goroutine may have made room by now
		m, err := d.MakeAtOnce(size)
		if err == nil || !d.later.leaveNext() && !leaves && !d.dropFree() && !d.flushWaiting() {
			return m, err
		}
	}
}

// MakeAtOnce is Make without making room.
func (d *Disk) MakeAtOnce(size int) (mapped.Memory, error) {
	if m, ok := d.reuse(size); ok {
		return m, nil
	}
	if d.Used()+int64(size) > d.limit {
		return mapped.Memory{}, ErrBudget
	}
	m, err := d.Create(Segment, size)
	if err != nil {
		return mapped.Memory{}, explain("set room aside for spans in", d.path, err)
	}
	return m, nil
}

// MakeBeyond is MakeAtOnce without the budget.
func (d *Disk) MakeBeyond(size int) (mapped.Memory, error) {
	if m, ok := d.reuse(size); ok {
		return m, nil
	}
	return d.Create(Segment, size)
}

// reuse maps a free file.
func (d *Disk) reuse(size int) (mapped.Memory, bool) {
	for size == d.segmentSize {
		f, ok := d.takeFree()
		if !ok {
			break
		}
		if m, err := d.reopen(f); err == nil {
			return m, true
		}
		_ = d.Remove(f) // try the next, or a new file
	}
	return mapped.Memory{}, false
}

func (d *Disk) takeFree() (File, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := len(d.free) - 1
	if last < 0 {
		return File{}, false
	}
	number := d.free[last]
	d.free = d.free[:last]
	return File{number, Segment, int64(d.segmentSize)}, true
}

// dropFree deletes a free file to make room, and reports whether there was one. The next start deletes a file that stays.
func (d *Disk) dropFree() bool {
	f, ok := d.takeFree()
	if ok {
		_ = d.Remove(f)
	}
	return ok
}

// keepFree keeps an unmapped file, marked as free, for reuse, and reports whether it did.
func (d *Disk) keepFree(f File) bool {
	if f.Kind != Segment || f.Size != int64(d.segmentSize) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.free) >= d.keep {
		return false
	}
	d.free = append(d.free, f.Number)
	return true
}

// FreeBytes returns the size in bytes of the free files that are not mapped.
func (d *Disk) FreeBytes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.free) * d.segmentSize)
}

// InFile returns the segment's file that the memory maps.
func InFile(m mapped.Memory) File { return File{m.File, Segment, int64(len(m.Buf))} }

// Retire unmaps a segment's file that is marked as free, and keeps or deletes it.
func (d *Disk) Retire(m mapped.Memory) { d.later.give(leaving{file: InFile(m), mem: m, keep: true}) }

// Drop unmaps and deletes a segment's file. If deleting fails, the next start deletes a file that is marked as free.
func (d *Disk) Drop(m mapped.Memory) { d.later.give(leaving{file: InFile(m), mem: m}) }

// GiveUp marks an unmapped file as free, so that a crash does not revive it, and keeps or deletes it.
func (d *Disk) GiveUp(f File) {
	d.Forget(f)
	d.later.give(leaving{file: f, mark: true, keep: true})
}

// Close finishes all leaving files and deletes the free ones.
func (d *Disk) Close() {
	if !d.later.end() {
		return // the disk hangs; the next start deletes the free files
	}
	for d.dropFree() {
	}
}
