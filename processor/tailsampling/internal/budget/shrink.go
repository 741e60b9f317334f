package budget

import (
	"math"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

// A full segment shrinks when it is compressed, or, if it is a file, when it leaves memory for the disk.

// Shrunk counts the compressed segments, the bytes that this saved, and the segments that left memory uncompressed.
func (g *Budget) Shrunk() (compressions, savedBytes, left int64) {
	return g.compressions.Load(), g.saved.Load(), g.left.Load()
}

// canShrink reports whether the configuration allows any shrinking.
func (g *Budget) canShrink() bool { return g.OnDisk || g.Compression != Never }

// packs reports whether segments that leave memory are compressed. With Auto on disk this waits until disk_budget runs
// short: leaving a file to the disk costs next to nothing.
func (g *Budget) packs() bool {
	return g.Compression == Always || g.Compression == Auto && !g.OnDisk
}

// wakeShrinker wakes Shrink if there is something to shrink. It is called at the end of each visit to a
// shard.
func (g *Budget) wakeShrinker() {
	if g.canShrink() && g.pool.Shrinkable() > 0 && (g.Compression == Always || g.pool.OverMemory(0, shrinkFrom) > 0) {
		buffer.Wake(g.wake)
	}
}

// Shrink shrinks segments whenever that is due, until stop is closed.
func (g *Budget) Shrink(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-g.wake:
		}
		shrinkAsked(g, stop)
	}
}

// shrinkAsked shrinks the segments that are due now.
func shrinkAsked(g *Budget, stop <-chan struct{}) {
	if g.Compression == Always {
		g.shrinkWhile(false, stop, func() bool { return true })
	} else {
		g.shrinkWhile(false, stop, func() bool { return g.pool.OverMemory(0, shrinkTo) > 0 })
	}
}

// shrinkFor shrinks segments until so many bytes are free, none is left to shrink, or stop is closed.
func (g *Budget) shrinkFor(bytes int64, stop <-chan struct{}) {
	if !g.canShrink() {
		return
	}
	g.shrinkWhile(false, stop, func() bool { return g.pool.OverMemory(bytes, reliefTo) > 0 })
	if g.OnDisk && g.Compression != Never {
		g.shrinkWhile(true, stop, func() bool { return g.pool.OverDisk(bytes, reliefTo) > 0 })
	}
}

// shrinkWhile shrinks one segment after another, shard by shard, while more returns true.
func (g *Budget) shrinkWhile(onDisk bool, stop <-chan struct{}, more func() bool) {
	members := g.buffer.Members
	for idle := 0; idle < len(members) && more(); {
		select {
		case <-stop:
			return
		default:
		}
		m := members[int(g.next.Add(1)%math.MaxInt32)%len(members)]
		if g.shrinkOne(m, g.packs() || onDisk, onDisk) {
			idle = 0
		} else {
			idle++
		}
	}
}

// shrinkOne shrinks one segment of a shard, the newest where memory is short and the oldest where the disk is (see
// BeginShrink), and reports whether there was one.
func (g *Budget) shrinkOne(m *buffer.Member, pack, onDisk bool) bool {
	m.Lock()
	work := m.Log.BeginShrink(pack, onDisk)
	m.Unlock()
	if work == nil {
		return false
	}
	runShrinking(work)
	m.Lock()
	saved, err := m.Log.EndShrink(work)
	g.buffer.Leave(m)
	work.Free()
	if err != nil {
		g.buffer.Warn("compressing a segment failed; it stays uncompressed", err)
	}
	if saved && pack {
		g.compressions.Add(1)
		g.saved.Add(work.Saved())
	} else if saved {
		g.left.Add(1)
	}
	return true
}

// runShrinking runs the work and survives a disk that fails to read back.
func runShrinking(work *spanlog.Shrinking) {
	var err error
	defer func() {
		if err != nil {
			work.Fail(err)
		}
	}()
	defer spanlog.Guard(&err)()
	work.Run()
}
