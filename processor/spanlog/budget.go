package spanlog

import (
	"errors"
	"fmt"
	"math"
	"runtime/metrics"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/units"
)

// ErrMemoryBudget means that the memory budget is used up.
var ErrMemoryBudget = errors.New("the memory budget is used up")

// TooLargeError means that a request does not fit into an empty pool either, so that a retry is in vain.
type TooLargeError struct {
	OnDisk     bool  // the bytes are of disk, not of memory
	Need, Most int64 // bytes needed, and bytes of an empty pool
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s, and there is room for %s at most", units.About(e.Need), units.About(e.Most))
}

// fits returns a TooLargeError for a request of so many bytes that does not fit into an empty pool. An empty pool still has
// one file for each journal and, on disk, its promised free segments.
func fits(p *Pool, bytes int64) error {
	journals := p.journals.Load() * int64(p.segmentSize)
	if most := p.ceiling - journals; bytes > most {
		return &TooLargeError{Need: bytes, Most: most}
	}
	if most := p.diskLimit - journals - int64((p.shards+1)*p.segmentSize); p.diskLimit > 0 && 2*bytes > most { // see promised
		return &TooLargeError{OnDisk: true, Need: 2 * bytes, Most: most}
	}
	return nil
}

// budget counts the memory of a pool against its limit, in bytes. It is safe for concurrent use.
//
// Used is the memory that is allocated, not the part that is filled: segments in use, plus what Grow counts.
type budget struct {
	limit    int64
	ceiling  int64 // reserve refuses beyond it: each shard can then still begin a segment within the limit
	garbage  int64 // GOGC: percent of the live Go heap that may be garbage on top
	used     atomic.Int64
	reserved atomic.Int64
}

// Limit returns the budget in bytes.
func (b *budget) Limit() int64 { return b.limit }

// Used returns how many bytes are in use.
func (b *budget) Used() int64 { return b.used.Load() }

// Pressure returns the share of the ceiling that is in use or reserved. Reserve refuses a request that would raise it over 1.
func (b *budget) Pressure() float64 {
	return float64(b.used.Load()+b.reserved.Load()) / float64(b.ceiling)
}

// OverMemory returns by how many bytes use, reservations and more would exceed the share (0 to 1) of the ceiling; negative
// if they would not.
func (b *budget) OverMemory(more int64, share float64) int64 {
	return b.used.Load() + b.reserved.Load() + more - int64(share*float64(b.ceiling))
}

// OnHeap returns how many bytes of memory so many live bytes on the Go heap take, with the garbage that GOGC allows.
func (b *budget) OnHeap(bytes int) int64 { return int64(bytes) * (100 + b.garbage) / 100 }

// garbagePercent returns GOGC, or 0 if it is off: then only a memory limit bounds garbage.
func garbagePercent() int64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if percent := sample[0].Value.Uint64(); percent <= math.MaxInt32 {
		return int64(percent)
	}
	return 0
}

// reserve sets bytes aside, and reports whether they fit under the ceiling.
func (b *budget) reserve(bytes int64) bool {
	if b.reserved.Add(bytes)+b.used.Load() > b.ceiling {
		b.reserved.Add(-bytes)
		return false
	}
	return true
}

// Cancel gives back bytes that Reserve set aside.
func (b *budget) Cancel(bytes int64) { b.reserved.Add(-bytes) }
