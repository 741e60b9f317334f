package tracestore

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/state"
)

const (
	// commitBytes is how much one transaction takes from the queue.
	commitBytes = 1 << 20
	// commitInterval is the least time between transactions that the queue does not fill: each costs the disk a
	// sync, and the pages of the tree that it changes anew. What the dashboard shows is that much late.
	commitInterval = 500 * time.Millisecond
	// maintainInterval is how often traces are looked through for those that are too old.
	maintainInterval = 10 * time.Second
)

// writer is the state of the one goroutine that writes.
type writer struct {
	operations int // entries in the bucket of that name
}

// write is the writer: it commits what is queued, evicts, and opens the file where that failed. It ends after stop, with
// all written and the file closed.
func (s *store) write() {
	defer close(s.stopped)
	maintain := time.NewTicker(maintainInterval)
	defer maintain.Stop()
	retry := time.NewTicker(s.retry)
	defer retry.Stop()
	s.maintain()
	for stopping := false; ; {
		if s.db.Load() != nil {
			s.drain()
		}
		if stopping {
			s.close()
			return
		}
		select {
		case <-s.wake():
			stopping = s.pause()
		case <-maintain.C:
			s.maintain()
		case <-retry.C:
			if s.db.Load() == nil {
				s.open()
				s.maintain()
			}
		case <-s.stop:
			stopping = true
		}
	}
}

// wake tells that there is something to write; never while there is no file to write it to.
func (s *store) wake() <-chan struct{} {
	if s.db.Load() == nil {
		return nil
	}
	return s.queue.wake
}

// pause lets more traces come, so that one transaction takes them all. It says whether the store is stopping.
func (s *store) pause() bool {
	if s.queue.size() >= commitBytes {
		return false
	}
	timer := time.NewTimer(commitInterval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-s.stop:
		return true
	}
}

// drain commits all that is queued, and makes room after each transaction. It ends early where the file was lost on the
// way, as the queue can wait for a new one.
func (s *store) drain() {
	for s.db.Load() != nil {
		batch := s.queue.take(commitBytes)
		if len(batch) == 0 {
			return
		}
		if s.commit(batch) {
			s.evict()
		}
	}
}

// commit writes the batch in one transaction. Where that fails, the batch is dropped: a disk that is full or broken will
// not take it the next time either, and the queue must not grow old. It says whether it was written.
func (s *store) commit(batch []queued) bool {
	db := s.db.Load()
	var done written
	err := update(db, func(tx *bbolt.Tx) error {
		done = written{}
		return s.put(tx, batch, &done)
	})
	ctx := context.Background()
	if err != nil {
		s.dropped(ctx, "write_failed", len(batch))
		s.failed("The trace store cannot write to "+s.path, err)
		return false
	}
	s.succeed()
	s.writer.operations += done.operations
	s.telemetry.ExporterTraceStoreStoredTraces.Add(ctx, int64(done.stored))
	s.telemetry.ExporterTraceStoreUpdatedTraces.Add(ctx, int64(done.updated))
	s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(done.corrupt))
	if done.tooLarge > 0 {
		s.dropped(ctx, "too_large", done.tooLarge)
	}
	if done.failed > 0 {
		s.dropped(ctx, "failed", done.failed)
	}
	return true
}

// maintain evicts what is too old and forgets operations that no trace has any more.
func (s *store) maintain() {
	db := s.db.Load()
	if db == nil {
		return
	}
	s.evict()
	if db = s.db.Load(); db == nil {
		return
	}
	if err := update(db, s.pruneOperations); err != nil {
		s.failed("The trace store cannot write to "+s.path, err)
	}
}

// failed tells that the writer could not do something. Where that is because the file is damaged, it starts a new one.
func (s *store) failed(what string, err error) {
	s.fail(what, err)
	if !errors.Is(err, state.ErrCorrupt) {
		return
	}
	s.db.Store(nil) // and left open: see state.Guard
	s.startAnew(err)
}

func (s *store) close() {
	if left := s.queue.take(maxQueueBytes); len(left) > 0 { // there never was a file to write them to
		s.dropped(context.Background(), "shutdown", len(left))
	}
	db := s.db.Swap(nil)
	if db == nil {
		return
	}
	if err := closeFile(db); err != nil {
		s.logger.Error("The trace store's file did not close well.", zap.String("file", s.path), zap.Error(err))
	}
}

func closeFile(db *state.DB) error { return state.Guard(db.Close) }
