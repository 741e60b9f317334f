package tracestore

import (
	"slices"
	"sync"
)

// queued is a trace, or late spans of one, on its way to the disk.
type queued struct {
	digest
	id     [16]byte
	packed []byte // OTLP, compressed
	size   int    // of the OTLP message, in bytes
}

// cost is about how much memory the item takes, in bytes. Small traces are mostly what goes with them.
func (q *queued) cost() int {
	return len(q.packed) + 1024 + 8*len(q.Terms) + 64*len(q.operations)
}

// queue holds what waits for the writer, up to a number of bytes. Its methods may be called concurrently.
type queue struct {
	max  int
	wake chan struct{} // has an element if there is something to take

	mu     sync.Mutex
	items  []queued
	bytes  int
	closed bool
}

func newQueue(maxBytes int) *queue {
	return &queue{max: maxBytes, wake: make(chan struct{}, 1)}
}

// push appends the item, and says whether it could: not beyond the bytes, nor after close.
func (q *queue) push(item queued) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.bytes+item.cost() > q.max {
		return false
	}
	q.items = append(q.items, item)
	q.bytes += item.cost()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take removes the first items, of at most that many bytes but at least one.
func (q *queue) take(maxBytes int) []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.items) && (n == 0 || bytes+q.items[n].cost() <= maxBytes) {
		bytes += q.items[n].cost()
		n++
	}
	taken := slices.Clone(q.items[:n])
	clear(q.items[:n]) // the array outlives them, and must not hold what was written
	q.items = q.items[n:]
	if len(q.items) == 0 {
		q.items = nil
	}
	q.bytes -= bytes
	return taken
}

// size is how many bytes wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close refuses what comes from now on. What waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
