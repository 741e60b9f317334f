package recovery

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Store is the directory of a processor, and its contents at the start.
type Store struct {
	directory string
	buffer    *buffer.Buffer
	names     *version.Names
	logger    *zap.Logger

	// System holds the directory; nil is the machine's file system.
	System spanlog.System
	// Readers is the number of goroutines that read segments; 0 is GOMAXPROCS.
	Readers int

	dir          *spanlog.Directory
	inventory    *spanlog.Inventory
	destinations destinations
	reading      sync.WaitGroup
	canceled     atomic.Bool

	total, done atomic.Int64 // bytes to read back
	Counts
}

// Counts counts what recovery found. It is safe for concurrent use.
type Counts struct {
	Spans     atomic.Int64 // restored
	Traces    atomic.Int64 // restored
	Repeated  atomic.Int64 // restored spans that may have been delivered before the crash, once for each destination
	Lost      atomic.Int64 // spans
	TornTails atomic.Int64
}

// NewStore returns the store of a buffer in files.
func NewStore(directory string, b *buffer.Buffer, names *version.Names, logger *zap.Logger) *Store {
	return &Store{directory: directory, buffer: b, names: names, logger: logger}
}

// Open locks the directory, lists its files, and sets the buffer's seed to the one of the files.
func (st *Store) Open() (err error) {
	if st.System == nil {
		st.dir, err = spanlog.OpenDirectory(st.directory)
	} else {
		st.dir, err = spanlog.OpenDirectoryOn(st.System, st.directory)
	}
	if err != nil {
		return err
	}
	st.inventory, err = st.dir.Inventory()
	if st.inventory != nil {
		otherformat.Log(st.logger, st.inventory.OtherFormats, spanlog.FormatVersion, notReadBack)
	}
	if err != nil {
		return errors.Join(err, st.dir.Close())
	}
	st.destinations.begin(st.buffer.Destinations)
	st.total.Store(st.inventory.Bytes)
	if st.inventory.Shards != 0 {
		st.buffer.Seed = index.Seed(st.inventory.Seed)
	}
	return nil
}

// Close releases the directory.
func (st *Store) Close() error { return st.dir.Close() }

// Recover reads the files back in a goroutine, which calls onDone at the end unless Interrupt was called. Recover returns
// when that goroutine has ended, or after timeout. onSyncFailed is called whenever an fsync fails later; if it is nil,
// files are never flushed explicitly.
func (st *Store) Recover(timeout time.Duration, onSyncFailed, onDone func()) {
	done := make(chan struct{})
	st.reading.Go(func() {
		defer close(done)
		began := clock.Now()
		st.readBack(onSyncFailed)
		if st.canceled.Load() {
			return
		}
		onDone()
		if st.total.Load() > 0 || st.Lost.Load() > 0 {
			st.logger.Info("buffered spans recovered", zap.String("directory", st.directory),
				zap.Int64("bytes", st.total.Load()), zap.Int64("traces", st.Traces.Load()), zap.Int64("spans", st.Spans.Load()),
				zap.Int64("perhaps_delivered_before", st.Repeated.Load()), zap.Int64("lost_spans", st.Lost.Load()),
				zap.Duration("took", clock.Since(began)))
		}
	})
	timer := clock.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// Wait waits until the recovery has ended.
func (st *Store) Wait() { st.reading.Wait() }

// Interrupt ends the recovery early. Spans that were not read back stay where they are.
func (st *Store) Interrupt() {
	st.canceled.Store(true)
	st.reading.Wait()
}

// Progress describes the progress of the recovery.
func (st *Store) Progress() string {
	total, done := st.total.Load(), st.done.Load()
	return fmt.Sprintf("reads buffered spans back: %s of %s (%d %%)", units.About(done), units.About(total), 100*done/max(1, total))
}

// report logs and counts damage.
func (st *Store) report(damage []spanlog.Damage) {
	for _, d := range damage {
		st.Lost.Add(int64(d.Lost))
		if d.Torn {
			st.TornTails.Add(1)
		}
		log := st.logger.Error
		if d.Lost == 0 {
			log = st.logger.Warn
		}
		log("damage in the span log", zap.String("file", d.Path), zap.Int("offset", d.Offset), zap.String("found", d.Reason),
			zap.Int("lost_spans", d.Lost))
	}
}

// notReadBack is what is lost where files of another format version were moved aside.
const notReadBack = "buffered spans are not read back"

// MovedAside says for people which files of another format version were moved aside at this start; it is empty where there were none.
func (st *Store) MovedAside() string {
	if st.inventory == nil {
		return ""
	}
	return otherformat.Message(st.inventory.OtherFormats, spanlog.FormatVersion, notReadBack)
}
