package tailsampling

import (
	"math"
	"sync/atomic"

	"github.com/slowburn/slowburn/processor/spanlog"
)

// From shrinkAt of the memory on, segments that are full leave it, the newest first, until it is down to shrinkTo.
const (
	shrinkAt = 0.75
	shrinkTo = 0.65
)

// shrinker makes segments take less memory, and less disk, than they do when they are written: by compressing them, or,
// where they are files, by leaving them to the disk.
type shrinker struct {
	wake         chan struct{}
	next         atomic.Uint32 // the shard that is looked at next
	compressions atomic.Int64
	saved        atomic.Int64 // bytes
	dropped      atomic.Int64 // segments that left memory as they were
}

// canShrink reports whether there is anything that the configuration allows to be done.
func (p *Sampler) canShrink() bool { return p.onDisk || p.cfg.Compression != compressNever }

// packs reports whether segments that leave the memory are compressed. With auto on disk that waits until the disk budget
// asks for it: leaving a file to the disk costs next to nothing.
func (p *Sampler) packs() bool {
	return p.cfg.Compression == compressAlways || p.cfg.Compression == compressAuto && !p.onDisk
}

// wakeShrinker is called at the end of each visit to a shard.
func (p *Sampler) wakeShrinker() {
	if p.canShrink() && p.pool.Shrinkable() > 0 && (p.cfg.Compression == compressAlways || p.pool.OverMemory(0, shrinkAt) > 0) {
		wake(p.shrinker.wake)
	}
}

// shrink is the shrinker's goroutine. It ends when stop is closed.
func (p *Sampler) shrink(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-p.shrinker.wake:
		}
		if p.cfg.Compression == compressAlways {
			p.shrinkWhile(false, stop, func() bool { return true })
		} else {
			p.shrinkWhile(false, stop, func() bool { return p.pool.OverMemory(0, shrinkTo) > 0 })
		}
	}
}

// makeSmaller shrinks until there is room for so many bytes, as far as that is possible. The caller has relief.
func (p *Sampler) makeSmaller(bytes int64) {
	if !p.canShrink() {
		return
	}
	p.shrinkWhile(false, nil, func() bool { return p.pool.OverMemory(bytes, lowWater) > 0 })
	if p.onDisk && p.cfg.Compression != compressNever {
		p.shrinkWhile(true, nil, func() bool { return p.pool.OverDisk(bytes, lowWater) > 0 })
	}
}

// shrinkWhile shrinks one segment after the other, shard by shard.
func (p *Sampler) shrinkWhile(onDisk bool, stop <-chan struct{}, more func() bool) {
	for idle := 0; idle < len(p.shards) && more(); {
		select {
		case <-stop:
			return
		default:
		}
		s := p.shards[int(p.shrinker.next.Add(1)%math.MaxInt32)%len(p.shards)]
		if p.shrinkOne(s, p.packs() || onDisk, onDisk) {
			idle = 0
		} else {
			idle++
		}
	}
}

// shrinkOne shrinks the oldest segment of a shard, and reports whether there was one.
func (p *Sampler) shrinkOne(s *shard, pack, onDisk bool) bool {
	s.mu.Lock()
	work := s.log.BeginShrink(pack, onDisk)
	s.mu.Unlock()
	if work == nil {
		return false
	}
	p.runShrinking(work)
	s.mu.Lock()
	saved, err := s.log.EndShrink(work)
	p.unlock(s)
	work.Free()
	if err != nil {
		p.complain("a segment cannot be compressed and stays as it is", err, 0)
	}
	if saved && pack {
		p.shrinker.compressions.Add(1)
		p.shrinker.saved.Add(work.Saved())
	} else if saved {
		p.shrinker.dropped.Add(1)
	}
	return true
}

// runShrinking does the work, and survives a disk that does not give back what was written to it.
func (p *Sampler) runShrinking(work *spanlog.Shrinking) {
	var err error
	defer func() {
		if err != nil {
			work.Fail(err)
		}
	}()
	defer spanlog.Guard(&err)()
	work.Run()
}
