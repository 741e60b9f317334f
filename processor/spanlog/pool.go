package spanlog

import (
	"errors"
	"math"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

// Pool hands out memory for segments within a budget of memory and, where they are files, one of disk. It is safe for
// concurrent use.
//
// What counts as used is what is allocated, not what is filled: segments in use, plus the indexes that Grow tells of.
// Segments that came back wait for their next use; together with those in use they are never more than the budget
// unless the budget is exceeded by what is in use alone.
type Pool struct {
	limit       int64
	ceiling     int64 // where Reserve stops: each shard may then still begin a segment within the limit
	segmentSize int
	shards      int
	seed        Seed
	sequence    atomic.Uint64 // numbers the segments, so that an Origin knows the segment it was stored in
	used        atomic.Int64
	reserved    atomic.Int64
	source      allocator
	dir         *Directory // nil in memory
	diskLimit   int64
	unsynced    *unsynced    // nil where the system syncs when it likes
	shrinkable  atomic.Int64 // segments
	volatile    atomic.Int64 // segments that should be files but are not, because the disk failed when it was too late
	garbage     int64        // percent of what lives on the Go heap that the collector lets come on top

	stocking sync.Mutex // held while the stock of free segments is filled up
	mu       sync.Mutex
	free     []chunk
	waiting  []superseded // until the next Sync
	idle     []uint64     // numbers of files for segments that are marked as free and not mapped; see reuse
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
	p := &Pool{limit: limit, ceiling: limit - int64(size)*int64(shards), segmentSize: size, shards: shards, source: anonymous{},
		garbage: garbagePercent()}
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
	p.mu.Lock()
	defer p.mu.Unlock()
	p.source, p.dir, p.seed = files{dir}, dir, seed
	p.sequence.Store(sequence + 1)
}

// header is that of the next file of a log.
func (p *Pool) header(l *Log, now int64) fileHeader {
	return fileHeader{
		shard: l.shard, sequence: p.sequence.Add(1), created: now, seed: p.seed, shards: uint32(p.shards),
	}
}

// largest is the size of a record, with what it refers to, beyond which it gets a segment of its own.
func (p *Pool) largest() int { return p.segmentSize / 4 }

// IsLarge reports whether records of so many bytes, with what they refer to, get segments of their own.
func (p *Pool) IsLarge(bytes int) bool { return bytes+3*headerSize > p.largest() }

// SegmentSize is the size of a segment in bytes.
func (p *Pool) SegmentSize() int { return p.segmentSize }

// Limit is the budget in bytes.
func (p *Pool) Limit() int64 { return p.limit }

// Used is how many bytes are in use.
func (p *Pool) Used() int64 { return p.used.Load() }

// Disk is how many bytes the files take that are in use, DiskLimit the budget for them; 0 in memory.
func (p *Pool) Disk() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == nil {
		return 0
	}
	return p.dir.used.Load() - int64((len(p.free)+len(p.idle))*p.segmentSize)
}

// DiskLimit is the budget for files in bytes, 0 in memory.
func (p *Pool) DiskLimit() int64 { return p.diskLimit }

// Volatile is how many segments were ever not written to disk because it failed after their spans had been let in.
func (p *Pool) Volatile() int64 { return p.volatile.Load() }

// Shrinkable is how many segments could be made to take less memory.
func (p *Pool) Shrinkable() int64 { return p.shrinkable.Load() }

// Pressure is how much of what can be had is in use or set aside: Reserve refuses what would bring it over 1.
func (p *Pool) Pressure() float64 {
	return float64(p.used.Load()+p.reserved.Load()) / float64(p.ceiling)
}

// Over is by how many bytes the use, with what is set aside and so much more, would be over the share (0 to 1) of what
// can be had; negative where it is below.
func (p *Pool) Over(more int64, share float64) int64 {
	return max(p.OverMemory(more, share), p.OverDisk(more, share))
}

