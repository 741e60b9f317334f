// Package watch looks at something that others change, such as files, and hands on what it has become.
//
// Its one type is Watcher. Reading again and again needs no support of the file system, sees through the links by which
// Kubernetes changes a mounted ConfigMap, and works for a configuration that is not in a file.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Watcher reads every Interval and applies what has changed. One goroutine does both.
type Watcher[T any] struct {
	// Interval is the time between two reads.
	Interval time.Duration
	// Read returns what is there now, errors included.
	Read func(ctx context.Context) T
	// Same reports whether two reads found the same.
	Same func(a, b T) bool
	// Apply takes what was read, and reports whether it is done with it: where not, it is called again with the next read.
	Apply func(T) (done bool)
}

// Start watches for what differs from applied, until stop was called and has returned. A change is applied when two reads
// in a row find the same, so that a file is not taken while somebody writes it.
func (w *Watcher[T]) Start(applied T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.run(ctx, applied) })
	return func() {
		cancel()
		running.Wait()
	}
}

func (w *Watcher[T]) run(ctx context.Context, applied T) {
	tick := clock.NewTicker(w.Interval)
	defer tick.Stop()
	for before := applied; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := w.Read(ctx)
		if ctx.Err() != nil {
			return // and what was read may be the error of this
		}
		if !w.Same(now, applied) && w.Same(now, before) && w.Apply(now) {
			applied = now
		}
		before = now
	}
}
