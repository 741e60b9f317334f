//go:build testclock

package clock

import (
	"math"
	"time"
)

// Now returns the local time, with both readings.
func Now() time.Time { return process.now() }

// Since returns the time elapsed since t, by the monotonic clock if t has its reading.
func Since(t time.Time) time.Duration { return process.now().Sub(t) }

// Until returns the time until t, by the monotonic clock if t has its reading.
func Until(t time.Time) time.Duration { return t.Sub(process.now()) }

// After returns a channel that receives the time after d.
func After(d time.Duration) <-chan time.Time { return NewTimer(d).C }

// AfterFunc calls f in its own goroutine after d.
func AfterFunc(d time.Duration, f func()) *Timer { return process.afterFunc(d, f) }

// NewTimer returns a Timer that sends the time on C after d.
func NewTimer(d time.Duration) *Timer { return process.newTimer(d) }

// NewTicker returns a Ticker that sends the time on C every d. It panics for d <= 0.
func NewTicker(d time.Duration) *Ticker { return process.newTicker(d) }

// Timer is time.Timer on this clock.
type Timer struct {
	C <-chan time.Time
	a *alarm
}

// Stop prevents the Timer from firing, and reports whether it was waiting.
func (t *Timer) Stop() bool { return t.a.stop() }

// Reset makes the Timer fire after d, and reports whether it was waiting.
func (t *Timer) Reset(d time.Duration) bool { return t.a.reset(d, 0) }

// Ticker is time.Ticker on this clock.
type Ticker struct {
	C <-chan time.Time
	a *alarm
}

// Stop ends the ticks. It does not close C.
func (t *Ticker) Stop() { t.a.stop() }

// Reset makes the Ticker tick every d from now on. It panics for d <= 0.
func (t *Ticker) Reset(d time.Duration) {
	if d <= 0 {
		panic("non-positive interval for Ticker.Reset")
	}
	t.a.reset(d, d)
}

func (c *source) newTimer(d time.Duration) *Timer {
	a := c.newAlarm(make(chan time.Time, 1), nil)
	a.reset(d, 0)
	return &Timer{C: a.sent, a: a}
}

func (c *source) afterFunc(d time.Duration, f func()) *Timer {
	a := c.newAlarm(nil, f)
	a.reset(d, 0)
	return &Timer{a: a}
}

func (c *source) newTicker(d time.Duration) *Ticker {
	if d <= 0 {
		panic("non-positive interval for NewTicker")
	}
	a := c.newAlarm(make(chan time.Time, 1), nil)
	a.reset(d, d)
	return &Ticker{C: a.sent, a: a}
}

// alarm is the common part of Timer and Ticker. The source's mutex guards it.
type alarm struct {
	source *source
	sent   chan time.Time // holds one time; nil if call is set
	call   func()

	timer  *time.Timer // the machine's
	due    time.Duration
	period time.Duration // of a Ticker; 0 for a Timer
}

// newAlarm returns an alarm that is not waiting.
func (c *source) newAlarm(sent chan time.Time, call func()) *alarm {
	a := &alarm{source: c, sent: sent, call: call}
	a.timer = time.AfterFunc(time.Hour, a.ring)
	a.timer.Stop()
	return a
}

// arm starts the machine's timer for the time left until due. The mutex must be held.
func (a *alarm) arm() { a.timer.Reset(a.source.real(a.due - a.source.elapsed())) }

// ring fires if the alarm is due: it may have been stopped or reset since the machine's timer fired.
func (a *alarm) ring() {
	c := a.source
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, waiting := c.alarms[a]; !waiting {
		return
	}
	now := c.elapsed()
	switch {
	case now < a.due:
		a.arm()
		return
	case a.period > 0:
		a.due += (now - a.due + a.period) / a.period * a.period // the next after now: ticks that were not received are dropped
		a.arm()
	default:
		delete(c.alarms, a)
	}
	if a.call != nil {
		go a.call()
		return
	}
	select {
	case a.sent <- c.read():
	default:
	}
}

// stop stops the alarm, and reports whether it was waiting. A time that was sent before cannot be received
// afterwards.
func (a *alarm) stop() bool {
	a.source.mu.Lock()
	defer a.source.mu.Unlock()
	return a.disarm()
}

func (a *alarm) reset(d, period time.Duration) bool {
	c := a.source
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := a.disarm()
	now := c.elapsed()
	a.due, a.period = now+min(d, math.MaxInt64-now), period // like package time, limited to the largest instant
	c.alarms[a] = struct{}{}
	a.arm()
	return waiting
}

// disarm stops the alarm, and reports whether it was waiting. The mutex must be held.
func (a *alarm) disarm() bool {
	_, waiting := a.source.alarms[a]
	delete(a.source.alarms, a)
	a.timer.Stop()
	select {
	case <-a.sent:
		waiting = true // like package time since Go 1.23: a time that was not received does not count as fired
	default:
	}
	return waiting
}