// OverMemory is Over as far as memory is concerned.
func (p *Pool) OverMemory(more int64, share float64) int64 {
	return p.used.Load() + p.reserved.Load() + more - int64(share*float64(p.ceiling))
}

// OverDisk is Over as far as the disk is concerned. Files that only wait to be deleted are as good as gone: where the
// budget ends, add does not wait for them.
func (p *Pool) OverDisk(more int64, share float64) int64 {
	if p.dir == nil {
		return math.MinInt64
	}
	ceiling := p.diskLimit - int64(p.segmentSize)*int64(2*p.shards+1)
	return p.Disk() - p.waitingBytes() + p.reserved.Load() + more - int64(share*float64(ceiling))
}

// Why Reserve refuses. Other errors are the system's, about the disk.
var (
	ErrMemoryBudget = errors.New("the memory budget is used up")
	ErrDiskBudget   = errors.New("the disk budget is used up")
)

// Reserve sets bytes aside for records to be appended soon, or says why it cannot. large is how many of them are for
// records that get segments of their own (IsLarge). What was reserved must be given back by Cancel after the records were appended.
func (p *Pool) Reserve(bytes, large int64) error {
	if p.reserved.Add(bytes)+p.used.Load() > p.ceiling {
		p.reserved.Add(-bytes)
		return ErrMemoryBudget
	}
	if err := p.stock(large); err != nil {
		p.reserved.Add(-bytes)
		return err
	}
	return nil
}

// stock sees to it that there are enough free segments for what is reserved, so that appending cannot fail for want of
// disk. A segment is at least five eighths filled by what it was begun for: a record that does not fit is at most a
// quarter of it, and what compacting puts there is at most an eighth.
func (p *Pool) stock(large int64) error {
	if p.dir == nil {
		return nil
	}
	if large > 0 {
		if err := p.try(int(large)); err != nil {
			return err
		}
	}
	need := func() int { return p.shards + 1 + int(2*p.reserved.Load()/int64(p.segmentSize)) }
	if p.stocked() >= need() {
		return nil
	}
	p.stocking.Lock()
	defer p.stocking.Unlock()
	for p.stocked() < need() {
		c, err := p.add(p.segmentSize)
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.free = append(p.free, c)
		p.mu.Unlock()
	}
	return nil
}

// try reports whether the disk has room for a file of this size. Should it be gone when it is needed, the record is kept
// in memory.
func (p *Pool) try(size int) error {
	c, err := p.add(size)
	if err == nil {
		p.release(c)
	}
	return err
}

// add returns a file of this size: one that was used before, or a new one within the budget.
func (p *Pool) add(size int) (chunk, error) {
	if c, ok := p.reuse(size); ok {
		return c, nil
	}
	for {
		c, err := p.create(size)
		if err == nil || !p.dropIdle() && !p.syncWaiting() {
			return c, err
		}
	}
}

// create makes a file within the budget.
func (p *Pool) create(size int) (chunk, error) {
	if p.dir.used.Load()+int64(size) > p.diskLimit {
		return chunk{}, ErrDiskBudget
	}
	c, err := p.source.allocate(size)
	if err != nil {
		return chunk{}, explain("set room aside for spans in", p.dir.path, err)
	}
	return c, nil
}

func (p *Pool) stocked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.free)
}

// spare sees to it that there is a segment that was not promised by Reserve, and reports whether there is. Callers hold a
// shard's mutex, so that it neither waits for others who make segments, nor forces files to the disk.
func (p *Pool) spare() bool {
	if p.dir == nil || p.stocked() > p.shards {
		return true
	}
	c, ok := p.reuse(p.segmentSize)
	if !ok {
		var err error
		if c, err = p.create(p.segmentSize); err != nil {
			return false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, c)
	return true
}

// Cancel gives back what was reserved.
func (p *Pool) Cancel(bytes int64) { p.reserved.Add(-bytes) }

// OnHeap is what so many bytes that live on the Go heap take, with the garbage that the collector lets pile up on their
// account.
func (p *Pool) OnHeap(bytes int) int64 { return int64(bytes) * (100 + p.garbage) / 100 }

// garbagePercent is GOGC. Where that is off a memory limit is what bounds garbage, and the heap has no part in it.
func garbagePercent() int64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if percent := sample[0].Value.Uint64(); percent <= math.MaxInt32 {
		return int64(percent)
	}
	return 0
}

