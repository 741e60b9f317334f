package tracestore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

const (
	// commitBytes is how much one transaction takes from the queue.
	commitBytes = 1 << 20
	// commitInterval is the least time between transactions for less than fullBatch: each costs the disk a sync, and
	// the pages of the tree that it changes anew. Who sends traces waits that long, while more come together for its next call.
	commitInterval = 500 * time.Millisecond
	// fullBatch is how much is written at once, whenever the last transaction was: a request of about 1 MiB, compressed. A
	// sender that has more than it can send must not wait.
	fullBatch = 128 << 10
	// joinInterval is how long a full batch waits for others to join it: a transaction costs as much as hundreds of spans in it.
	joinInterval = 10 * time.Millisecond
	// maintainInterval is how often traces are looked through for those that are too old.
	maintainInterval = 10 * time.Second
)

// writer is the one goroutine that writes, and the file that it opens, writes to, and replaces where it is damaged.
// file and used may be read concurrently.
type writer struct {
	floor     *freespace.Floor
	path      string
	options   tracefile.Options
	queue     *queue
	health    *health
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	retry     time.Duration // between attempts to open the file

	committed time.Time // when the last transaction ended; the goroutine's

	file atomic.Pointer[tracefile.File] // nil while it cannot be opened
	used atomic.Int64                   // bytes of the file in use

	stop    chan struct{}
	stopped chan struct{} // closed when the goroutine has ended; nil before start
}

// start opens the file and starts the goroutine.
func (w *writer) start() {
	w.open()
	w.stopped = make(chan struct{})
	go w.run()
}

// run commits what is queued, evicts, and opens the file where that failed. It ends after stop, with
// all written and the file closed.
func (w *writer) run() {
	defer close(w.stopped)
	maintain := clock.NewTicker(maintainInterval)
	defer maintain.Stop()
	retry := clock.NewTicker(w.retry)
	defer retry.Stop()
	w.maintain()
	for stopping := false; ; {
		if w.file.Load() != nil {
			w.drain()
		}
		if stopping {
			w.close()
			return
		}
		select {
		case <-w.wake():
			stopping = w.pause()
		case <-maintain.C:
			w.maintain()
		case <-retry.C:
			if w.file.Load() == nil {
				w.open()
				w.maintain()
			}
		case <-w.stop:
			stopping = true
		}
	}
}

// wake tells that there is something to write; never while there is no file to write it to.
func (w *writer) wake() <-chan struct{} {
	if w.file.Load() == nil {
		return nil
	}
	return w.queue.wake
}

// pause lets more traces come, so that one transaction takes them all: until commitInterval after the last or, where there is a
// full batch, for as long as those who have more need to bring it. It says whether the store is stopping.
func (w *writer) pause() bool {
	left := commitInterval - clock.Since(w.committed)
	if left <= 0 {
		return false
	}
	timer := clock.NewTimer(left)
	defer timer.Stop()
	hurried := false
	for {
		if !hurried && w.queue.size() >= fullBatch {
			hurried = true
			timer.Reset(min(commitInterval-clock.Since(w.committed), joinInterval))
		}
		select {
		case <-w.queue.wake: // there is more
		case <-timer.C:
			return false
		case <-w.stop:
			return true
		}
	}
}

// drain commits all that is queued, and makes room after each transaction. It ends early where the file was lost on the
// way.
func (w *writer) drain() {
	for w.file.Load() != nil {
		b := w.queue.take(commitBytes)
		if len(b.items) == 0 {
			return
		}
		err := w.commit(b.items)
		w.committed = clock.Now()
		b.answer(err)
		if err == nil {
			w.evict()
		}
	}
}

// commit writes traces in one transaction: all of them, or none where it returns an error.
func (w *writer) commit(items []tracefile.Item) error {
	ctx := context.Background()
	done, err := w.file.Load().Put(items)
	if errors.Is(err, tracefile.ErrFull) {
		err = w.floorError(err)
		w.health.fail("The trace store does not grow, and takes no traces", err)
		w.evict()
		return err
	}
	if err != nil {
		w.failed("The trace store cannot write to "+w.path, err)
		return fmt.Errorf("cannot write to %s: %w", w.path, err)
	}
	if reached := w.floor.Check(); reached != nil {
		w.health.fail("The trace store does not grow: its oldest traces leave for new ones", reached)
	} else {
		w.health.succeed()
	}
	w.telemetry.ExporterTraceStoreStoredTraces.Add(ctx, int64(done.Stored))
	w.telemetry.ExporterTraceStoreUpdatedTraces.Add(ctx, int64(done.Updated))
	w.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(done.Corrupt))
	if done.TooLarge > 0 {
		dropped(ctx, w.telemetry, "too_large", done.TooLarge)
	}
	if done.Failed > 0 {
		dropped(ctx, w.telemetry, "failed", done.Failed)
	}
	return nil
}

// floorError says why the file must not grow.
func (w *writer) floorError(full error) error {
	if reached := w.floor.Check(); reached != nil {
		return reached
	}
	return full // there is room again by now
}

// maxEvictBatches is how many transactions that delete run before new traces are looked at again.
const maxEvictBatches = 64

// evict deletes the oldest traces, while they are too old or the file is too full.
func (w *writer) evict() {
	file := w.file.Load()
	if file == nil {
		return
	}
	for range maxEvictBatches {
		n, err := file.Evict()
		if n.Used > 0 {
			w.used.Store(n.Used)
		}
		if err != nil {
			w.failed("The trace store cannot delete old traces from "+w.path, err)
			return
		}
		w.countEvicted(n)
		if !n.More() {
			return
		}
	}
}

func (w *writer) countEvicted(n tracefile.Evicted) {
	ctx := context.Background()
	for reason, count := range map[string]int{"age": n.Age, "bytes": n.Bytes} {
		if count > 0 {
			w.telemetry.ExporterTraceStoreEvictedTraces.Add(ctx, int64(count),
				metric.WithAttributes(attribute.String("reason", reason)))
		}
	}
	w.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(n.Corrupt))
}

// maintain evicts what is too old and forgets operations that no trace has any more.
func (w *writer) maintain() {
	w.evict()
	file := w.file.Load()
	if file == nil {
		return
	}
	if err := file.Prune(); err != nil {
		w.failed("The trace store cannot write to "+w.path, err)
	}
}

// failed says that the writer could not do something. Where that is because the file is damaged, it starts a new one.
func (w *writer) failed(what string, err error) {
	w.health.fail(what, err)
	if !errors.Is(err, state.ErrCorrupt) {
		return
	}
	w.file.Store(nil) // and left open: see state.Guard
	w.startAnew(err)
}
