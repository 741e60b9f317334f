// Package fsync flushes the span log's files to the disk.
//
// Its type is Syncer: it runs at an interval, or for each request, many of which share a run.
package fsync

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Syncer flushes files to the disk at an interval, or for each request. A nil Syncer leaves this to the system. It is
// safe for concurrent use.
type Syncer struct {
	sync   func() error // flushes all spans that were appended before the call
	always bool
	stop   chan struct{}
	asked  chan struct{}
	done   sync.WaitGroup
	failed atomic.Pointer[error] // of the last run; nil if it succeeded

	mu      sync.Mutex
	current *syncRun // the next run
}

// syncRun is one run, shared by all callers of Wait before it began.
type syncRun struct {
	done chan struct{}
	err  error
}

// ErrSlow says that the disk has not flushed a request's spans in time.
var ErrSlow = errors.New("the disk is too slow: it has not flushed the spans in time")

// New starts a Syncer; every is how often it runs, 0 for each request.
func New(sync func() error, every time.Duration) *Syncer {
	y := &Syncer{
		sync: sync, always: every == 0, stop: make(chan struct{}), asked: make(chan struct{}, 1),
		current: &syncRun{done: make(chan struct{})},
	}
	y.done.Go(func() { y.run(every) })
	return y
}

func (y *Syncer) run(every time.Duration) {
	var tick <-chan time.Time
	if every > 0 {
		t := clock.NewTicker(every)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-y.stop:
			return
		case <-tick:
		case <-y.asked:
		}
		y.mu.Lock()
		run := y.current
		y.current = &syncRun{done: make(chan struct{})}
		y.mu.Unlock()
		if run.err = y.sync(); run.err == nil {
			y.failed.Store(nil)
		} else {
			y.failed.Store(&run.err)
		}
		close(run.done)
	}
}

// Wait returns when everything appended before is on the disk, if requests wait for that; else at once. It fails at the deadline,
// and if the flush failed. Files are flushed all the same.
func (y *Syncer) Wait(ctx context.Context, deadline time.Time) error {
	if y == nil || !y.always {
		return nil
	}
	y.mu.Lock()
	run := y.current
	y.mu.Unlock()
	select {
	case y.asked <- struct{}{}:
	default: // a run is due already
	}
	timeout := clock.NewTimer(clock.Until(deadline))
	defer timeout.Stop()
	select {
	case <-run.done:
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return ErrSlow
	}
	if run.err != nil {
		return fmt.Errorf("%w: %w", spanlog.ErrDisk, run.err)
	}
	return nil
}

// Health returns the error of the last run, or nil.
func (y *Syncer) Health() error {
	if y == nil {
		return nil
	}
	if err := y.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// closeTimeout is how long Close waits for the disk.
const closeTimeout = 1500 * time.Millisecond

// Close stops the Syncer after a last flush. If the disk takes longer than closeTimeout, it returns ErrSlow and leaves the rest to the
// system.
func (y *Syncer) Close() error {
	if y == nil {
		return nil
	}
	close(y.stop)
	flushed := make(chan error, 1)
	go func() {
		y.done.Wait()
		flushed <- y.sync()
	}()
	timeout := clock.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case err := <-flushed:
		return err
	case <-timeout.C:
		return ErrSlow
	}
}
