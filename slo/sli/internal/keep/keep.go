// Package keep makes counts survive: it recovers those of the previous process, and keeps new ones in a place.
//
// Its type is Keeper: a counter, the requests that it knows, and the place where both are kept.
//
//	counts are    in                              goes on to
//	kept          a log that survives, and a      volatile, when the place accepts no more
//	              snapshot before it
//	volatile      memory                          kept, with a snapshot, when the place accepts it: tried every 10 s
//
// A log that is half full is followed by the next one, behind a snapshot. That snapshot also keeps the records that a full log refused,
// and callers that need these kept wait for it (Await).
//
// The files in use are checked, and replaced if a start could not read them. Former counts that could not be recovered are a
// Loss, which each snapshot keeps, so that /readyz reports it for a day.
//
// Keeper.turning is held meanwhile. Under it current.mu is taken, and under that the locks of count and repeats.
package keep

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/place"
	"github.com/slowburn/slowburn/slo/sli/internal/repeats"
)

const (
	// lookEvery is how often the log's fill is checked.
	lookEvery = 100 * time.Millisecond
	// checkEvery is how often the whole generation is read back.
	checkEvery = time.Minute
	// lossReportedFor is how long a Loss is reported, across restarts.
	lossReportedFor = 24 * time.Hour
	// tryEvery is how often a failed place is retried.
	tryEvery = 10 * time.Second
	// markEvery is how often marking the log is retried while a record is still being appended.
	markEvery = time.Millisecond
	// minRoom and maxRoom bound the length of a log in bytes. A log is at least twice as long as a snapshot and is left when
	// half full, so snapshots write at most as much as logs. The length doubles if a log lasted less than minTurn.
	minRoom = 8 << 20
	maxRoom = 256 << 20
	minTurn = time.Second
)

// Settings configures a Keeper.
type Settings struct {
	// Open opens the place. It is called again after a failure, except for place.ErrInUse at the start.
	Open       func() (place.Place, error)
	Limits     count.Limits
	Objectives []slo.Objective
	Window     *repeats.Window
	// Name returns a new name for counts that begin anew, never the same twice.
	Name   func() string
	Logger *zap.Logger
}

// Keeper keeps the counts of its counter. It is safe for concurrent use.
type Keeper struct {
	set     Settings
	counter *count.Counter
	name    string
	flushed int64 // last flush of the previous process, Unix ms

	turning sync.Mutex
	place   place.Place // nil if it could not be opened
	current current
	room    int
	turned  time.Time // the last turn, or attempt at one
	flush   atomic.Int64

	volatile atomic.Pointer[Volatile]
	loss     atomic.Pointer[Loss]
	ended    ending

	wake chan struct{} // nil if waiting callers make the turns themselves
	stop context.CancelFunc
	loop sync.WaitGroup
}

// Volatile says since when counts would not survive a crash, and why.
type Volatile struct {
	Since  time.Time
	Reason string
}

// Loss says when former counts were found not to be recoverable, and why.
type Loss struct {
	At     time.Time
	Reason string
}

// ending broadcasts the end of turns: its channel is closed at each, and replaced.
type ending struct {
	mu sync.Mutex
	ch chan struct{}
}

// end wakes all waiting callers.
func (e *ending) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.ch)
	e.ch = make(chan struct{})
}

// next returns a channel that is closed at the next end.
func (e *ending) next() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ch
}