// Grow counts memory that the caller allocated outside of the pool for what is in the log; negative when it was freed.
func (p *Pool) Grow(bytes int64) {
	p.used.Add(bytes)
	if bytes > 0 {
		p.trim()
	}
}

// get returns memory for a segment of this size, with any content.
func (p *Pool) get(size int) chunk {
	p.used.Add(int64(size))
	if size != p.segmentSize {
		p.trim()
		return p.allocate(size)
	}
	p.mu.Lock()
	if last := len(p.free) - 1; last >= 0 {
		c := p.free[last]
		p.free = p.free[:last]
		p.mu.Unlock()
		p.writing(c.number, segmentSuffix)
		return c
	}
	p.mu.Unlock()
	return p.allocate(size)
}

// allocate returns new memory. Where the disk fails, which Reserve should have noticed, it is memory that is in no file:
// better than to lose spans that were let in.
func (p *Pool) allocate(size int) chunk {
	c, reused := p.reuse(size)
	if !reused {
		var err error
		if c, err = p.source.allocate(size); err != nil {
			p.volatile.Add(1)
			return allocate(size)
		}
	}
	p.writing(c.number, segmentSuffix)
	return c
}

// put takes back memory of get.
func (p *Pool) put(c chunk) {
	p.used.Add(-int64(len(c.buf)))
	if c.onDisk() {
		p.unwanted(c.number, segmentSuffix)
		if markFree(c.buf) != nil {
			p.release(c) // the journal knows that nothing in it is wanted, should the file come back
			return
		}
	}
	if len(c.buf) != p.segmentSize || c.onDisk() != (p.dir != nil) {
		p.release(c)
		return
	}
	p.mu.Lock()
	p.free = append(p.free, c)
	p.mu.Unlock()
	p.trim()
}

// release gives memory back to the system. A file that cannot be deleted is marked as free, and deleted at the next start.
func (p *Pool) release(c chunk) {
	if !c.onDisk() {
		release(c)
		return
	}
	_ = p.source.release(c) // see above
}

// trim gives segments that wait back to the system, so that they are at most an eighth of the budget, and within it.
func (p *Pool) trim() {
	keep := min(p.limit/8, p.limit-p.used.Load()) / int64(p.segmentSize)
	if p.dir != nil {
		keep = max(keep, int64(p.shards+1))
	}
	p.mu.Lock()
	var gone []chunk
	if n := len(p.free); int64(n) > keep {
		at := int(max(0, keep))
		gone = append(gone, p.free[at:]...)
		clear(p.free[at:])
		p.free = p.free[:at]
	}
	p.mu.Unlock()
	for _, c := range gone {
		p.retire(c)
	}
}

// Close gives the segments that wait back to the system. Logs that are still open keep theirs.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.free {
		p.release(c)
	}
	p.free = nil
	for _, number := range p.idle {
		p.deleteIdle(number)
	}
	p.idle = nil
}

// unmap takes the memory of a segment back whose file stays.
func (p *Pool) unmap(c chunk) {
	p.used.Add(-int64(len(c.buf)))
	p.source.unmap(c)
}

// discard gives up a cold segment. It is marked as free first, so that no crash in between brings it back.
func (p *Pool) discard(c *cold) {
	p.leave(c)
	if c.number != 0 {
		p.giveUp(superseded{c.number, c.suffix, c.size})
	}
}

// leave forgets a cold segment, whose file stays.
func (p *Pool) leave(c *cold) {
	if c.packed.buf != nil {
		p.used.Add(-int64(len(c.packed.buf)))
		release(c.packed)
	}
}
