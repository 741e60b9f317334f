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

// open returns the clock of the file that the environment names, and ends the process where that is malformed.
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

// source is a clock that runs at a rate of the machine's.
type source struct {
	start time.Time // the machine's time when the source was made
	base  time.Time // what this clock showed then, without the offset

	mu       sync.Mutex
	settings settings
	// at scaledAt of this clock the machine's monotonic clock had run realAt since start; settings hold since then.
	realAt, scaledAt time.Duration
	alarms           map[*alarm]struct{} // that are waiting
}

func newSource(set settings) *source {
	now := time.Now()
	return &source{start: now, base: now, settings: set, alarms: map[*alarm]struct{}{}}
}

// watch applies the file's changes for as long as the process lives.
func (c *source) watch(path string, content []byte) {
	for {
		time.Sleep(pollInterval)
		content = c.reload(path, content)
	}
}

// reload applies the file where its content is not the one given, and returns its content.
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

// apply changes the settings, and what is left of each waiting alarm's time.
func (c *source) apply(set settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scaledAt, c.realAt = c.elapsed(), time.Since(c.start)
	c.settings = set
	for a := range c.alarms {
		a.arm()
	}
}

// elapsed returns how long this clock has run. The mutex must be held.
func (c *source) elapsed() time.Duration {
	passed := time.Since(c.start) - c.realAt
	return c.scaledAt + time.Duration(float64(passed)*c.settings.rate)
}

// real returns how long the machine takes for d of this clock, rounded up. The mutex must be held.
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

// shiftWall returns t with another wall reading and the same monotonic one, as if somebody had set the machine's clock.
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

// checkShift panics where package time has another layout than shiftWall knows.
func checkShift() {
	t := time.Now()
	shifted := shiftWall(t, time.Hour)
	if shifted.Sub(t) != 0 || shifted.Round(0).Sub(t.Round(0)) != time.Hour {
		panic("clock: package time's Time is laid out otherwise in this version of Go: correct shiftWall")
	}
}