// Start recovers former counts and begins to keep. Its only error is place.ErrInUse; any other problem of the place is reported
// by Volatile, or logged.
func Start(set Settings) (*Keeper, error) {
	k := &Keeper{set: set, room: minRoom, ended: ending{ch: make(chan struct{})}, wake: make(chan struct{}, 1)}
	if err := k.open(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.stop = cancel
	k.loop.Go(func() { k.run(ctx) })
	return k, nil
}

// StartInline is Start without a goroutine: callers that wait for a turn make it, and the owner calls SwitchIfDue. It is for
// simulations on a single goroutine.
func StartInline(set Settings) (*Keeper, error) {
	k := &Keeper{set: set, room: minRoom, ended: ending{ch: make(chan struct{})}, stop: func() {}}
	return k, k.open()
}

// SwitchIfDue makes a turn if one is due.
func SwitchIfDue(k *Keeper) { k.look() }

// open recovers former counts and makes the first turn.
func (k *Keeper) open() error {
	k.reset()
	opened, err := k.set.Open()
	if err != nil {
		if errors.Is(err, place.ErrInUse) {
			return err
		}
		k.abandon(err)
		return nil
	}
	k.place = opened
	if err := k.recover(); err != nil {
		k.reset()
		k.abandon(err)
		k.closePlace()
		return nil
	}
	if err := k.turn(); err != nil {
		if abandoned := k.place.Abandon(); abandoned != nil {
			k.reset() // counts in the place must not be counted by two processes, under one name
		}
		k.abandon(err)
	}
	return nil
}

// reset starts counting from zero, under a new name.
func (k *Keeper) reset() {
	k.counter = count.New(k.set.Limits, k.set.Objectives, k.set.Window.Take)
	if k.wake == nil {
		count.Single(k.counter)
	}
	k.name = k.set.Name()
	k.flushed = 0
}

func (k *Keeper) recover() error {
	restored := count.Restored{Request: k.set.Window.Take}
	found, err := k.place.Recover(func(record []byte) error { return k.counter.Restore(record, &restored) })
	if err != nil {
		return err
	}
	if restored.Lost != "" {
		k.loss.Store(&Loss{time.UnixMilli(restored.LostAt), restored.Lost})
	}
	if found.Lost != "" {
		k.reset()
		k.loss.Store(&Loss{clock.Now(), found.Lost})
		k.set.Logger.Warn("counting begins anew: " + found.Lost)
		return nil
	}
	if found.Records == 0 {
		return nil
	}
	k.counter.Restored()
	k.name, k.flushed = restored.Name, restored.Flushed
	k.flush.Store(restored.Flushed)
	k.set.Logger.Info("counts recovered", zap.Int("records", found.Records))
	return nil
}

// turn switches to a new log, behind a snapshot. After an error, call abandon.
func (k *Keeper) turn() error {
	k.turned = clock.Now()
	next, err := k.place.Begin(k.room)
	if err != nil {
		return err
	}
	if err := k.goOn(next); err != nil {
		k.leave(next, err)
		return err
	}
	if was := k.volatile.Swap(nil); was != nil {
		k.set.Logger.Info("counts survive a crash again", zap.Time("since", was.Since))
	}
	k.ended.end()
	if err := next.Sync(); err != nil {
		k.set.Logger.Warn("counts survive a crash of the gateway, but not of the machine", zap.Error(err))
	}
	return nil
}

// goOn writes the snapshot of a generation and makes it the current one.
func (k *Keeper) goOn(next place.Generation) error {
	k.current.mu.Lock()
	defer k.current.mu.Unlock()
	var turn uint64
	bytes, err := next.Commit(func(write func([]byte) error) (err error) {
		if err := write(count.AppendName(nil, k.name)); err != nil {
			return err
		}
		if l := k.Loss(); l != nil {
			if err := write(count.AppendLoss(nil, l.At.UnixMilli(), l.Reason)); err != nil {
				return err
			}
		}
		if turn, err = k.counter.SwitchLog(next, write); err != nil {
			return err
		}
		if err := write(count.AppendFlush(nil, k.flush.Load())); err != nil {
			return err
		}
		record := make([]byte, 0, 32)
		return k.set.Window.All(clock.Wall().UnixMilli(), func(id count.RequestID, at int64) error {
			return write(count.AppendRequest(record[:0], id, at))
		})
	})
	if err != nil {
		return err
	}
	k.counter.Kept(turn)
	if k.current.generation != nil {
		k.current.generation.Release()
	}
	k.current.generation, k.current.checked = next, clock.Now()
	k.room = min(max(k.room, 2*int(min(bytes, maxRoom))), maxRoom)
	return nil
}

// abandon makes counts volatile and continues in memory.
func (k *Keeper) abandon(cause error) {
	k.leave(nil, cause)
	k.ended.end()
}

// leave stops appending to the current generation, and to next unless it is nil. It first reports that counts are volatile,
// then abandons the generations, and only then counts in memory: a crash at any moment leaves no readable file that lacks
// counts.
func (k *Keeper) leave(next place.Generation, cause error) {
	v := &Volatile{Since: clock.Wall(), Reason: cause.Error()}
	was := k.volatile.Load()
	if was != nil {
		v.Since = was.Since
	}
	k.volatile.Store(v)
	if was == nil {
		k.set.Logger.Error("counts no longer survive a crash; counting goes on in memory", zap.Error(cause))
	}
	k.current.mu.Lock()
	left := []place.Generation{k.current.generation, next}
	for _, g := range left {
		if g == nil {
			continue
		}
		if err := g.Abandon(); err != nil {
			k.set.Logger.Error("counts may be repeated after a crash", zap.Error(err))
		}
	}
	k.current.generation = nil
	k.current.mu.Unlock()
	_, _ = k.counter.SwitchLog(nil, nil)
	for _, g := range left {
		if g != nil {
			g.Release() // no goroutine appends to it any more
		}
	}
}

func (k *Keeper) closePlace() {
	if err := k.place.Close(); err != nil {
		k.set.Logger.Warn("closing the counts' files failed", zap.Error(err))
	}
	k.place = nil
}

func (k *Keeper) run(ctx context.Context) {
	ticker := clock.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-k.wake:
		}
		k.look()
	}
}

