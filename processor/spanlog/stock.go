package spanlog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// stock holds the free segments of a pool, mapped and ready for use. It is safe for concurrent use.
type stock struct {
	mu      sync.Mutex
	free    []mapped.Memory
	filling *filling // nil while nobody makes segments
	closed  bool

	tries    atomic.Int64   // goroutines of try
	dropping sync.WaitGroup // goroutines of discardStock
}

// maxTries is how many goroutines of try wait for a hanging disk at most.
const maxTries = 64

// filling is the goroutine that makes segments, for all callers of fill.
type filling struct {
	done     chan struct{}
	err      error     // valid once done is closed
	deadline time.Time // for the next segment; after it the disk is too slow; guarded by stock.mu
}

// fillTimeout is how long a request waits for segments: much longer than a working disk takes.
const fillTimeout = 300 * time.Millisecond

// errSlow means that the disk neither made room in time nor failed.
var errSlow = fmt.Errorf("the disk is too slow: it has made no room for spans within %s", fillTimeout)

func (s *stock) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free)
}

// put adds a segment, and reports whether it did: not if the stock is closed.
func (s *stock) put(m mapped.Memory) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.free = append(s.free, m)
	}
	return !s.closed
}

func (s *stock) take() (m mapped.Memory, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return mapped.Memory{}, false
	}
	m, s.free = s.free[last], s.free[:last]
	return m, true
}

// fill waits until the stock has as many segments as need returns. One goroutine at a time makes them. fill waits for
// fillTimeout at most, and not at all if the goroutine has made none for so long, as the disk hangs: then it returns errSlow.
func (s *stock) fill(disk *files.Disk, size int, need func() int) error {
	var deadline time.Time
	for s.len() < need() {
		f, until := s.begin(disk, size, need)
		if deadline.IsZero() {
			deadline = clock.Now().Add(fillTimeout)
		}
		if deadline.Before(until) {
			until = deadline
		}
		wait := clock.Until(until)
		if wait <= 0 {
			return errSlow
		}
		timeout := clock.NewTimer(wait)
		select {
		case <-f.done:
			timeout.Stop()
			if f.err != nil {
				return f.err
			}
		case <-timeout.C: // another segment may have been made since
		}
	}
	return nil
}

// begin starts the goroutine that makes segments unless it runs, and returns it with its deadline for the next segment.
func (s *stock) begin(disk *files.Disk, size int, need func() int) (*filling, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filling != nil {
		return s.filling, s.filling.deadline
	}
	f := &filling{done: make(chan struct{}), deadline: clock.Now().Add(fillTimeout)}
	s.filling = f
	go func() {
		f.err = s.run(f, disk, size, need)
		s.mu.Lock()
		s.filling = nil
		s.mu.Unlock()
		close(f.done)
	}()
	return f, f.deadline
}

func (s *stock) run(f *filling, disk *files.Disk, size int, need func() int) error {
	for s.len() < need() {
		m, err := disk.Make(size)
		if err != nil {
			return err
		}
		if !s.put(m) {
			disk.Drop(m)
			return errSlow
		}
		s.mu.Lock()
		f.deadline = clock.Now().Add(fillTimeout)
		s.mu.Unlock()
	}
	return nil
}

// try checks that the disk has room for size bytes, by making a file and deleting it. It waits for fillTimeout at most.
func (s *stock) try(disk *files.Disk, size int) error {
	if s.tries.Add(1) > maxTries {
		s.tries.Add(-1)
		return errSlow
	}
	done := make(chan error, 1)
	go func() {
		defer s.tries.Add(-1)
		m, err := disk.Make(size)
		if err == nil {
			disk.Drop(m)
		}
		done <- err
	}()
	timeout := clock.NewTimer(fillTimeout)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		return errSlow
	}
}

// close makes put refuse segments, and waits for the goroutine that makes them, for fillTimeout at most.
func (s *stock) close() {
	s.mu.Lock()
	s.closed = true
	f := s.filling
	s.mu.Unlock()
	if f == nil {
		return
	}
	timeout := clock.NewTimer(fillTimeout)
	defer timeout.Stop()
	select {
	case <-f.done:
	case <-timeout.C:
	}
}

// cut takes out all but keep segments, and returns them.
func (s *stock) cut(keep int) (gone []mapped.Memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if keep = max(0, keep); len(s.free) > keep {
		gone = append(gone, s.free[keep:]...)
		clear(s.free[keep:])
		s.free = s.free[:keep]
	}
	return gone
}
