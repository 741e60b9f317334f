package timed

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTryLock(t *testing.T) {
	m := New()
	require.True(t, m.TryLock())
	require.False(t, m.TryLock())
	require.False(t, m.LockWithin(0))
	require.False(t, m.LockWithin(-time.Second))
	m.Unlock()
	require.True(t, m.LockWithin(0), "free, it needs no time")
	m.Unlock()
	require.Panics(t, m.Unlock)
}

// A waiter gets the mutex as soon as it is free, and gives up at its timeout, to the nanosecond. One that gave up does not keep the
// next from being woken.
func TestWaiting(t *testing.T) {
	for _, tc := range []struct {
		held, within, waited time.Duration
		got                  bool
	}{
		{time.Second, 2 * time.Second, time.Second, true},
		{2 * time.Second, time.Second, time.Second, false},
		{time.Millisecond, time.Hour, time.Millisecond, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := New()
			for range 3 {
				m.Lock()
				go func() {
					time.Sleep(tc.held)
					m.Unlock()
				}()
				began := time.Now()
				got := m.LockWithin(tc.within)
				assert.Equal(t, tc.got, got)
				assert.Equal(t, tc.waited, time.Since(began))
				if !got {
					m.Lock()
					assert.Equal(t, tc.held, time.Since(began))
				}
				m.Unlock()
			}
		})
	}
}

// Every waiter gets the mutex in turn, even if others give up between them.
func TestManyWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New()
		m.Lock()
		var waiting sync.WaitGroup
		had, gaveUp := 0, 0
		for i := range 20 {
			waiting.Go(func() {
				if i%2 == 0 {
					m.Lock()
				} else if !m.LockWithin(time.Second) {
					m.Lock()
					gaveUp++
					m.Unlock()
					return
				}
				had++
				time.Sleep(time.Millisecond)
				m.Unlock()
			})
		}
		time.Sleep(2 * time.Second)
		m.Unlock()
		waiting.Wait()
		assert.Equal(t, 10, had)
		assert.Equal(t, 10, gaveUp)
	})
}

// It excludes, however it is locked.
func TestExclusion(t *testing.T) {
	m := New()
	const goroutines, rounds = 8, 5000
	n := 0
	var running sync.WaitGroup
	for i := range goroutines {
		running.Go(func() {
			for range rounds {
				switch i % 3 {
				case 0:
					m.Lock()
				case 1:
					for !m.LockWithin(time.Microsecond) {
					}
				default:
					for !m.TryLock() {
						if m.LockWithin(time.Minute) {
							break
						}
					}
				}
				n++
				m.Unlock()
			}
		})
	}
	running.Wait()
	assert.Equal(t, goroutines*rounds, n)
}

func BenchmarkMutex(b *testing.B) {
	b.Run("timed", func(b *testing.B) {
		m := New()
		for b.Loop() {
			m.LockWithin(time.Second)
			m.Unlock()
		}
	})
	b.Run("sync", func(b *testing.B) {
		var m sync.Mutex
		for b.Loop() {
			m.Lock()
			m.Unlock() //nolint:staticcheck // what it costs is the question
		}
	})
	b.Run("timed, contended", func(b *testing.B) {
		m := New()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				m.LockWithin(time.Second)
				m.Unlock()
			}
		})
	})
	b.Run("sync, contended", func(b *testing.B) {
		var m sync.Mutex
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				m.Lock()
				m.Unlock() //nolint:staticcheck // what it costs is the question
			}
		})
	})
}
