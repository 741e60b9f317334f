package delivery

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// shelf holds settled loads of the senders that deliver the same shards to different destinations: traces that one sender has
// read, dressed and reconstructed are copied by the others. It also knows which traces a sender has in hand: another that reaches
// these waits until they are settled, for settleWait at most, and once for each load. Its methods may be called concurrently; its
// mutex may be locked while a shard's is.
type shelf struct {
	pool *spanlog.Pool
	most int64 // limit of its memory in bytes; 0 with one destination, as there is nothing to share

	mu      sync.Mutex
	loads   []*load // settled ones, the oldest first
	traces  map[shard.Ref]shelved
	counted int64 // in the pool
}

// shelved is the place of a trace: in a settled load, or in hand.
type shelved struct {
	*load
	trace int
}

// hold is a load's state for other senders. The shelf's mutex guards it.
type hold struct {
	settled   bool
	stalled   bool          // a call failed, or others have waited in vain
	done      chan struct{} // closed when it is settled or stalled; nil if nobody waits
	borrowers int           // loads that have copied from it, and use its findings
}

func (h *hold) wake() {
	if h.done != nil {
		close(h.done)
		h.done = nil
	}
}

// patience is how long a sender waits for another to settle the traces that it needs next: the length of a successful call.
const settleWait = 50 * time.Millisecond

// shelfShare is the part of the memory budget for all shelves of a processor, and maxShelfBytes the limit of one: seconds of
// kept traces at full load.
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

// begin notes that a load is being filled.
func (s *shelf) begin(l *load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.hold = hold{}
}

// take notes that a sender has read a trace, and reports whether it is the first to do so.
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

// holder returns the load with which another sender is about to deliver a trace, nil if there is none that is worth waiting
// for.
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
	timer := clock.NewTimer(settleWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		l.stalled = l.stalled || l.done == done // otherwise it was settled
	}
}

// stall notes that settling a load will take a while.
func (s *shelf) stall(l *load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.stalled = true
	l.wake()
}

// put offers the traces of a settled load to others. It returns a load, this one or an older one, whose memory can be reused, nil
// if there is none.
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

// drop removes the oldest load. If it has borrowers, its memory is not reused.
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

// borrow finds a settled trace. Its load does not change until giveBack, to be called once for each load that was not held
// before.
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

// giveBack ends the borrowing of loads.
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

// clear drops all loads.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.loads) > 0 {
		s.drop(s.loads[0])
	}
	s.count(0)
}
