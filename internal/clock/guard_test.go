package clock

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// guarded is a Guard with a machine that a test drives.
type guarded struct {
	*Guard
	elapsed time.Duration
	offset  time.Duration // of the machine's clock from the truth
}

func newGuarded(offset time.Duration) *guarded {
	g := &guarded{offset: offset}
	g.Guard = NewGuard(func() (time.Time, time.Duration) { return noon.Add(g.elapsed + g.offset), g.elapsed })
	return g
}

// run lets time go by, with a look each ten seconds.
func (g *guarded) run(d time.Duration) {
	for end := g.elapsed + d; g.elapsed < end; g.elapsed += 10 * time.Second {
		g.Look()
	}
}

// ahead is how far the believed time is ahead of the truth.
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
				assert.False(t, s.Settled)
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
		assert.False(t, g.Look().Settled)
		g.run(SettleTime)
		assert.True(t, g.Look().Settled)
	}
}

// A clock that is set again while it is doubted has to stay for as long again.
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
	g.NotBefore(noon.Add(-time.Minute), "spans")
	g.NotBefore(noon.Add(-2*time.Hour), "another")
	assert.Equal(t, -time.Minute, g.ahead())
	assert.Contains(t, g.Look().Doubt, "the machine's clock is 24h59m0s behind spans: it is believed when it has stayed there for another 15m0s")
	g.run(10 * time.Minute)
	assert.Equal(t, -time.Minute, g.ahead())
	g.offset = 0
	assert.Zero(t, g.ahead(), "it was set right")
	assert.Empty(t, g.Look().Doubt)

	g = newGuarded(-25 * time.Hour)
	g.NotBefore(noon, "spans")
	g.run(DoubtTime + 10*time.Second)
	assert.Equal(t, -25*time.Hour, g.ahead(), "the file was wrong")
}

func TestWitnesses(t *testing.T) {
	for _, test := range []struct {
		name     string
		sources  int
		off      time.Duration // of the processes' clocks from the truth
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
			g.Witness(uint64(i), noon) // nobody listens yet
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

// Another monotonic clock, as a bubble of synctest has, is another start.
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
