//go:build testclock

package clock

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"sync"
	"time"
	"unsafe"
)

const (
	variable     = "SLOWBURN_TEST_CLOCK"
	pollInterval = 5 * time.Millisecond
)

// process is the clock of the package's functions.
var process = open()

// open returns the clock of the file that the environment names. It ends the process if the file is malformed.
func open() *source {
	checkShift()
	path := os.Getenv(variable)
	if path == "" {
		return newSource(settings{rate: 1})
	}
	set, content, err := readFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := newSource(set)
	go c.watch(path, content)
	return c
}

// source is a clock that runs at a multiple of the machine's rate.
type source struct {
	start time.Time // the machine's time when the source was made
	base  time.Time // this clock's time then, without the offset

	mu       sync.Mutex
	settings settings
	// realAt is the machine's monotonic time since start, and scaledAt this clock's, at the last change of
	// settings.
	realAt, scaledAt time.Duration
	alarms           map[*alarm]struct{} // waiting ones
}

func newSource(set settings) *source {
	now := time.Now()
	base := now
	if !set.since.IsZero() {
		base = now.Add(time.Duration(float64(now.Sub(set.since)) * (set.rate - 1)))
	}
	return &source{start: now, base: base, settings: set, alarms: map[*alarm]struct{}{}}
}

// watch applies the file's changes while the process lives.
func (c *source) watch(path string, content []byte) {
	for {
		time.Sleep(pollInterval)
		content = c.reload(path, content)
	}
}

// reload applies the file if its content differs from before, and returns its content.
func (c *source) reload(path string, before []byte) []byte {
	set, content, err := readFile(path)
	if bytes.Equal(content, before) {
		return before
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err, "(the last good settings stay)")
		return content
	}
	c.apply(set)
	return content
}

// apply changes the settings, and adjusts the remaining time of each waiting alarm.
func (c *source) apply(set settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scaledAt, c.realAt = c.elapsed(), time.Since(c.start)
	c.settings = set
	for a := range c.alarms {
		a.arm()
	}
}

// elapsed returns the time by this clock since it began. The mutex must be held.
func (c *source) elapsed() time.Duration {
	passed := time.Since(c.start) - c.realAt
	return c.scaledAt + time.Duration(float64(passed)*c.settings.rate)
}

// real returns the machine's time for d of this clock, rounded up. The mutex must be held.
func (c *source) real(d time.Duration) time.Duration {
	return time.Duration(min(math.Ceil(float64(d)/c.settings.rate), math.MaxInt64/2))
}

// read returns the time with both readings. The mutex must be held.
func (c *source) read() time.Time { return shiftWall(c.base.Add(c.elapsed()), c.settings.offset) }

func (c *source) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read()
}

// shiftWall returns t with another wall reading and the same monotonic one, as if the machine's clock had been set.
// Package time cannot make such a Time: Add moves both readings, so the monotonic one is moved back in place.
func shiftWall(t time.Time, offset time.Duration) time.Time {
	t = t.Add(offset)
	(*struct {
		wall      uint64
		monotonic int64
		location  *time.Location
	})(unsafe.Pointer(&t)).monotonic -= int64(offset)
	return t
}

// The size of the struct in shiftWall.
var _ [unsafe.Sizeof(time.Time{})]byte = [24]byte{}

// checkShift panics if package time's layout is not the one that shiftWall expects.
func checkShift() {
	t := time.Now()
	shifted := shiftWall(t, time.Hour)
	if shifted.Sub(t) != 0 || shifted.Round(0).Sub(t.Round(0)) != time.Hour {
		panic("clock: package time's Time is laid out otherwise in this version of Go: correct shiftWall")
	}
}
