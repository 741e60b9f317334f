package delivery

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// shelf is settled loads of the senders that deliver the same shards to different destinations. What one of them has read,
// dressed and reconstructed the others copy from there. It knows which traces a sender has in hand, too: another that comes to
// these lets it settle them, but not for longer than patience, and once for each load. Its methods may be called concurrently; its
// mutex may be locked while a shard's is.
type shelf struct {
	pool *spanlog.Pool
	most int64 // bytes of memory that it may hold; 0 where there is one destination, and nothing to share

	mu      sync.Mutex
	loads   []*load // that are settled, the oldest first
	traces  map[shard.Ref]shelved
	counted int64 // in the pool
}

// shelved is where a trace is: in a load that is settled, or in hand.
type shelved struct {
	*load
	trace int
}

// hold is how far a load is for others. The shelf's mutex guards it.
type hold struct {
	settled   bool
	stalled   bool          // a call failed, or others have waited in vain
	done      chan struct{} // closed when it is settled or stalled; nil where nobody waits
	borrowers int           // loads that have copied from it, and use what was found
}

func (h *hold) wake() {
	if h.done != nil {
		close(h.done)
		h.done = nil
	}
}

// patience is how long a sender waits for another to settle the traces that it is about to read: as long as a call takes that
// nothing is wrong with.
const patience = 50 * time.Millisecond

// shelfShare is the part of the memory budget that all shelves of a processor may hold, and maxShelfBytes what one may at most:
// seconds of kept traces at full load.
const (
	shelfShare    = 16
	maxShelfBytes = 16 << 20
)

// newShelf returns one of so many shelves.
func newShelf(pool *spanlog.Pool, shelves, destinations int) *shelf {
	s := &shelf{pool: pool, traces: map[shard.Ref]shelved{}}
	if destinations > 1 {
		s.most = min(pool.Limit()/int64(shelfShare*shelves), maxShelfBytes)
	}
	return s
}

// begin notes that a load is filled.
func (s *shelf) begin(l *load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.hold = hold{}
}

// take notes that a sender has read a trace, and reports whether it is the first that does.
func (s *shelf) take(l *load, trace int) (first bool) {
	if s.most == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ref := l.traces[trace].Ref
	if _, known := s.traces[ref]; known {
		return false
	}
	s.traces[ref] = shelved{l, trace}
	return true
}

// holder is the load with which another sender is about to deliver a trace, nil if there is none that is worth waiting for.
func (s *shelf) holder(ref shard.Ref) *load {
	if s.most == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.traces[ref]; of.load != nil && !of.settled && !of.stalled {
		return of.load
	}
	return nil
}

// await waits until a load is settled, if that is soon.
func (s *shelf) await(l *load) {
	s.mu.Lock()
	if l.settled || l.stalled {
		s.mu.Unlock()
		return
	}
	if l.done == nil {
		l.done = make(chan struct{})
	}
	done := l.done
	s.mu.Unlock()
	timer := clock.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		l.stalled = l.stalled || l.done == done // else it was settled
	}
}

// stall notes that it will take a while until a load is settled.
func (s *shelf) stall(l *load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.stalled = true
	l.wake()
}

// put offers the traces of a load that is settled to others. It returns a load, this one or an older one, whose memory can be used
// again, nil if there is none.
func (s *shelf) put(l *load) (spare *load) {
	if s.most == 0 {
		return l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.settled = true
	l.wake()
	offered := false
	for i := range l.traces {
		switch t := &l.traces[i]; {
		case !t.first:
		case t.shared():
			offered = true
		default:
			delete(s.traces, t.Ref)
		}
	}
	if !offered {
		return l
	}
	s.loads = append(s.loads, l)
	most := s.most
	if s.pool.OverMemory(0, shortFrom) > 0 {
		most = 0
	}
	bytes := s.bytes()
	for len(s.loads) > 0 && bytes > most {
		oldest := s.loads[0]
		bytes -= s.pool.OnHeap(oldest.kept.Memory())
		s.drop(oldest)
		if oldest.borrowers == 0 {
			spare = oldest
		}
	}
	s.count(bytes)
	return spare
}

func (s *shelf) bytes() (n int64) {
	for _, l := range s.loads {
		n += s.pool.OnHeap(l.kept.Memory())
	}
	return n
}

// drop takes the oldest load off the shelf. Where somebody has borrowed of it, its memory is not used again.
func (s *shelf) drop(oldest *load) {
	for i := range oldest.traces {
		if t := &oldest.traces[i]; t.first {
			delete(s.traces, t.Ref)
		}
	}
	s.loads[0] = nil
	s.loads = s.loads[1:]
}

func (s *shelf) count(bytes int64) {
	s.pool.Grow(bytes - s.counted)
	s.counted = bytes
}

// borrow finds a settled trace. Its load stays as it is until that is given back, once for each time that it was not held yet.
func (s *shelf) borrow(ref shard.Ref, held *load) (of shelved, found bool) {
	if s.most == 0 {
		return shelved{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if of = s.traces[ref]; of.load == nil || !of.settled {
		return shelved{}, false
	}
	if of.load != held {
		of.borrowers++
	}
	return of, true
}

// giveBack ends that loads are borrowed.
func (s *shelf) giveBack(loads []*load) {
	if len(loads) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range loads {
		l.borrowers--
	}
}

// clear drops all.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.loads) > 0 {
		s.drop(s.loads[0])
	}
	s.count(0)
}
