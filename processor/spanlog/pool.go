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
// Free segments are kept for their next use. Whenever one comes back, or Grow counts more, trim releases some. While the
// bytes in use and reserved are within the ceiling, bytes in use plus free segments are then at most limit or, on disk,
// limit - segmentSize*shards + reserved where that is more: trim keeps the promised segments.
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
	volatile    atomic.Int64 // segments ever kept in memory because the disk failed after Reserve
}

// Segment sizes. Each shard has one segment that is partly filled, so small budgets get small segments.
const (
	minSegmentSize = 16 << 10
	maxSegmentSize = 1 << 20
	// segmentsPerShard is how many segments the budget has at least for each shard unless they are of the smallest size, so
	// that partly filled ones waste little of it.
	segmentsPerShard = 32
)

// MinBytesPerShard is the smallest budget per shard, in bytes, that a Pool works with.
const MinBytesPerShard = 8 * minSegmentSize

// NewPool returns a pool of memory with a budget of limit bytes, for as many logs as there are shards.
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

// NewDiskPool returns a pool of files, with budgets of memory and disk in bytes. Open it before use.
func NewDiskPool(limit, diskLimit int64, shards int) *Pool {
	p := newPool(limit, min(limit, diskLimit), shards)
	p.diskLimit = diskLimit
	p.ceiling -= int64(p.segmentSize) * int64(shards+1) // segments that are ready to be used
	return p
}

// Open gives the pool its directory. seed is the key of the hash that gives a trace its shard; sequence is the highest that
// was ever used there, 0 in a new directory. Meanwhile only Disk, Used and the limits may be called.
func (p *Pool) Open(dir *Directory, seed Seed, sequence uint64) {
	keep := max(p.shards+1, int(min(p.limit, p.diskLimit)/8)/p.segmentSize)
	p.seed = seed
	p.sequence.Store(sequence + 1)
	p.disk.Store(files.NewDisk(dir, p.diskLimit, p.segmentSize, keep))
}

// header returns the header of a shard's next segment or journal, with a new sequence. created is in Unix milliseconds.
func (p *Pool) header(shard uint32, created int64, size int) format.Header {
	return format.Header{
		Shard: shard, Sequence: p.sequence.Add(1), Created: created, Seed: p.seed, Shards: uint32(p.shards), Size: uint32(size),
	}
}

// largest returns the size of a record with its resource and scope, in bytes, beyond which it is stored apart from segments
// of the usual size.
func largest(segmentSize int) int { return segmentSize / 4 }

// IsLarge reports whether records of so many bytes, with their resource and scope, are stored apart from segments of the
// usual size.
func (p *Pool) IsLarge(bytes int) bool {
	return bytes+3*format.RecordHeaderSize > largest(p.segmentSize)
}

// SegmentSize returns the usual size of a segment in bytes.
func (p *Pool) SegmentSize() int { return p.segmentSize }

// Disk returns the size of the files in use in bytes; 0 in memory.
func (p *Pool) Disk() int64 {
	disk := p.disk.Load()
	if disk == nil {
		return 0
	}
	return disk.Used() - int64(p.stock.len()*p.segmentSize) - disk.FreeBytes() - files.Leaving(disk)
}

// DiskLimit returns the budget for files in bytes; 0 in memory.
func (p *Pool) DiskLimit() int64 { return p.diskLimit }

// Volatile returns how many segments were ever kept in memory because the disk failed after Reserve had accepted their
// spans.
func (p *Pool) Volatile() int64 { return p.volatile.Load() }

// Shrinkable returns how many segments could be made to take less memory.
func (p *Pool) Shrinkable() int64 { return p.shrinkable.Load() }

// Over returns the larger of OverMemory and OverDisk: by how many bytes use, reservations and more would exceed the share
// (0 to 1) of the budget; negative if they would not.
func (p *Pool) Over(more int64, share float64) int64 {
	return max(p.OverMemory(more, share), p.OverDisk(more, share))
}

// OverDisk returns by how many bytes disk use, reservations and more would exceed the share (0 to 1) of the disk budget;
// negative if they would not, and in memory. Superseded and leaving files do not count: Make has them deleted when the
// budget is used up.
func (p *Pool) OverDisk(more int64, share float64) int64 {
	disk := p.disk.Load()
	if disk == nil {
		return math.MinInt64
	}
	ceiling := p.diskLimit - int64(p.segmentSize)*int64(2*p.shards+1)
	return p.Disk() - disk.Superseded() + p.reserved.Load() + more - int64(share*float64(ceiling))
}

