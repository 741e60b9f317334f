//go:build testclock

package clock

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bubble runs a test in fake machine time, which is exact and takes no real time. A bubble's times have no monotonic reading, so
// the clock gets a base from outside, which has one.
func bubble(t *testing.T, set settings, f func(t *testing.T, c *source)) {
	base := time.Now()
	synctest.Test(t, func(t *testing.T) {
		c := newSource(set)
		c.base = base
		f(t, c)
	})
}

// takes asserts how long f takes on the machine's clock.
func takes(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	assert.Equal(t, want, time.Since(start))
}

func TestRate(t *testing.T) {
	bubble(t, settings{rate: 60}, func(t *testing.T, c *source) {
		start, wall := c.now(), c.now().Round(0)
		assert.True(t, start.Equal(c.base), "it begins with the machine's time")
		time.Sleep(time.Second)
		assert.Equal(t, time.Minute, c.now().Sub(start), "the monotonic reading")
		assert.Equal(t, time.Minute, c.now().Round(0).Sub(wall), "the wall reading")
		takes(t, time.Second, func() { <-c.newTimer(time.Minute).C })
		takes(t, 500*time.Millisecond, func() {
			called := make(chan struct{})
			c.afterFunc(30*time.Second, func() { close(called) })
			<-called
		})
		ticker := c.newTicker(10 * time.Minute)
		first := c.now()
		takes(t, 30*time.Second, func() {
			for n := range 3 {
				assert.Equal(t, time.Duration(n+1)*10*time.Minute, (<-ticker.C).Sub(first))
			}
		})
		ticker.Reset(time.Minute)
		takes(t, time.Second, func() { <-ticker.C })
		ticker.Stop()
		assert.Empty(t, c.alarms)
	})
}

// Processes that start one after another show one time, if their clocks run since the same instant.
func TestSince(t *testing.T) {
	bubble(t, settings{rate: 60}, func(t *testing.T, c *source) {
		time.Sleep(time.Minute)
		for _, offset := range []time.Duration{0, -time.Hour} {
			later := newSource(settings{rate: 60, since: c.start, offset: offset})
			later.base = c.base.Add(later.base.Sub(c.start)) // see bubble
			assert.Equal(t, c.now().Add(offset).UnixNano(), later.now().UnixNano())
			time.Sleep(time.Second)
			assert.Equal(t, c.now().Add(offset).UnixNano(), later.now().UnixNano(), "since is not read again")
			later.apply(settings{rate: 60, offset: offset})
			assert.Equal(t, c.now().Add(offset).UnixNano(), later.now().UnixNano())
		}
	})
}

func TestRateChanges(t *testing.T) {
	bubble(t, settings{rate: 1}, func(t *testing.T, c *source) {
		start := c.now()
		timer := c.newTimer(2 * time.Minute)
		time.Sleep(time.Minute)
		c.apply(settings{rate: 60})
		assert.Equal(t, time.Minute, c.now().Sub(start), "a change of rate is no jump")
		takes(t, time.Second, func() { assert.Equal(t, 2*time.Minute, (<-timer.C).Sub(start)) })
		timer.Reset(time.Minute)
		c.apply(settings{rate: 0.5})
		takes(t, 2*time.Minute, func() { <-timer.C })
		assert.Equal(t, 3*time.Minute, c.now().Sub(start))
	})
}

func TestOffset(t *testing.T) {
	for name, offset := range map[string]time.Duration{"ahead": 25 * time.Hour, "back": -25 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, settings{rate: 1}, func(t *testing.T, c *source) {
				start, wall := c.now(), c.now().Round(0)
				timer := c.newTimer(time.Minute)
				c.apply(settings{rate: 1, offset: offset})
				time.Sleep(time.Second)
				assert.Equal(t, time.Second, c.now().Sub(start), "the monotonic reading does not jump")
				assert.Equal(t, time.Second+offset, c.now().Round(0).Sub(wall), "the wall reading does")
				assert.Equal(t, wall.Add(time.Second+offset).UnixMilli(), c.now().UnixMilli())
				assert.Equal(t, c.now().UTC().Hour(), wall.Add(time.Second+offset).UTC().Hour())
				takes(t, 59*time.Second, func() { <-timer.C })
				c.apply(settings{rate: 1})
				assert.Equal(t, time.Minute, c.now().Round(0).Sub(wall), "it jumps back")
			})
		})
	}
}

