package spanlog

import (
	"sync"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// stock is the free segments of a pool, mapped and ready to be used. It is safe for concurrent use.
type stock struct {
	filling sync.Mutex // held while the stock is filled up; taken before mu

	mu   sync.Mutex
	free []mapped.Memory
}

func (s *stock) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free)
}

func (s *stock) put(m mapped.Memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, m)
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

// fill makes segments of this size until the stock has as many as need says.
func (s *stock) fill(disk *files.Disk, size int, need func() int) error {
	if s.len() >= need() {
		return nil
	}
	s.filling.Lock()
	defer s.filling.Unlock()
	for s.len() < need() {
		m, err := disk.Make(size)
		if err != nil {
			return err
		}
		s.put(m)
	}
	return nil
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
