package clock

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// guarded is a Guard with a machine that a test controls.
type guarded struct {
	*Guard
	elapsed time.Duration
	offset  time.Duration // of the machine's clock from the true time
}

func newGuarded(offset time.Duration) *guarded {
	g := &guarded{offset: offset}
	g.Guard = NewGuard(func() (time.Time, time.Duration) { return noon.Add(g.elapsed + g.offset), g.elapsed })
	return g
}

// run advances time, with a check each ten seconds.
func (g *guarded) run(d time.Duration) {
	for end := g.elapsed + d; g.elapsed < end; g.elapsed += 10 * time.Second {
		g.Look()
	}
}

// ahead returns how far the believed time is ahead of the true time.
func (g *guarded) ahead() time.Duration { return g.Wall().Sub(noon.Add(g.elapsed)) }

var jumps = []time.Duration{
	3 * time.Minute, -3 * time.Minute, time.Hour, -time.Hour, 25 * time.Hour, -25 * time.Hour, 400 * 24 * time.Hour, -400 * 24 * time.Hour,
}

func TestJumps(t *testing.T) {
	for _, jump := range jumps {
		g := newGuarded(0)
		g.run(time.Hour)
		assert.Zero(t, g.ahead())
		for _, lasts := range []time.Duration{45 * time.Second, 10 * time.Minute, DoubtTime - 10*time.Second} {
			g.offset = jump
			for end := g.elapsed + lasts; g.elapsed < end; g.run(10 * time.Second) {
				assert.Zero(t, g.ahead(), "%v for %v", jump, lasts)
				s := g.Look()
				assert.Contains(t, s.Doubt, jump.Abs().String())
				assert.False(t, s.Stable)
				assert.Equal(t, s.Now.Add(jump), s.Machine)
				assert.True(t, g.Doubted())
			}
			g.offset = 0
			assert.Zero(t, g.ahead())
			assert.Empty(t, g.Look().Doubt)
			g.run(time.Minute)
		}
		g.offset = jump
		g.run(DoubtTime + 10*time.Second)
		assert.Equal(t, jump, g.ahead(), "for good")
		assert.Empty(t, g.Look().Doubt)
		assert.True(t, g.Look().Confirmed)
		assert.True(t, g.Look().Stable, "it stood there for long enough")
	}
}

// A clock that is set again while in doubt must stay for the full time again.
func TestJumpsOften(t *testing.T) {
	g := newGuarded(0)
	g.run(time.Minute)
	for range 10 {
		for _, jump := range jumps {
			g.offset = jump
			g.run(DoubtTime - 10*time.Second)
			assert.Zero(t, g.ahead())
		}
	}
}

func TestSlewing(t *testing.T) {
	g := newGuarded(0)
	for range 1000 {
		g.run(10 * time.Second)
		g.offset += 5 * time.Millisecond
		assert.Equal(t, g.offset, g.ahead(), "a clock that is slewed is followed")
	}
	g.offset += JumpAllowed - time.Second
	assert.Equal(t, g.offset, g.ahead(), "so is a small jump")
}

func TestNotBefore(t *testing.T) {
	g := newGuarded(-25 * time.Hour)
	g.NotBefore(noon.Add(-30*time.Hour), "an old file")
	assert.Equal(t, -25*time.Hour, g.ahead())
	g.NotBefore(noon.Add(-time.Hour), "a.db")
	assert.Equal(t, -time.Hour, g.ahead())
	g.NotBefore(noon.Add(-90*time.Second), "a file")
	g.NotBefore(noon.Add(-time.Minute), "spans")
	g.NotBefore(noon.Add(-2*time.Hour), "another")
	assert.Equal(t, -time.Minute, g.ahead(), "the newest of all, and be it by a little")
	assert.Contains(t, g.Look().Doubt, "the machine's clock is 24h59m0s behind spans: the new time is used once it has stayed for another 15m0s")
	g.run(10 * time.Minute)
	assert.Equal(t, -time.Minute, g.ahead())
	g.offset = 0
	assert.Zero(t, g.ahead(), "it was set right")
	assert.Empty(t, g.Look().Doubt)

	g = newGuarded(-time.Minute)
	g.NotBefore(noon, "spans")
	assert.Equal(t, -time.Minute, g.ahead(), "a clock that is a little behind is believed")

	g = newGuarded(-25 * time.Hour)
	g.NotBefore(noon, "spans")
	g.run(DoubtTime + 10*time.Second)
	assert.Equal(t, -25*time.Hour, g.ahead(), "the file was wrong")
}

