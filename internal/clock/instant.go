package clock

import "time"

// Monotonic is an instant by the monotonic clock: nanoseconds since an Epoch began. This clock cannot be set,
// so differences are durations. It stands still while the machine sleeps.
type Monotonic int64

// Add returns the instant d later.
func (m Monotonic) Add(d time.Duration) Monotonic { return m + Monotonic(d) }

// Sub returns the time from earlier to m.
func (m Monotonic) Sub(earlier Monotonic) time.Duration { return time.Duration(m - earlier) }

// UnixMilli is an instant by the wall clock: milliseconds since 1970.
type UnixMilli int64

// UnixMilliOf returns t's instant, rounded down.
func UnixMilliOf(t time.Time) UnixMilli { return UnixMilli(t.UnixMilli()) }

// Add returns the instant d later, rounded down to a millisecond for a positive d.
func (u UnixMilli) Add(d time.Duration) UnixMilli { return u + UnixMilli(d.Milliseconds()) }

// Sub returns the time from earlier to u. The wall clock may have been set in between.
func (u UnixMilli) Sub(earlier UnixMilli) time.Duration {
	return time.Duration(u-earlier) * time.Millisecond
}

// Unix returns the instant in whole seconds since 1970.
func (u UnixMilli) Unix() int64 { return int64(u) / 1000 }

// Time returns the instant in UTC.
func (u UnixMilli) Time() time.Time { return time.UnixMilli(int64(u)).UTC() }

// Epoch is the zero of a Monotonic clock, with the wall time at that instant. It is immutable.
type Epoch struct {
	began time.Time
	unix  UnixMilli
	moved time.Duration // the process guard's moved, when it began
}

// NewEpoch returns an Epoch that begins now, at the believed time.
func NewEpoch() Epoch {
	e := Epoch{began: Now(), unix: UnixMilliOf(Wall())}
	e.moved = guard.moved()
	return e
}

// EpochAt returns an Epoch that began at u, for replayed time. Its Elapsed is undefined.
func EpochAt(u UnixMilli) Epoch { return Epoch{unix: u} }

// Elapsed returns the present instant by the monotonic clock.
func (e Epoch) Elapsed() Monotonic { return Monotonic(Since(e.began)) }

// Clock returns Elapsed, nil if that is undefined.
func (e Epoch) Clock() func() Monotonic {
	if e.began.IsZero() {
		return nil
	}
	return e.Elapsed
}

// UnixMilli returns the wall time of m by a clock that was never set since the Epoch began.
func (e Epoch) UnixMilli(m Monotonic) UnixMilli { return e.unix + UnixMilli(m/1e6) }

// Believed converts a result of UnixMilli to the clock that the process believes now. It is for display: what is compared and
// stored stays on the clock of the Epoch, which never jumps.
func (e Epoch) Believed(u UnixMilli) time.Time {
	if e.began.IsZero() {
		return u.Time()
	}
	return u.Add(guard.moved() - e.moved).Time()
}

// Monotonic converts a wall time of that clock to an instant; before the Epoch began it is negative.
func (e Epoch) Monotonic(u UnixMilli) Monotonic { return Monotonic(u-e.unix) * 1e6 }
