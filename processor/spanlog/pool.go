package spanlog

import (
	"math"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Pool hands out memory for segments within a budget of memory and, where they are files, one of disk. It is safe for
// concurrent use.
//
// Free segments wait for their next use. Whenever one comes back, or Grow counts more, trim cuts them down. As long as what is
// in use and reserved is within the ceiling, the bytes in use and those of free segments are then at most limit or, of files,
// limit - segmentSize*shards + reserved where that is more: the free segments that are promised stay.
type Pool struct {
	budget
	diskLimit   int64
	segmentSize int
	shards      int
	seed        Seed
	sequence    atomic.Uint64              // numbers the segments, so that an Origin knows the segment it was stored in
	disk        atomic.Pointer[files.Disk] // nil in memory
	stock       stock
	shrinkable  atomic.Int64 // segments
	journals    atomic.Int64
	reading     cold.Limit   // files of cold segments that are open
	volatile    atomic.Int64 // segments that should be files but are not, because the disk failed when it was too late
}

// Segment sizes. Each shard has one segment that is partly filled, so small budgets get small segments.
const (
	minSegmentSize = 16 << 10
	maxSegmentSize = 1 << 20
	// segmentsPerShard is how many segments each shard shall at least get out of the budget, so that partly filled ones
	// waste little of it.
	segmentsPerShard = 32
)

// MinBytesPerShard is the least budget per shard that a Pool can work with.
const MinBytesPerShard = 8 * minSegmentSize

// NewPool returns a pool of memory with a budget of so many bytes for so many logs.
func NewPool(limit int64, shards int) *Pool {
	return newPool(limit, limit, shards)
}

func newPool(limit, smallest int64, shards int) *Pool {
	size := minSegmentSize
	for size < maxSegmentSize && int64(size)*2*segmentsPerShard*int64(shards) <= smallest {
		size *= 2
	}
	p := &Pool{segmentSize: size, shards: shards}
	p.limit, p.ceiling, p.garbage = limit, limit-int64(size)*int64(shards), garbagePercent()
	p.sequence.Store(1)
	return p
}

// NewDiskPool returns a pool of files. It is of no use until Open.
func NewDiskPool(limit, diskLimit int64, shards int) *Pool {
	p := newPool(limit, min(limit, diskLimit), shards)
	p.diskLimit = diskLimit
	p.ceiling -= int64(p.segmentSize) * int64(shards+1) // segments that are ready to be used
	return p
}

// Open lets the pool use a directory. seed is what the shards of traces are computed with; sequence is the highest that
// was ever used there, 0 in a new directory. Only Disk, Used and the limits may be asked for at the same time.
func (p *Pool) Open(dir *Directory, seed Seed, sequence uint64) {
	keep := max(p.shards+1, int(min(p.limit, p.diskLimit)/8)/p.segmentSize)
	p.seed = seed
	p.sequence.Store(sequence + 1)
	p.disk.Store(files.NewDisk(dir, p.diskLimit, p.segmentSize, keep))
}

// header is that of the next file, of this shard.
func (p *Pool) header(shard uint32, created int64, size int) format.Header {
	return format.Header{
		Shard: shard, Sequence: p.sequence.Add(1), Created: created, Seed: p.seed, Shards: uint32(p.shards), Size: uint32(size),
	}
}

// largest is the size of a record, with what it refers to, beyond which it gets a segment of its own instead of a place in
// one of this size.
func largest(segmentSize int) int { return segmentSize / 4 }

// IsLarge reports whether records of so many bytes, with what they refer to, get segments of their own.
func (p *Pool) IsLarge(bytes int) bool {
	return bytes+3*format.RecordHeaderSize > largest(p.segmentSize)
}

// SegmentSize is the size of a segment in bytes.
func (p *Pool) SegmentSize() int { return p.segmentSize }

// Disk is how many bytes the files take that are in use, DiskLimit the budget for them; 0 in memory.
func (p *Pool) Disk() int64 {
	disk := p.disk.Load()
	if disk == nil {
		return 0
	}
	return disk.Used() - int64(p.stock.len()*p.segmentSize) - disk.FreeBytes() - files.Leaving(disk)
}

// DiskLimit is the budget for files in bytes, 0 in memory.
func (p *Pool) DiskLimit() int64 { return p.diskLimit }

// Volatile is how many segments were ever not written to disk because it failed after their spans had been let in.
func (p *Pool) Volatile() int64 { return p.volatile.Load() }

// Shrinkable is how many segments could be made to take less memory.
func (p *Pool) Shrinkable() int64 { return p.shrinkable.Load() }

// Over is by how many bytes the use, with what is set aside and so much more, would be over the share (0 to 1) of what
// can be had; negative where it is below.
func (p *Pool) Over(more int64, share float64) int64 {
	return max(p.OverMemory(more, share), p.OverDisk(more, share))
}

// OverDisk is Over as far as the disk is concerned. Superseded files are as good as gone, as are those that leave: where the budget ends,
// they are given up at once.
func (p *Pool) OverDisk(more int64, share float64) int64 {
	disk := p.disk.Load()
	if disk == nil {
		return math.MinInt64
	}
	ceiling := p.diskLimit - int64(p.segmentSize)*int64(2*p.shards+1)
	return p.Disk() - disk.Superseded() + p.reserved.Load() + more - int64(share*float64(ceiling))
}

// Reserve sets bytes aside for records to be appended soon, or says why it cannot: ErrMemoryBudget, ErrDiskBudget, an error of the system
// about the disk, or a *TooLargeError where it never can. large is how many of them are for records that get segments of their own (IsLarge).
// What was reserved must be given back by Cancel after the records were appended.
func (p *Pool) Reserve(bytes, large int64) error {
	if err := fits(p, bytes); err != nil {
		return err
	}
	if !p.reserve(bytes) {
		return ErrMemoryBudget
	}
	if err := fillFor(p, large); err != nil {
		p.Cancel(bytes)
		return err
	}
	return nil
}

// promised is how many free segments there must be for what is reserved, so that appending cannot fail for want of disk. A
// segment is at least five eighths filled by what it was begun for: a record that does not fit is at most a quarter of it,
// and what compacting puts there is at most an eighth.
func (p *Pool) promised() int {
	return p.shards + 1 + int(2*p.reserved.Load()/int64(p.segmentSize))
}

// fillFor sees to it that there are as many free segments as are promised, and that the disk has room for large records.
func fillFor(p *Pool, large int64) error {
	disk := p.disk.Load()
	if disk == nil {
		return nil
	}
	if large > 0 { // should the room be gone when it is needed, the record is kept in memory
		if err := p.stock.try(disk, int(large)); err != nil {
			return err
		}
	}
	return p.stock.fill(disk, p.segmentSize, p.promised)
}

// hasSpare reports whether there is a segment that was not promised by Reserve. Callers hold a shard's mutex, so that it neither waits for
// others who make segments, nor flushes files; once files are made ahead (Defer) it makes none either.
func hasSpare(p *Pool) bool {
	disk := p.disk.Load()
	if disk == nil || p.stock.len() > p.shards {
		return true
	}
	if files.Deferred(disk) {
		return false
	}
	m, err := disk.MakeAtOnce(p.segmentSize)
	if err != nil {
		return false
	}
	giveToStock(p, m)
	return true
}

// ensureSpare makes such a segment, for callers without a shard's mutex: it does wait, and flush. Where that is of no use hasSpare tells.
func ensureSpare(p *Pool) {
	if disk := p.disk.Load(); disk != nil {
		_ = p.stock.fill(disk, p.segmentSize, func() int { return p.shards + 1 })
	}
}

// giveToStock keeps a free segment of the usual size for its next use.
func giveToStock(p *Pool, m mapped.Memory) {
	if p.stock.put(m) {
		return
	}
	if m.OnDisk() {
		p.disk.Load().Drop(m)
		return
	}
	m.Release()
}

// Grow counts memory that the caller allocated outside of the pool for what is in the log; negative when it was freed.
func (p *Pool) Grow(bytes int64) {
	p.used.Add(bytes)
	if bytes > 0 {
		p.trim()
	}
}

// get returns memory for a segment of this size, with any content. Where the disk fails, which Reserve should have
// noticed, it is memory that is in no file: better than to lose spans that were let in.
func (p *Pool) get(size int) mapped.Memory {
	p.used.Add(int64(size))
	if size == p.segmentSize {
		if m, ok := p.stock.take(); ok {
			if m.OnDisk() {
				p.disk.Load().Begin(files.InFile(m))
			}
			return m
		}
	} else {
		p.trim()
	}
	if disk := p.disk.Load(); disk != nil {
		m, err := disk.MakeBeyond(size)
		if err == nil {
			disk.Begin(files.InFile(m))
			return m
		}
		p.volatile.Add(1)
	}
	return mapped.Allocate(size)
}

// volatileMemory is get where the disk has failed already.
func (p *Pool) volatileMemory(size int) mapped.Memory {
	p.used.Add(int64(size))
	p.volatile.Add(1)
	return mapped.Allocate(size)
}

// put takes back memory of get.
func (p *Pool) put(m mapped.Memory) {
	p.used.Add(-int64(len(m.Buf)))
	disk := p.disk.Load()
	if m.OnDisk() {
		disk.Forget(files.InFile(m))
		if markFree(m.Buf) != nil {
			disk.Drop(m) // the journal knows that nothing in it is wanted, should the file come back
			return
		}
	}
	switch {
	case len(m.Buf) == p.segmentSize && m.OnDisk() == (disk != nil):
		giveToStock(p, m)
		p.trim()
	case m.OnDisk():
		disk.Drop(m)
	default:
		m.Release()
	}
}

// markFree marks a segment's file as free, and returns an error if the disk does not take it.
func markFree(b []byte) (err error) {
	defer Guard(&err)()
	failpoint.Before(failpoint.SpanlogFree)
	format.SetMagic(b, format.MagicFree)
	failpoint.After(failpoint.SpanlogFree)
	return nil
}

// discardStock gives up the free segments that are files, because the disk failed under one that was among them: others are made where
// there is room. Callers may hold a shard's mutex: the files are deleted on a goroutine of their own.
func discardStock(p *Pool) {
	disk := p.disk.Load()
	gone := p.stock.cut(0)
	if disk == nil || len(gone) == 0 {
		return
	}
	p.stock.dropping.Go(func() {
		for _, m := range gone {
			if m.OnDisk() {
				disk.Drop(m)
			} else {
				m.Release()
			}
		}
	})
}

// trim gives segments that wait back to the system, so that they are at most an eighth of the budget, and within it, but
// for those of files that are promised.
func (p *Pool) trim() {
	disk := p.disk.Load()
	keep := int(min(p.limit/8, p.limit-p.used.Load()) / int64(p.segmentSize))
	if disk != nil {
		keep = max(keep, p.promised())
	}
	for _, m := range p.stock.cut(keep) {
		if m.OnDisk() {
			disk.Retire(m)
		} else {
			m.Release()
		}
	}
}

// Defer has journals be made before they are needed, and files that are given up be deleted, without a shard's mutex from now on: by a
// goroutine that runs while there is something to do. Whenever a journal was made it calls made, with no lock held, which shall have the
// journals catch up (Journal.CatchUp). Nobody uses the pool during the call. A pool in memory has nothing to defer.
func (p *Pool) Defer(made func()) {
	if disk := p.disk.Load(); disk != nil {
		files.Defer(disk, made)
	}
}

// DeferStepped is Defer for an owner that calls Upkeep in place of the goroutine: a simulation.
func (p *Pool) DeferStepped(made func()) (upkeep func()) {
	disk := p.disk.Load()
	files.DeferStepped(disk, made)
	return func() { files.Upkeep(disk) }
}

// TrackSync makes Sync know what to do. It is called before the pool is used. Where a Sync fails it calls failed, which
// shall see to it that all is written again (WriteAgain): the system takes pages that it could not write for written.
func (p *Pool) TrackSync(failed func()) {
	disk := p.disk.Load()
	disk.TrackFlush(disk.Fsync, failed)
}

// Sync flushes what was appended before the call to the disk.
func (p *Pool) Sync() error {
	if disk := p.disk.Load(); disk != nil {
		return disk.Sync()
	}
	return nil
}

// Close gives the segments that wait back to the system. Logs that are still open keep theirs.
func (p *Pool) Close() {
	disk := p.disk.Load()
	p.stock.close()
	p.stock.dropping.Wait()
	for _, m := range p.stock.cut(0) {
		if m.OnDisk() {
			disk.Drop(m)
		} else {
			m.Release()
		}
	}
	if disk != nil {
		disk.Close()
	}
}
