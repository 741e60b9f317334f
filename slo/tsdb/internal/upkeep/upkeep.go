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

// roundEvery is how often a round is done, as in Prometheus.
const roundEvery = time.Minute

// farAway is further away than the process lives.
const farAway = 100 * 365 * 24 * time.Hour

// Options disables the background work of a database that is opened with them. Compaction still deletes expired blocks.
func Options(o *promtsdb.Options) { o.BlockReloadInterval = farAway }

// Broken is a panic in the database, which may have left locks held and files incomplete: it must be opened anew.
type Broken struct {
	cause error
	stack []byte
}

// Error implements error, in words for people.
func (b *Broken) Error() string {
	if Faulted(b.cause) {
		return "a mapped file was cut off, or cannot be read"
	}
	return b.cause.Error()
}

// Unwrap returns the panic's value as an error.
func (b *Broken) Unwrap() error { return b.cause }

// Stack is where the panic came from.
func (b *Broken) Stack() string { return string(b.stack) }

// Fault returns a *Broken if the error is a fault in mapped memory that other code recovered, else nil.
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

// Guard runs work on a database, and returns a panic or a fault in a mapped file as a *Broken.
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

// Loop does rounds of upkeep in the background.
type Loop struct {
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}
	done   sync.WaitGroup
}

// Start takes over the upkeep of a database. While room returns an error, full chunks stay on the heap. report gets the result
// of each round; a round that ends in a *Broken is the last.
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

// Wake starts a round soon, unless the last one failed.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Compactable reports whether a head whose samples span from oldest to newest, in Unix ms, has enough for a block.
func Compactable(oldest, newest int64) bool {
	return newest-oldest > promtsdb.DefaultBlockDuration/2*3
}

// Stop cancels the running round, and waits until the loop has ended. The database may be closed then.
func (l *Loop) Stop() {
	l.cancel()
	l.done.Wait()
}
