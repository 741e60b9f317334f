package tracestore

import (
	"slices"
	"sync"

	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// cost is about how much memory the item takes, in bytes. Small traces are mostly what goes with them.
func cost(item *tracefile.Item) int {
	return len(item.Packed) + 1024 + 8*len(item.Terms) + 64*len(item.Operations)
}

// queue holds what waits for the writer, up to a number of bytes. Its methods may be called concurrently.
type queue struct {
	max  int
	wake chan struct{} // has an element if there is something to take

	mu     sync.Mutex
	items  []tracefile.Item
	bytes  int
	closed bool
}

func newQueue(maxBytes int) *queue {
	return &queue{max: maxBytes, wake: make(chan struct{}, 1)}
}

// push appends the item, and reports whether it could: not beyond the bytes, nor after close.
func (q *queue) push(item tracefile.Item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.bytes+cost(&item) > q.max {
		return false
	}
	q.items = append(q.items, item)
	q.bytes += cost(&item)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take removes the first items, of at most that many bytes but at least one.
func (q *queue) take(maxBytes int) []tracefile.Item {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.items) && (n == 0 || bytes+cost(&q.items[n]) <= maxBytes) {
		bytes += cost(&q.items[n])
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
