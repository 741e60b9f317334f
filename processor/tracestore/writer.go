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
	// commitBytes is the number of bytes of the queue that one transaction takes.
	commitBytes = 1 << 20
	// commitInterval is the least time between transactions with less than fullBatch: each costs the disk a sync, and the pages
	// of the tree that it changes. Senders wait that long, while more traces gather for their next calls.
	commitInterval = 500 * time.Millisecond
	// fullBatch is the number of bytes that are written at once, however recent the last transaction: a request of about 1
	// MiB, compressed. A sender with a backlog must not wait.
	fullBatch = 128 << 10
	// joinInterval is how long a full batch waits for others: a transaction costs as much as hundreds of spans in it.
	joinInterval = 10 * time.Millisecond
	// maintainInterval is the pause between two searches for traces that are too old.
	maintainInterval = 10 * time.Second
)

// writer is the one goroutine that writes. It opens the file, writes to it, and replaces it if it is damaged. file
// and used may be read concurrently.
type writer struct {
	floor     *freespace.Floor
	path      string
	options   tracefile.Options
	queue     *queue
	health    *health
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	retry     time.Duration // between attempts to open the file

	committed time.Time // end of the last transaction; for the goroutine only

	file atomic.Pointer[tracefile.File] // nil while it cannot be opened
	used atomic.Int64                   // bytes of the file in use

	stop    chan struct{}
	stopped chan struct{} // closed when the goroutine ends; nil before start
}

// start opens the file and starts the goroutine.
func (w *writer) start() {
	w.open()
	w.stopped = make(chan struct{})
	go w.run()
}

// run commits the queue, evicts, and opens the file if that failed before. It ends after stop, when all is
// written and the file closed.
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

// wake returns the channel that signals queued traces; nil while there is no file.
func (w *writer) wake() <-chan struct{} {
	if w.file.Load() == nil {
		return nil
	}
	return w.queue.wake
}

// pause waits for more traces for the same transaction: until commitInterval after the last one or, if there is a full batch,
// for joinInterval. It reports whether the store is stopping.
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
		case <-w.queue.wake: // there are more traces
		case <-timer.C:
			return false
		case <-w.stop:
			return true
		}
	}
}

// drain commits the whole queue, and evicts after each transaction. It ends early if the file was lost meanwhile.
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

// commit writes traces in one transaction: all of them, or none if it returns an error.
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

// floorError returns why the file must not grow.
func (w *writer) floorError(full error) error {
	if reached := w.floor.Check(); reached != nil {
		return reached
	}
	return full // there is room again by now
}

// maxEvictBatches is the number of deleting transactions after which new traces have their turn.
const maxEvictBatches = 64

// evict deletes the oldest traces while they are too old or the file is too full.
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

// maintain evicts traces that are too old, and deletes operations without traces.
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

// failed reports a failure of the writer. If the file is damaged, it starts a new one.
func (w *writer) failed(what string, err error) {
	w.health.fail(what, err)
	if !errors.Is(err, state.ErrCorrupt) {
		return
	}
	w.file.Store(nil) // and left open: see state.Guard
	w.startAnew(err)
}
