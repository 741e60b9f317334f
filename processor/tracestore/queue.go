package tracestore

import (
	"errors"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

var (
	errStopped = errors.New("the trace store is stopped")
	errFull    = errors.New("the trace store's queue is full")
)

// cost is about how much memory the item takes, in bytes. Small traces are mostly what goes with them.
func cost(item *tracefile.Item) int {
	return len(item.Packed) + 1024 + 8*len(item.Terms) + 64*len(item.Operations)
}

// call is the traces of one call of the exporter, which waits until they are written.
type call struct {
	waiting int           // of its traces, for the writer; the writer's alone once they are in the queue
	err     error         // why some were not written; to be read when done is closed
	done    chan struct{} // closed when none is waiting
}

func newCall(traces int) *call {
	c := &call{waiting: traces, done: make(chan struct{})}
	if traces == 0 {
		close(c.done)
	}
	return c
}

// answer tells that one of the traces was written, or why it was not.
func (c *call) answer(err error) {
	if err != nil {
		c.err = err
	}
	if c.waiting--; c.waiting == 0 {
		close(c.done)
	}
}

// batch is what the writer takes at once: traces, and the call of each.
type batch struct {
	items []tracefile.Item
	calls []*call
}

// answer tells the calls that the batch was written, or why it was not.
func (b *batch) answer(err error) {
	for _, c := range b.calls {
		c.answer(err)
	}
}

// queue holds what waits for the writer, up to a number of bytes. Its methods may be called concurrently.
type queue struct {
	max  int
	wake chan struct{} // has an element if there is something to take

	mu      sync.Mutex
	waiting batch
	bytes   int
	closed  bool
}

func newQueue(maxBytes int) *queue {
	return &queue{max: maxBytes, wake: make(chan struct{}, 1)}
}

// push appends the traces of a call: all or, where it returns an error, none. They may take more than the bytes only where
// nothing else waits.
func (q *queue) push(items []tracefile.Item, c *call) error {
	bytes := 0
	for i := range items {
		bytes += cost(&items[i])
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errStopped
	case q.bytes > 0 && q.bytes+bytes > q.max:
		return errFull
	}
	q.waiting.items = append(q.waiting.items, items...)
	for range items {
		q.waiting.calls = append(q.waiting.calls, c)
	}
	q.bytes += bytes
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take removes the first items, of at most that many bytes but at least one.
func (q *queue) take(maxBytes int) batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for w := q.waiting.items; n < len(w) && (n == 0 || bytes+cost(&w[n]) <= maxBytes); n++ {
		bytes += cost(&w[n])
	}
	q.bytes -= bytes
	if n == len(q.waiting.items) {
		taken := q.waiting
		q.waiting = batch{}
		return taken
	}
	taken := batch{slices.Clone(q.waiting.items[:n]), slices.Clone(q.waiting.calls[:n])}
	clear(q.waiting.items[:n]) // the array outlives them, and must not hold what was written
	clear(q.waiting.calls[:n])
	q.waiting.items, q.waiting.calls = q.waiting.items[n:], q.waiting.calls[n:]
	return taken
}

// refuses returns why push can only fail, nil where it need not.
func (q *queue) refuses() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errStopped
	case q.bytes >= q.max:
		return errFull
	}
	return nil
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
