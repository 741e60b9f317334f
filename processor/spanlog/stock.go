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

// stock is the free segments of a pool, mapped and ready to be used. It is safe for concurrent use.
type stock struct {
	mu      sync.Mutex
	free    []mapped.Memory
	filling *filling // nil while nobody makes segments
	closed  bool

	tries    atomic.Int64   // goroutines that try whether there is room
	dropping sync.WaitGroup // goroutines that delete segments which were given up
}

// maxTries is how many goroutines at most wait for a disk that does not answer.
const maxTries = 64

// filling is a goroutine that makes segments, for all who wait for it.
type filling struct {
	done     chan struct{}
	err      error
	deadline time.Time // until when it must have made the next segment; guarded by stock.mu
}

// fillTimeout is how long a request waits for segments to be made: much longer than a disk that works takes.
const fillTimeout = 300 * time.Millisecond

// errSlow is a disk that makes no room, and does not fail either.
var errSlow = fmt.Errorf("the disk is too slow: it has made no room for spans within %s", fillTimeout)

func (s *stock) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free)
}

// put adds a segment, and reports false where the stock is closed.
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

// fill sees to it that the stock has as many segments as need says. It makes them on a goroutine of its own, of which there is one at a
// time, and waits no longer than fillTimeout, and not at all where no segment has been made for so long: the disk hangs.
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

// begin starts to make segments, unless that is under way, and returns until when the next must be there.
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

// try makes sure that the disk has room for so many bytes now.
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

// close has no segments come back, and waits for those that are being made, but no longer than fillTimeout.
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

// cut takes out what is beyond so many.
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
