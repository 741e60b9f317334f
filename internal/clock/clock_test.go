//go:build !testclock

package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/clock"
)

// Without simulation the clock is package time's, synctest's fake time included.
func TestClockIsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		assert.Equal(t, start, clock.Now())
		timer, ticker, after := clock.NewTimer(time.Minute), clock.NewTicker(time.Hour), clock.After(2*time.Minute)
		defer ticker.Stop()
		called := make(chan struct{})
		clock.AfterFunc(3*time.Minute, func() { close(called) })
		<-timer.C
		assert.Equal(t, time.Minute, clock.Since(start))
		<-after
		assert.Equal(t, 2*time.Minute, clock.Since(start))
		<-called
		assert.Equal(t, 3*time.Minute, clock.Since(start))
		assert.Equal(t, time.Hour, (<-ticker.C).Sub(start))
		assert.Equal(t, time.Minute, clock.Until(start.Add(61*time.Minute)))
	})
}

func TestEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := clock.NewEpoch()
		began := time.Now().UnixMilli()
		assert.Equal(t, clock.Monotonic(0), e.Elapsed())
		time.Sleep(1500*time.Millisecond + 7*time.Microsecond)
		assert.Equal(t, clock.Monotonic(1_500_007_000), e.Elapsed())
		assert.Equal(t, clock.UnixMilli(began+1500), e.UnixMilli(e.Elapsed()))
		assert.Equal(t, clock.Monotonic(1_500_000_000), e.Monotonic(clock.UnixMilli(began+1500)))
		assert.Equal(t, clock.Monotonic(-2_000_000_000), e.Monotonic(clock.UnixMilli(began-2000)))
	})
}

// Both take the same time: calls of this package are inlined.
func BenchmarkNow(b *testing.B) {
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			time.Now()
		}
	})
	b.Run("clock", func(b *testing.B) {
		for b.Loop() {
			clock.Now()
		}
	})
}
