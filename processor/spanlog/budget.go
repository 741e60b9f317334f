package spanlog

import (
	"errors"
	"fmt"
	"math"
	"runtime/metrics"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/units"
)

// ErrMemoryBudget is a budget of memory that is used up.
var ErrMemoryBudget = errors.New("the memory budget is used up")

// TooLargeError is a request that has no room even where nothing else is there, so that to send it again is in vain.
type TooLargeError struct {
	OnDisk     bool  // the disk has no room, not the memory
	Need, Most int64 // bytes of memory, or of the disk
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s, and there is room for %s at most", units.About(e.Need), units.About(e.Most))
}

// fits returns a TooLargeError for a request of so many bytes that has no room in an empty pool. Each journal has a file then and, on the
// disk, the segments are there that must be free for what is reserved.
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

// budget is how much memory a pool may take, and what takes it. It is safe for concurrent use.
//
// What counts as used is what is allocated, not what is filled: segments in use, plus the indexes that Grow tells of.
type budget struct {
	limit    int64
	ceiling  int64 // where reserve stops: each shard may then still begin a segment within the limit
	garbage  int64 // percent of what lives on the Go heap that the collector lets come on top
	used     atomic.Int64
	reserved atomic.Int64
}

// Limit is the budget in bytes.
func (b *budget) Limit() int64 { return b.limit }

// Used is how many bytes are in use.
func (b *budget) Used() int64 { return b.used.Load() }

// Pressure is how much of what can be had is in use or set aside: Reserve refuses what would bring it over 1.
func (b *budget) Pressure() float64 {
	return float64(b.used.Load()+b.reserved.Load()) / float64(b.ceiling)
}

// OverMemory is by how many bytes the use, with what is set aside and so much more, would be over the share (0 to 1) of
// the memory that can be had; negative where it is below.
func (b *budget) OverMemory(more int64, share float64) int64 {
	return b.used.Load() + b.reserved.Load() + more - int64(share*float64(b.ceiling))
}

// OnHeap is what so many bytes that live on the Go heap take, with the garbage that the collector lets pile up on their
// account.
func (b *budget) OnHeap(bytes int) int64 { return int64(bytes) * (100 + b.garbage) / 100 }

// garbagePercent is GOGC. Where that is off a memory limit is what bounds garbage, and the heap has no part in it.
func garbagePercent() int64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if percent := sample[0].Value.Uint64(); percent <= math.MaxInt32 {
		return int64(percent)
	}
	return 0
}

// reserve sets bytes aside, and reports whether there were as many.
func (b *budget) reserve(bytes int64) bool {
	if b.reserved.Add(bytes)+b.used.Load() > b.ceiling {
		b.reserved.Add(-bytes)
		return false
	}
	return true
}

// Cancel gives back what was reserved.
func (b *budget) Cancel(bytes int64) { b.reserved.Add(-bytes) }
