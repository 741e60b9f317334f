// Package upkeep does the work of a Prometheus database that nobody waits for: it compacts, and maps full chunks into memory.
//
// Prometheus does this on a goroutine of its own, where a disk that is full, or a fault in a mapped file, is a panic that ends the
// process. A Loop does it on one of ours, where Guard makes them errors. Guard is also for those who write to the database. Options has
// the database leave the work to a Loop. A Loop may be stopped more than once, by anybody.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	promtsdb "github.com/prometheus/prometheus/tsdb"

	"github.com/slowburn/slowburn/internal/clock"
)

// roundEvery is how often the work is done, as in Prometheus.
const roundEvery = time.Minute

// farAway is further away than the process lives.
const farAway = 100 * 365 * 24 * time.Hour

// Options has a database that is opened with them do nothing by itself. Blocks that have expired are deleted after each compaction.
func Options(o *promtsdb.Options) { o.BlockReloadInterval = farAway }

// Broken is a panic in the database. It may hold locks, and places in its files that nothing was written to: it must be opened anew.
type Broken struct {
	cause error
	stack []byte
}

// Error says what happened in plain words.
func (b *Broken) Error() string {
	if Faulted(b.cause) {
		return "a mapped file was cut off, or cannot be read"
	}
	return b.cause.Error()
}

// Unwrap returns what the panic was about.
func (b *Broken) Unwrap() error { return b.cause }

// Stack is where the panic came from.
func (b *Broken) Stack() string { return string(b.stack) }

// Fault returns a *Broken where an error is a fault in mapped memory, which somebody else made an error of, else nil.
func Fault(err error) error {
	if !Faulted(err) {
		return nil
	}
	return &Broken{err, nil}
}

// Faulted reports whether an error is a fault in mapped memory.
func Faulted(err error) bool {
	var fault interface{ Addr() uintptr }
	return errors.As(err, &fault)
}

// Guard runs what works on a database. A panic, or a fault in one of its mapped files, is a *Broken.
func Guard(work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			cause, ok := p.(error)
			if !ok {
				cause = fmt.Errorf("%v", p)
			}
			err = &Broken{cause, debug.Stack()}
		}
	}()
	return work()
}

// Database is a *promtsdb.DB.
type Database interface {
	DisableCompactions()
	Compact(ctx context.Context) error
	ForceHeadMMap()
}

// Loop does the work from time to time.
type Loop struct {
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}
	done   sync.WaitGroup
}

// Start takes the work over. room returns an error where the disk has no room: then full chunks stay in the heap. report is told how
// each round ended; one that ended in a *Broken is the last.
func Start(db Database, room func() error, report func(error)) *Loop {
	db.DisableCompactions()
	l := &Loop{wake: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.done.Go(func() {
		wake := l.wake
		for {
			select {
			case <-l.ctx.Done():
				return
			case <-wake:
			case <-clock.After(roundEvery):
			}
			select {
			case <-l.wake: // for this round
			default:
			}
			err := l.round(db, room)
			if l.ctx.Err() != nil {
				return
			}
			report(err)
			if wake = l.wake; err != nil {
				wake = nil // not before the time
			}
			var broken *Broken
			if errors.As(err, &broken) {
				return
			}
		}
	})
	return l
}

func (l *Loop) round(db Database, room func() error) error {
	return Guard(func() error {
		if room() == nil {
			db.ForceHeadMMap()
		}
		return db.Compact(l.ctx)
	})
}

// Wake has the work done soon, where the last round did not fail: there is something to compact.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Compactable reports whether a head with samples from one time to another, in milliseconds, has enough for a block.
func Compactable(oldest, newest int64) bool {
	return newest-oldest > promtsdb.DefaultBlockDuration/2*3
}

// Stop ends the work, also where it is under way, and waits until it has ended. The database may be closed then.
func (l *Loop) Stop() {
	l.cancel()
	l.done.Wait()
}
