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

// cost returns the approximate memory of an item in bytes. For a small trace most of it is overhead.
func cost(item *tracefile.Item) int {
	return len(item.Packed) + 1024 + 8*len(item.Terms) + 64*len(item.Operations)
}

// call holds the traces of one call of the exporter, which waits until they are written.
type call struct {
	waiting int           // number of its traces that are not written; for the writer only, once they are queued
	err     error         // why some were not written; valid when done is closed
	done    chan struct{} // closed when no trace is waiting
}

func newCall(traces int) *call {
	c := &call{waiting: traces, done: make(chan struct{})}
	if traces == 0 {
		close(c.done)
	}
	return c
}

// answer notes that one of the traces was written, or why it was not.
func (c *call) answer(err error) {
	if err != nil {
		c.err = err
	}
	if c.waiting--; c.waiting == 0 {
		close(c.done)
	}
}

// batch is a part of the queue for the writer: traces, and the call of each.
type batch struct {
	items []tracefile.Item
	calls []*call
}

// answer tells all calls that the batch was written, or why it was not.
func (b *batch) answer(err error) {
	for _, c := range b.calls {
		c.answer(err)
	}
}

// queue holds the traces for the writer, up to a number of bytes. Its methods may be called concurrently.
type queue struct {
	max  int
	wake chan struct{} // has an element if the queue is not empty

	mu      sync.Mutex
	waiting batch
	bytes   int
	closed  bool
}

func newQueue(maxBytes int) *queue {
	return &queue{max: maxBytes, wake: make(chan struct{}, 1)}
}

// push appends the traces of a call: all or, with an error, none. They may exceed the limit only if the queue is empty.
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
	clear(q.waiting.items[:n]) // the array lives on and must not refer to written traces
	clear(q.waiting.calls[:n])
	q.waiting.items, q.waiting.calls = q.waiting.items[n:], q.waiting.calls[n:]
	return taken
}

// refuses returns the error that push would return now, nil if it may succeed.
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

// size returns the number of bytes in the queue.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close refuses further traces. Those in the queue can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
