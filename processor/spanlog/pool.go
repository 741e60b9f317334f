package spanlog

import (
	"sync"
	"sync/atomic"
)

// Pool hands out memory for segments within a budget. It is safe for concurrent use.
//
// What counts as used is what is allocated, not what is filled: segments in use, plus the indexes that Grow tells of.
// Segments that came back wait for their next use; together with those in use they are never more than the budget
// unless the budget is exceeded by what is in use alone.
type Pool struct {
	limit       int64
	ceiling     int64 // where Reserve stops: each shard may then still begin a segment within the limit
	segmentSize int
	sequence    atomic.Uint64 // numbers the segments, so that an Origin knows the segment it was stored in
	used        atomic.Int64
	reserved    atomic.Int64

	mu   sync.Mutex
	free [][]byte
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
const MinBytesPerShard = 4 * minSegmentSize

// NewPool returns a pool with a budget of so many bytes for so many logs.
func NewPool(limit int64, shards int) *Pool {
	size := minSegmentSize
	for size < maxSegmentSize && int64(size)*2*segmentsPerShard*int64(shards) <= limit {
		size *= 2
	}
	return &Pool{limit: limit, ceiling: limit - int64(size)*int64(shards), segmentSize: size}
}

// SegmentSize is the size of a segment in bytes.
func (p *Pool) SegmentSize() int { return p.segmentSize }

// Limit is the budget in bytes.
func (p *Pool) Limit() int64 { return p.limit }

// Used is how many bytes are in use.
func (p *Pool) Used() int64 { return p.used.Load() }

// Pressure is how much of what can be had is in use or set aside: Reserve refuses what would bring it over 1.
func (p *Pool) Pressure() float64 {
	return float64(p.used.Load()+p.reserved.Load()) / float64(p.ceiling)
}

// Over is by how many bytes the use, with what is set aside and so much more, would be over the share (0 to 1) of what
// can be had; negative where it is below.
func (p *Pool) Over(more int64, share float64) int64 {
	return p.used.Load() + p.reserved.Load() + more - int64(share*float64(p.ceiling))
}

// Reserve sets bytes aside for records to be appended soon, and reports whether the budget has room for them. What was
// reserved must be given back by Cancel after the records were appended.
func (p *Pool) Reserve(bytes int64) bool {
	if p.reserved.Add(bytes)+p.used.Load() <= p.ceiling {
		return true
	}
	p.reserved.Add(-bytes)
	return false
}

// Cancel gives back what was reserved.
func (p *Pool) Cancel(bytes int64) { p.reserved.Add(-bytes) }

// Grow counts memory that the caller allocated outside of the pool for what is in the log; negative when it was freed.
func (p *Pool) Grow(bytes int64) {
	p.used.Add(bytes)
	if bytes > 0 {
		p.trim()
	}
}

// get returns memory for a segment of this size, with any content.
func (p *Pool) get(size int) []byte {
	p.used.Add(int64(size))
	if size != p.segmentSize {
		p.trim()
		return allocate(size)
	}
	p.mu.Lock()
	if last := len(p.free) - 1; last >= 0 {
		b := p.free[last]
		p.free = p.free[:last]
		p.mu.Unlock()
		return b
	}
	p.mu.Unlock()
	return allocate(size)
}

// put takes back memory of get.
func (p *Pool) put(b []byte) {
	p.used.Add(-int64(len(b)))
	if len(b) != p.segmentSize {
		release(b)
		return
	}
	p.mu.Lock()
	p.free = append(p.free, b)
	p.mu.Unlock()
	p.trim()
}

// trim gives segments that wait back to the system, so that they are at most an eighth of the budget, and within it.
func (p *Pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := min(p.limit/8, p.limit-p.used.Load()) / int64(p.segmentSize)
	for len(p.free) > 0 && int64(len(p.free)) > keep {
		last := len(p.free) - 1
		release(p.free[last])
		p.free[last] = nil
		p.free = p.free[:last]
	}
}

// Close gives the segments that wait back to the system. Logs that are still open keep theirs.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.free {
		release(b)
	}
	p.free = nil
}
