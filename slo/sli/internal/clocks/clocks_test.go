package clocks

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

const seed = 7

// minutes notes the events of one minute after the other for a process, each as spans and how many of them are 3 h old, and judges.
func minutes(c *Clocks, from int64, instance string, all ...[2]uint32) (next int64) {
	for i, m := range all {
		c.Of("checkout", seed, []byte(instance)).Note(&Ages{Spans: m[0], Old: m[1], Behind: uint64(m[1]) * uint64(3*time.Hour)})
		c.Judge((from + int64(i) + 1) * millisPerMinute)
	}
	return from + int64(len(all))
}

func many(n int, spans, old uint32) (list [][2]uint32) {
	for range n {
		list = append(list, [2]uint32{spans, old})
	}
	return list
}

// TestOff checks when a clock is off: after five minutes in a row in which the median is old, and until after five in which it is not.
func TestOff(t *testing.T) {
	old, new, half, nothing := [2]uint32{10, 6}, [2]uint32{10, 0}, [2]uint32{10, 5}, [2]uint32{}
	for name, c := range map[string]struct {
		minutes [][2]uint32
		off     bool
	}{
		"nothing":                             {nil, false},
		"four minutes":                        {many(4, 10, 6), false},
		"five minutes":                        {many(5, 10, 6), true},
		"half are old":                        {many(9, 10, 5), false},
		"one event a minute":                  {many(5, 1, 1), true},
		"a minute in between":                 {append(append(many(4, 10, 6), half), many(4, 10, 6)...), false},
		"minutes without events do not count": {[][2]uint32{old, nothing, old, old, nothing, nothing, old, old}, true},
		"four good minutes":                   {append(many(5, 10, 10), many(4, 10, 0)...), true},
		"five good minutes":                   {append(many(5, 10, 10), many(5, 10, 0)...), false},
		"good ones with an old one between":   {append(many(5, 10, 10), new, new, new, new, old, new, new, new, new), true},
		"and off again":                       {append(append(many(5, 10, 10), many(5, 10, 0)...), many(5, 10, 10)...), true},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := New()
			c2.Judge(100 * millisPerMinute)
			minutes(c2, 100, "i", c.minutes...)
			assert.Equal(t, c.off, c2.Of("checkout", seed, []byte("i")).Off())
			if c.off {
				require.Len(t, c2.Off(), 1)
				assert.Equal(t, "checkout", c2.Off()[0].Service)
				assert.Equal(t, 3*time.Hour, c2.Off()[0].Behind)
			} else {
				assert.Empty(t, c2.Off())
			}
		})
	}
}

// TestTheFirstMinuteIsWhole checks that a process that begins within a minute is not judged by the rest of that minute alone.
func TestTheFirstMinuteIsWhole(t *testing.T) {
	c := New()
	p := c.Of("checkout", seed, nil)
	p.Note(&Ages{Spans: 1, Old: 1, Behind: uint64(time.Hour)})
	assert.Empty(t, c.Judge(100*millisPerMinute+10_000))
	for range 6 { // within a minute
		assert.Empty(t, c.Judge(100*millisPerMinute+20_000))
	}
	assert.Empty(t, c.Judge(101*millisPerMinute))
	assert.False(t, p.Off())
}

// TestProcessesAreTold checks that an instance says nothing about another, and each change is told once.
func TestProcessesAreTold(t *testing.T) {
	c := New()
	c.Judge(100 * millisPerMinute)
	var changed []Verdict
	for m := int64(101); m < 120; m++ {
		old := uint32(0)
		if m <= 110 {
			old = 10
		}
		c.Of("checkout", seed, []byte("behind")).Note(&Ages{Spans: 10, Old: old, Behind: uint64(old) * uint64(time.Hour)})
		c.Of("checkout", seed, []byte("right")).Note(&Ages{Spans: 1000})
		changed = append(changed, c.Judge(m*millisPerMinute)...)
	}
	off := slo.ClockOff{Service: "checkout", Instance: "behind", Behind: time.Hour, Since: time.UnixMilli(105 * millisPerMinute).UTC()}
	assert.Equal(t, []Verdict{{off, true}, {off, false}}, changed)
}

// TestForgotten checks that processes without events are forgotten after an hour, and also after the clock was set back.
func TestForgotten(t *testing.T) {
	c := New()
	c.Judge(1000 * millisPerMinute)
	next := minutes(c, 1000, "a", many(5, 1, 1)...)
	require.Len(t, c.Off(), 1)
	p := c.Of("checkout", seed, []byte("a"))
	c.Judge((next + forgottenAfter) * millisPerMinute)
	assert.Same(t, p, c.Of("checkout", seed, []byte("a")))
	c.Judge((next + forgottenAfter + 1) * millisPerMinute)
	c.Judge((next + forgottenAfter + 2) * millisPerMinute)
	assert.Empty(t, c.Off())
	assert.NotSame(t, p, c.Of("checkout", seed, []byte("a")))
	c.Judge(10 * millisPerMinute)
	require.Len(t, c.processes, 1)
	for m := range int64(forgottenAfter + 2) {
		c.Judge((11 + m) * millisPerMinute)
	}
	assert.Empty(t, c.processes)
}

// TestManyProcesses checks that over the limit processes are judged with the others of their service.
func TestManyProcesses(t *testing.T) {
	c := New()
	for i := range maxProcesses {
		c.Of("a", 1, fmt.Append(nil, i))
	}
	more := c.Of("a", 1, []byte("x"))
	assert.Same(t, more, c.Of("a", 1, []byte("y")))
	assert.Empty(t, more.instance)
	assert.NotSame(t, more, c.Of("b", 2, []byte("y")))
	assert.NotSame(t, more, c.Of("a", 1, []byte("5")), "those that are known stay")
	assert.LessOrEqual(t, len(c.processes), maxProcesses+2)
}

func TestFuture(t *testing.T) {
	c := New()
	c.Of("a", 1, []byte("x")).Note(&Ages{Spans: 3, Future: 2})
	c.Of("a", 1, []byte("y")).Note(&Ages{Spans: 3, Future: 1})
	c.Of("b", 2, nil).Note(&Ages{Spans: 3})
	for _, want := range []map[string]int64{{"a": 3}, {}} {
		got := map[string]int64{}
		c.TakeFuture(func(service string, events int64) { got[service] += events })
		assert.Equal(t, want, got)
	}
}
