package engine

import (
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

const (
	// jumpAllowed is how far the wall clock may run ahead of, or behind, the monotonic one between two looks: more than
	// any slewing, less than what would spoil a ledger.
	jumpAllowed = 2 * time.Minute
	// doubtTime is how long a clock that jumped must stay where it is before it is believed, and how long a process runs
	// before it does by its clock what cannot be undone.
	doubtTime = 5 * time.Minute
)

// wallClock is the wall clock, with doubts: a clock that jumps, be it for a moment, must not make a ledger forget. Use is by
// the evaluating goroutine only.
type wallClock struct {
	// read gives the wall time, and the time since some instant by the monotonic clock, which nobody sets. The latter
	// stands still while the machine sleeps, which looks like a jump, and costs doubtTime.
	read func() (wall time.Time, elapsed time.Duration)
	// origin is the wall time at which the monotonic clock began, as far as it is believed; zero before the first look.
	origin time.Time
	// since is when origin was believed first, by the monotonic clock.
	since time.Duration
	// doubted is the origin of a clock that jumped, and doubtedSince when it did; zero where there is no doubt.
	doubted      time.Time
	doubtedSince time.Duration
}

// newClock is the machine's clock.
func newClock() wallClock {
	start := clock.Now()
	return wallClock{read: func() (time.Time, time.Duration) {
		now := clock.Now()
		return now.UTC(), now.Sub(start)
	}}
}

// look judges a reading. The doubt is what is wrong with it, for people, and empty if it is believed. Settled says that
// it was for so long that what is done by it need not be undone.
func (c *wallClock) look(wall time.Time, elapsed time.Duration) (doubt string, settled bool) {
	origin := wall.Round(0).Add(-elapsed)
	if c.origin.IsZero() {
		c.origin, c.since = origin, elapsed
	}
	jump := origin.Sub(c.origin)
	if jump.Abs() <= jumpAllowed {
		c.origin, c.doubted = origin, time.Time{} // follow a clock that is slewed
		return "", elapsed-c.since >= doubtTime
	}
	if c.doubted.IsZero() || origin.Sub(c.doubted).Abs() > jumpAllowed {
		c.doubted, c.doubtedSince = origin, elapsed
	}
	if elapsed-c.doubtedSince >= doubtTime {
		c.origin, c.since, c.doubted = origin, elapsed, time.Time{}
		return "", false
	}
	direction := "ahead"
	if jump < 0 {
		direction = "back"
	}
	return fmt.Sprintf("the clock jumped %s by %s: it is believed when it has stayed there for %s",
		direction, jump.Abs().Round(time.Second), doubtTime), false
}