func TestStopAndReset(t *testing.T) {
	bubble(t, settings{rate: 60}, func(t *testing.T, c *source) {
		timer := c.newTimer(time.Minute)
		assert.True(t, timer.Stop())
		assert.False(t, timer.Stop())
		time.Sleep(time.Hour)
		assert.Empty(t, timer.C)

		assert.False(t, timer.Reset(time.Minute))
		assert.True(t, timer.Reset(time.Minute))
		takes(t, time.Second, func() { <-timer.C })
		assert.False(t, timer.Stop(), "it fired, and its time was received")

		timer.Reset(time.Minute)
		time.Sleep(time.Hour)
		assert.True(t, timer.Stop(), "nobody received its time")
		assert.Empty(t, timer.C, "a stale time is not to be had")

		for _, d := range []time.Duration{0, -time.Second} {
			takes(t, 0, func() { <-c.newTimer(d).C })
		}
		c.newTimer(1<<63 - 1)
		time.Sleep(time.Hour)
		assert.Len(t, c.alarms, 1, "an eternity later it still waits")
	})
}

// Ticks that are not received are dropped, and the next comes at its own instant.
func TestTickerDrops(t *testing.T) {
	bubble(t, settings{rate: 60}, func(t *testing.T, c *source) {
		start := c.now()
		ticker := c.newTicker(time.Minute)
		defer ticker.Stop()
		time.Sleep(5*time.Second + time.Millisecond)
		assert.Equal(t, time.Minute, (<-ticker.C).Sub(start))
		assert.Equal(t, 6*time.Minute, (<-ticker.C).Sub(start))
	})
	assert.Panics(t, func() { NewTicker(0) })
	assert.Panics(t, func() { NewTicker(time.Hour).Reset(0) })
}

func TestParse(t *testing.T) {
	for content, want := range map[string]settings{
		`{}`: {rate: 1}, `{"rate": 60}`: {rate: 60}, `{"offset": "-1h30m"}`: {rate: 1, offset: -90 * time.Minute},
		`{"offset": "25h", "rate": 0.5}`:      {rate: 0.5, offset: 25 * time.Hour},
		`{"since": "2026-01-02T15:04:05.5Z"}`: {rate: 1, since: time.Date(2026, 1, 2, 15, 4, 5, 5e8, time.UTC)},
	} {
		got, err := parse([]byte(content))
		require.NoError(t, err, content)
		assert.Equal(t, want, got, content)
	}
	for content, want := range map[string]string{
		``:                    "not a JSON object",
		`[]`:                  "not a JSON object",
		`{"rate": "fast"}`:    `rate: "fast" is not a positive number; write 60`,
		`{"rate": 0}`:         "rate: 0 is not a positive number",
		`{"rate": -1}`:        "rate: -1 is not a positive number",
		`{"offset": 3}`:       `offset: 3 is not a duration; write "25h"`,
		`{"offset": "later"}`: `offset: "later" is not a duration`,
		`{"since": "noon"}`:   `since: "noon" is not a time; write "2026-01-02T15:04:05Z"`,
		`{"pace": 60}`:        "pace: not one of offset, rate, since",
	} {
		_, err := parse([]byte(content))
		assert.ErrorContains(t, err, want, content)
	}
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clock.json")
	write := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	c := newSource(settings{rate: 1})
	write(`{"rate": 60}`)
	content := c.reload(path, nil)
	assert.Equal(t, settings{rate: 60}, c.settings)
	write(`{"rate": `)
	content = c.reload(path, content)
	assert.Equal(t, settings{rate: 60}, c.settings, "the last good settings stay")
	write(`{"rate": 2, "offset": "1h"}`)
	c.reload(path, content)
	assert.Equal(t, settings{rate: 2, offset: time.Hour}, c.settings)
	require.NoError(t, os.Remove(path))
	c.reload(path, content)
	assert.Equal(t, settings{rate: 2, offset: time.Hour}, c.settings)
}

// TestProcess runs alone, in processes of its own.
func TestProcess(t *testing.T) {
	if os.Getenv(variable) != "" {
		start := Now()
		assert.InDelta(t, 25*time.Hour.Seconds(), start.Round(0).Sub(time.Now().Round(0)).Seconds(), 60)
		machine := time.Now()
		<-After(60 * time.Second)
		assert.GreaterOrEqual(t, Since(start), time.Minute)
		assert.Less(t, time.Since(machine), 30*time.Second)
		assert.Negative(t, Until(start))
		return
	}
	for content, want := range map[string]string{
		`{"rate": 600, "offset": "25h"}`: "PASS",
		`{"rate": "fast"}`:               `clock.json: rate: "fast" is not a positive number; write 60`,
		``:                               "clock.json: not a JSON object",
		"none":                           "no such file or directory",
	} {
		path := filepath.Join(t.TempDir(), "clock.json")
		if content != "none" {
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcess$", "-test.v")
		cmd.Env = append(os.Environ(), variable+"="+path)
		out, err := cmd.CombinedOutput()
		assert.Equal(t, want == "PASS", err == nil, "%s", out)
		assert.Contains(t, string(out), want)
	}
}

// TestDeadline checks that the deadlines of sockets go by the machine's clock.
func TestDeadline(t *testing.T) {
	require.WithinDuration(t, time.Now().Add(time.Minute), Deadline(time.Minute), time.Second)
}
