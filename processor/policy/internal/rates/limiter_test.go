package rates

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

const second = int64(time.Second)

// A limiter step by step: the level of its bucket and the offered rate.
func TestLimiterSteps(t *testing.T) {
	l := NewLimiter(100, 200)
	require.Equal(t, 4.0, l.memory)
	check := func(now int64, level, offered float64) {
		t.Helper()
		gotLevel, gotOffered := l.after(time.Duration(now) - l.at)
		require.InDelta(t, level, gotLevel, 1e-9)
		require.InDelta(t, offered, gotOffered, 1e-9)
	}
	check(0, 200, 0)
	check(100*second, 200, 0) // a full bucket stays full

	l.Take(50, second) // p is 1
	check(second, 150, 50.0/4)
	check(second-1, 150, 50.0/4) // time does not go back
	check(2*second, 200, 50.0/4*math.Exp(-0.25))

	l.Take(400, second)
	check(second, -250, 50.0/4+400/l.probabilityAt(50.0/4, 150, 400)/4)
	level, _ := l.after(time.Second)
	require.InDelta(t, -150, level, 1e-9, "the debt is paid")
}

// probabilityAt is the formula of the documentation.
func (l *Limiter) probabilityAt(offered, level, cost float64) float64 {
	credit := 1 + level/l.rate
	if level < 0 {
		credit = 1 / (1 + -level/(l.rate*0.5))
	}
	return min(1, l.rate/(offered+cost/l.memory)*credit)
}

func TestLimiterMemory(t *testing.T) {
	for _, c := range []struct{ rate, burst, want float64 }{
		{100, 100, 4}, {100, 200, 4}, {100, 250, 5}, {100, 3000, 60}, {100, 4000, 60},
	} {
		require.Equal(t, c.want, NewLimiter(c.rate, c.burst).memory, c)
	}
}

func TestLimiterCredit(t *testing.T) {
	l := NewLimiter(100, 200)
	for level, want := range map[float64]float64{0: 1, 100: 2, 200: 3, -50: 0.5, -150: 0.25} {
		require.InDelta(t, want, l.credit(level), 1e-12, level)
	}
}

func TestLimiterThreshold(t *testing.T) {
	l := NewLimiter(100, 100)
	require.Zero(t, l.Threshold(400, 0), "200 % of 100 a second")
	require.Equal(t, threshold.OfShare(0.5), l.Threshold(1600, 0), "(1+1)·100 of 400 a second")
	before := *l
	l.Threshold(1e6, 0)
	require.Equal(t, before, *l, "asking changes nothing")
}

func TestLimiterInherits(t *testing.T) {
	old, l := NewLimiter(100, 200), NewLimiter(100, 200)
	old.Take(500, 3*second)
	l.Inherit(old)
	require.Equal(t, old, l)
	l.Take(500, 4*second)
	require.NotEqual(t, old, l, "the old one stays as it is")
}
