// Package repeats recognizes re-sent requests: a sender whose answer was lost sends the same bytes again.
//
// Its type is Window: the requests that were taken lately, and those in flight.
//
//	a request is    and comes again       goes on to
//	on its way      waits for the first   End: taken if Take came before, else unknown
//	taken           is a repeat           unknown, after the window, or as the oldest when the memory is full
//
// Each shard of a Window has a lock, which is held to look one request up, or to copy the shard. No other lock is taken under it.
package repeats

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

// numShards is a power of two. Requests share a shard by chance only.
const numShards = 64

// BytesPerRequest is how much memory of a Window a request takes: an entry, and its place in a table that is at least 3/8 full.
const BytesPerRequest = int(unsafe.Sizeof(entry{})) + 24

// Of returns the ID of a request's bytes.
func Of(body []byte) count.RequestID {
	h := xxh3.Hash128(body)
	if h.Lo == 0 && h.Hi == 0 {
		h.Lo = 1 // zero stands for none
	}
	return count.RequestID{Low: h.Lo, High: h.Hi}
}

// Window remembers requests. It is safe for concurrent use. A nil Window remembers nothing.
type Window struct {
	length int64 // milliseconds
	shards [numShards]shard
}

type shard struct {
	mu    sync.Mutex
	taken slab.Ring[entry]
	// coming holds the requests in flight, each with a channel that is closed at its End if somebody waits for it.
	coming map[count.RequestID]chan struct{}
	_      [64]byte
}

type entry struct {
	id count.RequestID
	at int64 // Unix ms
}

func hash(id count.RequestID) uint32 { return uint32(id.Low >> 32) }

// New returns a Window that remembers requests for a duration, within a memory in bytes; nil if that holds none.
func New(length time.Duration, memory int64) *Window {
	limit := int(memory) / BytesPerRequest / numShards
	if length <= 0 || limit == 0 {
		return nil
	}
	w := &Window{length: length.Milliseconds()}
	for i := range w.shards {
		w.shards[i].taken = slab.NewRing(limit, func(e *entry) uint32 { return hash(e.id) })
		w.shards[i].coming = map[count.RequestID]chan struct{}{}
	}
	return w
}

func (w *Window) shard(id count.RequestID) *shard { return &w.shards[id.Low%numShards] }

// Begin reports whether a request was taken before. If not, it is in flight until End, which must be called. If it is in flight
// already, Begin waits for its End, and returns an error if ctx ends first. now is in Unix ms.
func (w *Window) Begin(ctx context.Context, id count.RequestID, now int64) (repeat bool, err error) {
	s := w.shard(id)
	for {
		s.mu.Lock()
		ended, coming := s.coming[id]
		switch {
		case !coming && s.find(id, now-w.length):
			s.mu.Unlock()
			return true, nil
		case !coming:
			s.coming[id] = nil
			s.mu.Unlock()
			return false, nil
		case ended == nil:
			ended = make(chan struct{})
			s.coming[id] = ended
		}
		s.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
			return false, fmt.Errorf("the same request is still being processed: %w", context.Cause(ctx))
		}
	}
}

// find reports whether a request was taken at since or later.
func (s *shard) find(id count.RequestID, since int64) bool {
	for place := range s.taken.Places(hash(id)) {
		if e := s.taken.At(place); e.id == id && e.at >= since {
			return true
		}
	}
	return false
}

// End ends a request's flight. The request was taken if Take was called.
func (w *Window) End(id count.RequestID) {
	s := w.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended := s.coming[id]; ended != nil {
		close(ended)
	}
	delete(s.coming, id)
}

// Take remembers a request that was taken at a time, in Unix ms. While it is in flight, Begin does not see that before End.
func (w *Window) Take(id count.RequestID, at int64) {
	if w == nil {
		return
	}
	s := w.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.find(id, at) {
		s.taken.Put(hash(id), entry{id, at})
	}
}

// All calls yield for the requests that were taken within the window, shard by shard, oldest first.
func (w *Window) All(now int64, yield func(id count.RequestID, at int64) error) error {
	if w == nil {
		return nil
	}
	var list []entry
	for i := range w.shards {
		s := &w.shards[i]
		list = list[:0]
		s.mu.Lock()
		for e := range s.taken.Oldest {
			if e.at >= now-w.length {
				list = append(list, *e)
			}
		}
		s.mu.Unlock()
		for _, e := range list {
			if err := yield(e.id, e.at); err != nil {
				return err
			}
		}
	}
	return nil
}
