package files

import (
	"errors"
	"sync"

	"github.com/slowburn/slowburn/internal/mapped"
)

// ErrBudget is a budget of disk that has no room for another file.
var ErrBudget = errors.New("the disk budget is used up")

// Disk is the files of a pool's segments and journals, within a budget. It is safe for concurrent use.
type Disk struct {
	*Directory
	limit       int64 // bytes of all files
	segmentSize int
	keep        int      // free files that are kept at most
	flush       *flusher // nil where the system flushes when it likes
	later       later

	mu   sync.Mutex
	free []uint64 // numbers of files for segments that are not mapped
}

// NewDisk returns the disk of a pool with this budget, which keeps so many free files of the size of a segment.
func NewDisk(d *Directory, limit int64, segmentSize, keep int) *Disk {
	disk := &Disk{Directory: d, limit: limit, segmentSize: segmentSize, keep: keep}
	disk.later.disk = disk
	return disk
}

// Make returns a file for a segment of this size: one that was used before, or a new one within the budget. It makes room
// by having files leave that were given up, by deleting free ones, and by flushing those for which superseded ones wait.
func (d *Disk) Make(size int) (mapped.Memory, error) {
	for {
		leaves := Leaving(d) > 0 // then there is more room by now, whoever has it leave
		m, err := d.MakeAtOnce(size)
		if err == nil || !d.later.leaveNext() && !leaves && !d.dropFree() && !d.flushWaiting() {
			return m, err
		}
	}
}

// MakeAtOnce is Make that makes no room.
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

// MakeBeyond is Make that goes beyond the budget.
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
		_ = d.Remove(f) // whether a new file fares better is to be seen
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

// dropFree deletes a free file to make room, and reports whether there was one. Should it stay, it is deleted at the next
// start.
func (d *Disk) dropFree() bool {
	f, ok := d.takeFree()
	if ok {
		_ = d.Remove(f)
	}
	return ok
}

// keepFree remembers a file that is marked as free and not mapped, and reports whether it did.
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

// FreeBytes is how many bytes the free files take that are not mapped.
func (d *Disk) FreeBytes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.free) * d.segmentSize)
}

// InFile is the segment's file that the memory is.
func InFile(m mapped.Memory) File { return File{m.File, Segment, int64(len(m.Buf))} }

// Retire unmaps a segment's file that is marked as free, and keeps or deletes it.
func (d *Disk) Retire(m mapped.Memory) { d.later.give(leaving{file: InFile(m), mem: m, keep: true}) }

// Drop unmaps and deletes a segment's file. One that stays is deleted at the next start if it is marked as free.
func (d *Disk) Drop(m mapped.Memory) { d.later.give(leaving{file: InFile(m), mem: m}) }

// GiveUp marks a file as free that is not mapped, so that no crash brings it back, and keeps or deletes it.
func (d *Disk) GiveUp(f File) {
	d.Forget(f)
	d.later.give(leaving{file: f, mark: true, keep: true})
}

// Close has the files leave that were given up, and deletes the free ones.
func (d *Disk) Close() {
	if !d.later.end() {
		return // the disk does not answer; the next start deletes them
	}
	for d.dropFree() {
	}
}