// look makes a turn if one is due.
func (k *Keeper) look() {
	k.turning.Lock()
	defer k.turning.Unlock()
	if k.current.generation == nil {
		if clock.Since(k.turned) >= tryEvery {
			k.tryAgain()
		}
		return
	}
	switch {
	case k.isDamaged(clock.Since(k.current.checked) >= checkEvery):
	case k.current.generation.Fill() < 0.5:
		return
	case clock.Since(k.turned) < minTurn:
		k.room = min(2*k.room, maxRoom)
	}
	if err := k.turn(); err != nil {
		k.abandon(err)
	}
}

// isDamaged reports whether a start could not read the current generation, and logs that. Its counts are in memory too, and go
// to the next generation.
func (k *Keeper) isDamaged(all bool) bool {
	if all {
		k.current.checked = clock.Now()
	}
	err := k.current.check(all)
	if err != nil {
		k.set.Logger.Warn("the counts' file was damaged while it was in use; all counts are written anew", zap.Error(err))
	}
	return err != nil
}

// tryAgain retries to keep counts that are volatile.
func (k *Keeper) tryAgain() {
	k.turned = clock.Now()
	if k.place == nil {
		opened, err := k.set.Open()
		if err == nil {
			k.place = opened
			// Counts of a former process are not added: they have another name.
			var found place.Found
			if found, err = k.place.Recover(func([]byte) error { return nil }); found.Lost != "" {
				k.set.Logger.Info("counts go on with those in memory: " + found.Lost)
			}
		}
		if err != nil {
			k.abandon(err)
			if k.place != nil {
				k.closePlace()
			}
			return
		}
	}
	if err := k.turn(); err != nil {
		k.abandon(err)
	}
}

// Counter returns the counter.
func (k *Keeper) Counter() *count.Counter { return k.counter }

// Name returns the name of the counts, which lasts as long as they go on, over restarts.
func (k *Keeper) Name() string { return k.name }

// Flushed returns the time of the last flush of the previous process, in Unix ms; 0 if unknown.
func (k *Keeper) Flushed() int64 { return k.flushed }

// Flush records the time of a flush, in Unix ms, calls flush, and marks the log. The time is recorded before flush reads the
// counts: AwaitMarked then waits for it too, so no later process sends counts with an earlier time.
func (k *Keeper) Flush(at int64, flush func()) {
	k.flush.Store(at)
	k.counter.KeepFlush(at)
	flush()
	_ = k.current.mark() // if a record is still being appended, the next flush marks it
}

// Volatile returns since when and why counts would not survive a crash; nil if they would.
func (k *Keeper) Volatile() *Volatile { return k.volatile.Load() }

// Loss returns what was lost of former counts; nil if nothing was, or more than a day ago.
func (k *Keeper) Loss() *Loss {
	if l := k.loss.Load(); l != nil && clock.Since(l.At) < lossReportedFor {
		return l
	}
	return nil
}

// Await waits until the records that the log of a turn refused are kept, or counts are volatile. The only errors are those of
// ctx.
func (k *Keeper) Await(ctx context.Context, refused uint64) error {
	for refused != 0 {
		ended := k.ended.next()
		if k.counter.IsKept(refused) || k.volatile.Load() != nil {
			return nil
		}
		k.wakeUp()
		select {
		case <-ended:
		case <-ctx.Done():
			return unfinished(ctx)
		}
	}
	return nil
}

// AwaitMarked is Await for counts that will be sent: it also marks the log, so that damage to them is detected after a crash.
func (k *Keeper) AwaitMarked(ctx context.Context, refused uint64) error {
	if err := k.Await(ctx, refused); err != nil {
		return err
	}
	for {
		ended := k.ended.next()
		if k.current.mark() {
			return nil
		}
		k.wakeUp() // the log may be full
		timer := clock.NewTimer(markEvery)
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return unfinished(ctx)
		}
		timer.Stop()
	}
}

func (k *Keeper) wakeUp() {
	if k.wake == nil {
		k.look()
		return
	}
	select {
	case k.wake <- struct{}{}:
	default: // a wake-up is pending already
	}
}

func unfinished(ctx context.Context) error {
	return fmt.Errorf("counts are being written: %w", context.Cause(ctx))
}

// Close stops keeping, with all counts in the place. Nothing may count any more.
func (k *Keeper) Close() error {
	k.stop()
	k.loop.Wait()
	k.turning.Lock()
	defer k.turning.Unlock()
	_ = k.current.mark() // so that isDamaged checks all of it
	if g := k.current.generation; g != nil && (g.Fill() >= 1 || k.isDamaged(true)) {
		if err := k.turn(); err != nil {
			k.abandon(err)
		}
	}
	_, _ = k.counter.SwitchLog(nil, nil)
	var errs []error
	if g := k.current.take(); g != nil {
		errs = append(errs, g.Close())
	}
	if k.place != nil {
		errs = append(errs, k.place.Close())
		k.place = nil
	}
	return errors.Join(errs...)
}
