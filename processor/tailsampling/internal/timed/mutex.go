// Package timed has the mutex of a shard: one for which a request waits no longer than it may.
//
// Its type is Mutex.
package timed

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Mutex is a mutual exclusion lock whose waiters can give up. Whoever comes while it is free has it at once, be there waiters or
// not, as with sync.Mutex. The zero Mutex is not ready: use New.
//
//	state      means
//	unlocked   nobody has it
//	locked     somebody has it, and nobody waits
//	contended  somebody has it, and others may wait: Unlock wakes one of them
type Mutex struct {
	state atomic.Int32
	wake  chan struct{} // holds a token where a waiter is to look again
}

const (
	unlocked int32 = iota
	locked
	contended
)

// New returns an unlocked mutex.
func New() Mutex { return Mutex{wake: make(chan struct{}, 1)} }

// Lock waits until the mutex is the caller's.
func (m *Mutex) Lock() {
	if !m.TryLock() {
		m.wait(nil)
	}
}

// TryLock reports whether the mutex was free, and is the caller's now.
func (m *Mutex) TryLock() bool { return m.state.CompareAndSwap(unlocked, locked) }

// LockWithin waits no longer than d until the mutex is the caller's, and reports whether it is.
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

// wait waits until the mutex is the caller's, and reports false where timeout came first. It marks the mutex as contended whenever
// it looks, so that whoever has it wakes a waiter.
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

// Unlock gives the mutex to whoever comes next, and wakes a waiter if there may be one.
func (m *Mutex) Unlock() {
	switch m.state.Swap(unlocked) {
	case contended:
		select {
		case m.wake <- struct{}{}:
		default: // one is about to look
		}
	case unlocked:
		panic("timed: unlock of an unlocked mutex")
	}
}
