// Package timed has the mutex of a shard. A request waits for it no longer than a limit.
//
// Its type is Mutex.
package timed

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Mutex is a mutual exclusion lock whose waiters can give up. A caller that finds it free gets it at once, even if others wait, as
// with sync.Mutex. The zero Mutex is not ready: use New.
//
//	state      means
//	unlocked   free
//	locked     held, without waiters
//	contended  held, and others may wait: Unlock wakes one of them
type Mutex struct {
	state atomic.Int32
	wake  chan struct{} // holds a token when a waiter must look again
}

const (
	unlocked int32 = iota
	locked
	contended
)

// New returns an unlocked mutex.
func New() Mutex { return Mutex{wake: make(chan struct{}, 1)} }

// Lock locks the mutex.
func (m *Mutex) Lock() {
	if !m.TryLock() {
		m.wait(nil)
	}
}

// TryLock locks the mutex if it is free, and reports whether it did.
func (m *Mutex) TryLock() bool { return m.state.CompareAndSwap(unlocked, locked) }

// LockWithin locks the mutex, waiting d at most. It reports whether it did.
func (m *Mutex) LockWithin(d time.Duration) bool {
	if m.TryLock() {
		return true
	}
	if d <= 0 {
		return false
	}
	timer := clock.NewTimer(d)
	defer timer.Stop()
	return m.wait(timer.C)
}

// wait locks the mutex when it becomes free, and reports whether it could before timeout. At each look it marks the mutex as
// contended, so that Unlock wakes a waiter.
func (m *Mutex) wait(timeout <-chan time.Time) bool {
	for m.state.Swap(contended) != unlocked {
		select {
		case <-m.wake:
		case <-timeout:
			return false
		}
	}
	return true
}

// Unlock unlocks the mutex, and wakes a waiter if there may be one.
func (m *Mutex) Unlock() {
	switch m.state.Swap(unlocked) {
	case contended:
		select {
		case m.wake <- struct{}{}:
		default: // a token is there already
		}
	case unlocked:
		panic("timed: unlock of an unlocked mutex")
	}
}
