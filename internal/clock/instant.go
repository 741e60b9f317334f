package clock

import "time"

// Monotonic is an instant by the monotonic clock: nanoseconds since an Epoch began. Nobody sets this clock, so
// differences are durations. It stands still while the machine sleeps.
type Monotonic int64

// Add returns the instant d later.
func (m Monotonic) Add(d time.Duration) Monotonic { return m + Monotonic(d) }

// Sub returns how long after earlier m is.
func (m Monotonic) Sub(earlier Monotonic) time.Duration { return time.Duration(m - earlier) }

// UnixMilli is an instant by the wall clock: milliseconds since 1970.
type UnixMilli int64

// UnixMilliOf returns t's instant, rounded down.
func UnixMilliOf(t time.Time) UnixMilli { return UnixMilli(t.UnixMilli()) }

// Add returns the instant d later, rounded down to a millisecond for a positive d.
func (u UnixMilli) Add(d time.Duration) UnixMilli { return u + UnixMilli(d.Milliseconds()) }

// Sub returns how long after earlier u is. The wall clock may have been set between the two.
func (u UnixMilli) Sub(earlier UnixMilli) time.Duration {
	return time.Duration(u-earlier) * time.Millisecond
}

// Unix returns the instant in whole seconds since 1970.
func (u UnixMilli) Unix() int64 { return int64(u) / 1000 }

// Time returns the instant in UTC.
func (u UnixMilli) Time() time.Time { return time.UnixMilli(int64(u)).UTC() }

// Epoch is the zero of a Monotonic clock, and what the wall clock showed then. It is immutable.
type Epoch struct {
	began time.Time
	unix  UnixMilli
	moved time.Duration // of the process' guard when it began
}

// NewEpoch returns an Epoch that begins now, at the time that the process believes.
func NewEpoch() Epoch {
	e := Epoch{began: Now(), unix: UnixMilliOf(Wall())}
	e.moved = guard.moved()
	return e
}

// EpochAt returns an Epoch that began at u, for time that is replayed. Its Elapsed has no meaning.
func EpochAt(u UnixMilli) Epoch { return Epoch{unix: u} }

// Elapsed returns the present instant by the monotonic clock.
func (e Epoch) Elapsed() Monotonic { return Monotonic(Since(e.began)) }

// Clock returns Elapsed, and nil where that has no meaning.
func (e Epoch) Clock() func() Monotonic {
	if e.began.IsZero() {
		return nil
	}
	return e.Elapsed
}

// UnixMilli returns the wall time of m, by a clock that nobody set since the Epoch began.
func (e Epoch) UnixMilli(m Monotonic) UnixMilli { return e.unix + UnixMilli(m/1e6) }

// Believed returns when an instant that UnixMilli gave was by the clock that the process believes now. That is for people: what is
// compared and stored stays on the clock of the Epoch, which never jumps.
func (e Epoch) Believed(u UnixMilli) time.Time {
	if e.began.IsZero() {
		return u.Time()
	}
	return u.Add(guard.moved() - e.moved).Time()
}

// Monotonic returns the instant at which that clock showed u; before the Epoch began it is negative.
func (e Epoch) Monotonic(u UnixMilli) Monotonic { return Monotonic(u-e.unix) * 1e6 }
