package delivery

import (
	"slices"
	"sync"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// shelf is settled loads of the senders that deliver the same shards to different destinations. What one of them has read,
// dressed and reconstructed the others copy from there, if it is there when they come to it: none waits for another. Its methods
// may be called concurrently; its mutex may be locked while a shard's is.
type shelf struct {
	pool *spanlog.Pool
	most int64 // bytes of memory that it may hold; 0 where there is one destination, and nothing to share

	mu      sync.Mutex
	loads   []*load // the oldest first
	traces  map[shard.Ref]shelved
	counted int64 // in the pool
}

// shelved is where a trace is on a shelf.
type shelved struct {
	*load
	trace int
}

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

// put offers the traces of a settled load to others. It returns a load, this one or an older one, whose memory can be used
// again, nil if there is none.
func (s *shelf) put(l *load) (spare *load) {
	if s.most == 0 || !slices.ContainsFunc(l.traces, outgoing.shared) {
		return l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads = append(s.loads, l)
	for i := range l.traces {
		if t := &l.traces[i]; t.shared() {
			s.traces[t.Ref] = shelved{l, i}
		}
	}
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
		if ref := oldest.traces[i].Ref; s.traces[ref].load == oldest {
			delete(s.traces, ref)
		}
	}
	s.loads[0] = nil
	s.loads = s.loads[1:]
}

func (s *shelf) count(bytes int64) {
	s.pool.Grow(bytes - s.counted)
	s.counted = bytes
}

// borrow finds a trace. Its load stays as it is until that is given back, once for each time that it was not held yet.
func (s *shelf) borrow(ref shard.Ref, held *load) (of shelved, found bool) {
	if s.most == 0 {
		return shelved{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if of, found = s.traces[ref]; found && of.load != held {
		of.borrowers++
	}
	return of, found
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
