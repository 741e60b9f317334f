package budget

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

func woken(s *setup) bool {
	select {
	case <-s.wake:
		return true
	default:
		return false
	}
}

// fill makes some full segments.
func (s *setup) fill() {
	for n := range byte(40) {
		s.add(testSpan{trace: n + 1, bytes: 4000})
	}
	for woken(s) {
	}
}

// noise is incompressible.
func noise(n int) string {
	rnd := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(' ' + rnd.IntN(90))
	}
	return string(b)
}

// A visit wakes the shrinker beyond 0.75 of the memory budget, if the configuration allows shrinking and there is a
// segment to shrink; with always, as soon as there is one.
func TestShrinkerIsWokenAtItsMark(t *testing.T) {
	for _, tc := range []struct {
		compression Compression
		onDisk      bool
		fill        bool
		over        int64
		want        bool
	}{
		{Auto, false, true, 0, false},
		{Auto, false, true, 1, true},
		{Auto, false, false, 1, false},
		{Never, false, true, 1, false},
		{Never, true, true, 0, false},
		{Never, true, true, 1, true},
		{Always, false, true, -1000, true},
		{Always, false, false, 1, false},
		{Always, true, true, -1000, true},
	} {
		t.Run(fmt.Sprintf("%+v", tc), func(t *testing.T) {
			s := newSetup(t, 1, Settings{Compression: tc.compression, OnDisk: tc.onDisk})
			defer s.close()
			if tc.fill {
				s.fill()
			}
			s.over(shrinkFrom, 0, tc.over)
			for woken(s) {
			}
			s.settle()
			require.Equal(t, tc.want, woken(s))
		})
	}
}

// The shrinker works until 0.65 of the memory budget is used; with always, until every segment is shrunk.
func TestShrinkerStopsAtItsMark(t *testing.T) {
	for _, tc := range []struct {
		compression Compression
		onDisk      bool
	}{{Auto, false}, {Always, false}, {Auto, true}, {Never, true}, {Always, true}} {
		t.Run(fmt.Sprintf("%+v", tc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSetup(t, 2, Settings{Compression: tc.compression, OnDisk: tc.onDisk})
				defer s.close()
				s.fill()
				full := s.pool.Shrinkable()
				require.Greater(t, full, int64(2))
				s.over(shrinkTo, 0, int64(s.pool.SegmentSize()))
				s.shrinkRound()
				compressions, saved, left := s.Shrunk()
				if tc.compression == Always {
					require.Zero(t, s.pool.Shrinkable())
					require.Equal(t, full, compressions)
				} else {
					require.Less(t, s.pool.Shrinkable(), full, "something was done")
					require.Positive(t, s.pool.Shrinkable(), "and no more than was asked for")
					require.LessOrEqual(t, s.pool.OverMemory(0, shrinkTo), int64(0))
				}
				packs := tc.compression == Always || !tc.onDisk
				require.Equal(t, packs, compressions > 0)
				require.Equal(t, packs, saved > 0)
				require.Equal(t, !packs, left > 0)
			})
		})
	}
}

// shrinkRound runs the shrinker for one wake-up. The test is in a bubble.
func (s *setup) shrinkRound() {
	stop, done := make(chan struct{}), make(chan struct{})
	for woken(s) {
	}
	buffer.Wake(s.wake)
	go func() {
		s.Shrink(stop)
		close(done)
	}()
	synctest.Wait()
	close(stop)
	<-done
}

// At its mark the shrinker does nothing; one byte above, it shrinks one segment.
func TestShrinkerGoesToTheByte(t *testing.T) {
	for over, want := range map[int64]int64{0: 0, 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			s := newSetup(t, 2, Settings{Compression: Auto})
			defer s.close()
			s.fill()
			s.over(shrinkTo, 0, over)
			s.shrinkRound()
			compressions, _, _ := s.Shrunk()
			require.Equal(t, want, compressions, "%d over", over)
		})
	}
}

// A segment that does not get smaller is not tried again, and is no reason to warn.
func TestIncompressibleSegmentsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 2, Settings{Compression: Always})
		defer s.close()
		text := noise(4000)
		for n := range byte(40) {
			s.add(testSpan{trace: n + 1, bytes: 4000, text: text})
		}
		require.Positive(t, s.pool.Shrinkable())
		// Repeated text gets smaller; random text does not.
		for n := range byte(30) {
			s.add(testSpan{trace: n + 100, bytes: 12000, text: noise(12000 + int(n))})
		}
		s.shrinkRound()
		require.Zero(t, s.pool.Shrinkable())
		_, saved, _ := s.Shrunk()
		require.Positive(t, saved)
		require.Empty(t, s.logs.All())
	})
}

// A relief shrinks before it decides anything early.
func TestReliefShrinksFirst(t *testing.T) {
	for _, tc := range []struct {
		compression Compression
		onDisk      bool
	}{{Auto, false}, {Auto, true}, {Never, true}} {
		s := newSetup(t, 1, Settings{Compression: tc.compression, OnDisk: tc.onDisk})
		s.fill()
		s.over(reliefTo, 0, 1)
		s.relieve(0, nil)
		require.EqualValues(t, 40, s.buffer.Sum().Pending, "%+v", tc)
		require.LessOrEqual(t, s.pool.OverMemory(0, reliefTo), int64(0))
		s.close()
	}
	s := newSetup(t, 1, Settings{Compression: Never})
	s.fill()
	s.over(reliefTo, 0, 1)
	s.relieve(0, nil)
	require.Less(t, s.buffer.Sum().Pending, int64(40), "it is not allowed to shrink")
	compressions, _, left := s.Shrunk()
	require.Zero(t, compressions+left)
	s.close()
}

// If the disk is short, files are compressed, if allowed, before traces are decided early.
func TestReliefOfTheDisk(t *testing.T) {
	for _, compression := range []Compression{Never, Auto} {
		s := newSetup(t, 1, Settings{Compression: compression, OnDisk: true})
		s.fill()
		s.relieve(int64(s.pool.SegmentSize())-s.pool.OverDisk(0, reliefTo), nil)
		compressions, _, _ := s.Shrunk()
		require.Equal(t, compression == Auto, compressions > 0)
		require.Equal(t, compression == Auto, s.buffer.Sum().Pending == 40)
		s.close()
	}
}

// stop ends the work before all is done.
func TestShrinkerStops(t *testing.T) {
	s := newSetup(t, 1, Settings{Compression: Always})
	defer s.close()
	s.fill()
	stop := make(chan struct{})
	close(stop)
	before := s.pool.Shrinkable()
	s.shrinkWhile(false, stop, func() bool { return true })
	require.Equal(t, before, s.pool.Shrinkable())
	s.Shrink(stop) // returns
	asked := 0
	s.shrinkWhile(false, nil, func() bool { asked++; return asked < 3 })
	require.Equal(t, before-2, s.pool.Shrinkable())
}