func TestWitnesses(t *testing.T) {
	for _, test := range []struct {
		name     string
		sources  int
		off      time.Duration // of the processes' clocks from the true time
		every    time.Duration
		believed bool
	}{
		{name: "enough", sources: 5, every: 10 * time.Second, believed: true},
		{name: "many", sources: 200, every: 10 * time.Second, believed: true},
		{name: "too few", sources: 4, every: 10 * time.Second},
		{name: "of other opinion", sources: 50, off: -time.Hour, every: 10 * time.Second},
		{name: "seldom", sources: 5, every: 6 * time.Minute},
	} {
		g := newGuarded(-time.Hour) // its clock was wrong
		g.run(time.Minute)
		for i := range test.sources {
			g.Witness(uint64(i), noon) // before a listener is registered
		}
		g.offset = 0
		for i := 0; g.elapsed < 14*time.Minute; i++ {
			source := i % test.sources
			off := test.off
			if source%5 >= 3 {
				off += 9 * time.Hour // of two of five
			}
			g.Look()
			g.Witness(uint64(source), noon.Add(g.elapsed+off-20*time.Second))
			g.elapsed += test.every / time.Duration(test.sources)
		}
		assert.Equal(t, test.believed, g.ahead() == 0, test.name)
		assert.Equal(t, test.believed, !g.Doubted(), test.name)
	}
}

// A clock that is believed at a start is followed, and settles.
func TestStart(t *testing.T) {
	g := newGuarded(400 * 24 * time.Hour)
	assert.False(t, g.Look().Confirmed)
	g.run(StableTime - 10*time.Second)
	assert.False(t, g.Look().Stable)
	g.run(20 * time.Second)
	assert.True(t, g.Look().Stable)
	assert.True(t, g.Look().Confirmed)
}

// If a machine starts with a clock that is behind, and corrects it a little later, the correction is believed.
func TestSetRightAfterTheStart(t *testing.T) {
	for _, down := range []time.Duration{0, time.Minute, 3 * time.Hour, 90 * 24 * time.Hour} { // since our last write
		g := newGuarded(-400 * 24 * time.Hour)
		g.NotBefore(noon.Add(-down), "slo.db")
		g.run(time.Minute)
		assert.Equal(t, -down, g.ahead())
		g.offset = 0
		assert.Zero(t, g.ahead(), down)
		s := g.Look()
		assert.Empty(t, s.Doubt)
		assert.False(t, s.Confirmed)
		g.offset = 25 * time.Hour
		assert.Zero(t, g.ahead(), "and is doubted from then on")
		g.offset = 0
		g.run(StableTime)
		assert.True(t, g.Look().Stable)
	}
}

// Steps that are small enough to be followed are not followed far in sum, ahead, back, or however often.
func TestManySmallSteps(t *testing.T) {
	for _, step := range []time.Duration{time.Second, 5 * time.Second, time.Minute, JumpAllowed - time.Second} {
		for _, direction := range []time.Duration{1, -1} {
			g := newGuarded(0)
			g.run(time.Hour)
			for range 2 * time.Hour / step {
				g.offset += direction * step
				assert.LessOrEqual(t, g.ahead().Abs(), JumpAllowed+slewed)
			}
			assert.True(t, g.Doubted())
			g.run(DoubtTime - 10*time.Second)
			assert.LessOrEqual(t, g.ahead().Abs(), JumpAllowed+slewed)
			g.run(20 * time.Second)
			assert.Equal(t, g.offset, g.ahead(), "it stayed")
		}
	}
	g := newGuarded(0)
	for range 100 {
		g.run(DoubtTime)
		g.offset += 5 * time.Second
		assert.Equal(t, g.offset, g.ahead(), "a step now and then is followed")
	}
}

// A clock that jumps to and fro is not believed until it stays.
func TestClockThatJumpsToAndFro(t *testing.T) {
	g := newGuarded(0)
	g.run(time.Hour)
	for _, stays := range []time.Duration{10 * time.Second, time.Minute, DoubtTime - 20*time.Second} {
		for range 20 {
			g.offset = 25 * time.Hour
			g.run(stays)
			assert.Zero(t, g.ahead())
			g.offset = 0
			g.run(10 * time.Second)
			assert.Zero(t, g.ahead())
			assert.False(t, g.Doubted())
		}
	}
}

// A process that is stopped between reading the clocks and judging them, for any time, does not treat the old readings as new.
func TestStoppedWhileLooking(t *testing.T) {
	var g *Guard
	var elapsed time.Duration
	nested := false
	g = NewGuard(func() (time.Time, time.Duration) { return noon.Add(elapsed).Add(25 * time.Hour), elapsed })
	g.read = func(read func() reading) func() reading {
		return func() reading {
			r := read()
			if elapsed < time.Hour {
				r.wall = noon.Add(elapsed)
			}
			if nested {
				nested = false // stopped here, while other goroutines check
				elapsed += 5 * time.Minute
				g.Look()
			}
			return r
		}
	}(g.read)
	g.Look()
	elapsed = time.Hour // the clock jumps
	assert.Equal(t, noon.Add(elapsed), g.Wall())
	nested = true
	g.Wall()
	assert.Equal(t, noon.Add(elapsed), g.Wall())
	assert.True(t, g.Doubted())
}

