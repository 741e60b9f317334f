//go:build !testclock

package clock

import "time"

// Timer is time.Timer.
type Timer = time.Timer

// Ticker is time.Ticker.
type Ticker = time.Ticker

// Now returns the local time, with both readings.
func Now() time.Time { return time.Now() }

// Since returns the time elapsed since t, by the monotonic clock if t has its reading.
func Since(t time.Time) time.Duration { return time.Since(t) }

// Until returns the time until t, by the monotonic clock if t has its reading.
func Until(t time.Time) time.Duration { return time.Until(t) }

// After returns a channel that receives the time after d.
func After(d time.Duration) <-chan time.Time { return time.After(d) }

// AfterFunc calls f in its own goroutine after d.
func AfterFunc(d time.Duration, f func()) *Timer { return time.AfterFunc(d, f) }

// NewTimer returns a Timer that sends the time on C after d.
func NewTimer(d time.Duration) *Timer { return time.NewTimer(d) }

// NewTicker returns a Ticker that sends the time on C every d. It panics for d <= 0.
func NewTicker(d time.Duration) *Ticker { return time.NewTicker(d) }