// Reserve sets bytes aside for records to be appended soon. It fails with ErrMemoryBudget, ErrDiskBudget, an error of the
// file system, or a *TooLargeError if a retry is in vain. large is how many of the bytes are for records that are stored
// apart (IsLarge). Call Cancel with the same bytes after the records were appended.
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

// promised returns how many free segments the reservations need, so that Append never lacks disk. A segment is filled to at
// least five eighths by the records that it was begun for: a record that does not fit is at most a quarter of it, and
// compaction fills at most an eighth.
func (p *Pool) promised() int {
	return p.shards + 1 + int(2*p.reserved.Load()/int64(p.segmentSize))
}

// fillFor makes free segments until there are as many as promised, and checks that the disk has room for large records.
func fillFor(p *Pool, large int64) error {
	disk := p.disk.Load()
	if disk == nil {
		return nil
	}
	if large > 0 { // if the room is gone by the time of Append, the record is kept in memory
		if err := p.stock.try(disk, int(large)); err != nil {
			return err
		}
	}
	return p.stock.fill(disk, p.segmentSize, p.promised)
}

// hasSpare reports whether there is a free segment beyond one for each shard. It makes one if it can at once, unless files are made ahead
// (Defer). Callers hold a shard's mutex, so it neither waits for the goroutine that makes segments nor flushes files.
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

// ensureSpare makes a segment for hasSpare, and may wait and flush for it: callers hold no shard's mutex. It returns no
// error, as hasSpare is called afterwards.
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

// Grow counts bytes of memory that the caller allocated outside of the pool, on a log's account; negative bytes were freed.
func (p *Pool) Grow(bytes int64) {
	p.used.Add(bytes)
	if bytes > 0 {
		p.trim()
	}
}

// get returns memory for a segment of this size, with any content. If the disk fails, which Reserve should have noticed, the
// memory is in no file: accepted spans are kept.
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

// volatileMemory is get for when the disk has failed: memory in no file.
func (p *Pool) volatileMemory(size int) mapped.Memory {
	p.used.Add(int64(size))
	p.volatile.Add(1)
	return mapped.Allocate(size)
}

// put takes back memory that get returned.
func (p *Pool) put(m mapped.Memory) {
	p.used.Add(-int64(len(m.Buf)))
	disk := p.disk.Load()
	if m.OnDisk() {
		disk.Forget(files.InFile(m))
		if markFree(m.Buf) != nil {
			disk.Drop(m) // if a crash brings the file back, the journal says that its spans are done
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

// markFree marks a segment's file as free, and returns an error if the disk fails under it.
func markFree(b []byte) (err error) {
	defer Guard(&err)()
	failpoint.Before(failpoint.SpanlogFree)
	format.SetMagic(b, format.MagicFree)
	failpoint.After(failpoint.SpanlogFree)
	return nil
}

// discardStock discards all free segments, because the disk failed under one that was among them. Callers may hold a shard's
// mutex: a goroutine deletes the files.
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

// trim releases free segments that exceed an eighth of the budget or, together with what is used, the budget. On disk it
// keeps the promised ones.
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

// Defer moves work out of the shards' mutexes: from now on a goroutine makes journals' files ahead and deletes files that
// were given up, and runs while there is work. It calls made after each journal's file, with no lock held; made must call
// Journal.CatchUp of all journals. Nobody may use the pool during the call of Defer. In memory it does nothing.
func (p *Pool) Defer(made func()) {
	if disk := p.disk.Load(); disk != nil {
		files.Defer(disk, made)
	}
}

// DeferStepped is Defer for a simulation, which calls upkeep in place of the goroutine.
func (p *Pool) DeferStepped(made func()) (upkeep func()) {
	disk := p.disk.Load()
	files.DeferStepped(disk, made)
	return func() { files.Upkeep(disk) }
}

// TrackSync makes Sync flush; without it Sync does nothing. Call it before the pool is used. If a Sync fails it calls
// failed, which must call WriteAgain of all logs and journals: the kernel marks pages clean that it could not write.
func (p *Pool) TrackSync(failed func()) {
	disk := p.disk.Load()
	disk.TrackFlush(disk.Fsync, failed)
}

// Sync flushes all that was appended before the call to the disk (fsync).
func (p *Pool) Sync() error {
	if disk := p.disk.Load(); disk != nil {
		return disk.Sync()
	}
	return nil
}

// Close releases the free segments. Logs that are still open keep theirs.
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