// Witnesses make a clock believed at once, but nothing is pruned by it for a while.
func TestWitnessedClock(t *testing.T) {
	g := newGuarded(0)
	g.run(time.Hour)
	g.offset = 25 * time.Hour
	g.Look()
	for i := range uint64(5) {
		g.Witness(i, noon.Add(g.elapsed+g.offset-time.Second))
	}
	s := g.Look()
	assert.Empty(t, s.Doubt)
	assert.True(t, s.Confirmed)
	assert.False(t, s.Stable)
	g.run(StableTime)
	assert.True(t, g.Look().Stable)
}

// The sum of the clock's moves is what was believed: steps, believed jumps, and the correction at the start.
func TestMoved(t *testing.T) {
	g := newGuarded(0)
	g.run(time.Hour)
	for range 50 {
		g.offset += 10 * time.Millisecond
		g.run(DoubtTime)
	}
	assert.InDelta(t, g.offset, g.moved(), float64(countedFrom))
	g.offset += 5 * time.Second
	g.Look()
	assert.InDelta(t, g.offset, g.moved(), float64(countedFrom))
	before := g.moved()
	for _, jump := range jumps {
		g.offset += jump
		g.run(DoubtTime - 10*time.Second)
		assert.Equal(t, before, g.moved(), "not believed yet")
		g.run(20 * time.Second)
		assert.Equal(t, before+jump, g.moved())
		assert.InDelta(t, g.moved(), g.Look().Jumped, float64(6*time.Second))
		before = g.moved()
	}

	g = newGuarded(-25 * time.Hour)
	g.NotBefore(noon, "a file")
	assert.Equal(t, 25*time.Hour, g.moved())
	g.offset = 2 * time.Hour
	assert.Equal(t, 27*time.Hour, func() time.Duration { g.Look(); return g.moved() }())
	assert.Zero(t, g.Look().Jumped)
}

// A suspended machine is no jump of its clock, however long and often it is suspended.
func TestSleep(t *testing.T) {
	g := newGuarded(0)
	var slept time.Duration
	g.asleep = func() time.Duration { return slept }
	g.run(time.Hour)
	at := g.moved()
	for _, d := range []time.Duration{time.Second, 10 * time.Minute, 25 * time.Hour, 90 * 24 * time.Hour} {
		slept += d
		g.offset += d // the wall clock went on, the monotonic one did not
		assert.Equal(t, g.offset, g.ahead())
		s := g.Look()
		assert.Empty(t, s.Doubt)
		assert.True(t, s.Stable)
		assert.Zero(t, s.Jumped)
		assert.Equal(t, at+slept, g.moved())
		g.run(time.Minute)
	}
	g.offset += 25 * time.Hour
	assert.Equal(t, g.offset-25*time.Hour, g.ahead())
	assert.Contains(t, g.Look().Doubt, "jumped ahead by 25h0m0s")
}

func TestSuspended(t *testing.T) {
	d := suspended()
	assert.GreaterOrEqual(t, d, time.Duration(0))
	for range 1000 {
		assert.InDelta(t, d, suspended(), float64(2*time.Millisecond), "nobody slept meanwhile")
	}
}

// Another monotonic clock, as in synctest, counts as another start.
func TestAnotherMonotonicClock(t *testing.T) {
	g := newGuarded(0)
	g.run(time.Hour)
	g.elapsed += 30 * 365 * 24 * time.Hour
	g.offset = -100 * 365 * 24 * time.Hour
	assert.Equal(t, g.offset, g.ahead())
	g.elapsed, g.offset = 0, 5*time.Hour
	assert.Equal(t, g.offset, g.ahead())
}

func TestGuardOfProcess(t *testing.T) {
	assert.WithinDuration(t, time.Now(), Wall(), time.Second)
	assert.Equal(t, time.UTC, Wall().Location())
	s := Look()
	assert.Empty(t, s.Doubt)
	assert.Equal(t, s.Machine, s.Now)
	Witness(1, time.Now())
	NotBefore(time.Now(), "a file")
	assert.False(t, Doubted())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				Wall()
				Look()
			}
		})
	}
	all.Wait()
}

func BenchmarkWall(b *testing.B) {
	for b.Loop() {
		Wall()
	}
}
