package rates

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Spans may read the coverage while it changes.
func TestCoverageIsConcurrent(t *testing.T) {
	c := NewCoverage(1000, 100)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for i := uint64(2); ; i++ {
				select {
				case <-stop:
					return
				default:
					c.StaysCovered(i % 500)
				}
			}
		})
	}
	for now := range int64(20_000) {
		c.Expire(now)
		c.Add(uint64(now*7919%400)+2, now)
		require.LessOrEqual(t, len(c.since), 101)
		require.Len(t, c.queue, len(c.since))
	}
	close(stop)
	wg.Wait()
	c.Expire(1 << 40)
	require.Empty(t, c.since)
	for i := range c.lasting {
		require.Zero(t, c.lasting[i].Load())
	}
}

// An operation is covered for a period. For spans the coverage ends a margin earlier, because a trace that arrives is decided later.
func TestCoverageLasts(t *testing.T) {
	c := NewCoverage(800, 4)
	require.Equal(t, int64(100), c.margin)
	require.False(t, c.Expire(1), "there was no pause")
	c.Add(5, 1)
	require.True(t, c.Has(5))
	require.True(t, c.StaysCovered(5))
	require.False(t, c.Has(6))
	require.False(t, c.StaysCovered(6))
	c.Add(5, 50) // is covered already, so this changes nothing
	for _, at := range []struct {
		now        int64
		has, lasts bool
	}{{700, true, true}, {701, true, false}, {800, true, false}, {801, false, false}} {
		c.Expire(at.now)
		require.Equal(t, at.has, c.Has(5), at.now)
		require.Equal(t, at.lasts, c.StaysCovered(5), at.now)
	}
	require.Empty(t, c.since)
	require.Empty(t, c.queue)
	require.Zero(t, c.stale)
	c.Add(5, 801)
	require.True(t, c.Has(5))
	require.True(t, c.StaysCovered(5))
}

func TestCoverageMargin(t *testing.T) {
	require.Equal(t, mostMargin, NewCoverage(1e12, 1).margin)
	require.Equal(t, int64(1), NewCoverage(15, 1).margin)
	for limit, want := range map[int]int{1: 4, 2: 8, 3: 8, 4: 16, 1000: 4 * 512} {
		require.Len(t, NewCoverage(1, limit).lasting, want, limit)
	}
}

// After a pause of more than half a margin the coverage may be out of date for a margin.
func TestCoverageIsUnsureAfterAPause(t *testing.T) {
	c := NewCoverage(800, 4)
	require.False(t, c.Expire(50))
	require.True(t, c.Expire(101), "51 later")
	require.True(t, c.Expire(150))
	require.True(t, c.Expire(200))
	require.False(t, c.Expire(201))
	require.False(t, c.Expire(251))
	c.Expire(200) // a time that goes back is no pause
	require.False(t, c.Expire(301))
}

// Operations beyond the limit are covered together.
func TestCoverageHasRoom(t *testing.T) {
	c := NewCoverage(800, 2)
	c.Add(5, 1)
	require.False(t, c.full.Load())
	c.Add(6, 2)
	require.True(t, c.full.Load())
	require.False(t, c.Has(7))
	require.False(t, c.StaysCovered(7))
	c.Add(7, 3)
	require.True(t, c.Has(7))
	require.True(t, c.Has(8))
	require.True(t, c.StaysCovered(8))
	require.Len(t, c.since, 3)
	c.Add(8, 4)
	require.Len(t, c.since, 3)

	c.Expire(801)
	require.False(t, c.full.Load())
	require.False(t, c.Has(7), "there is room for it")
	require.False(t, c.StaysCovered(7))
	require.True(t, c.Has(6))
}

// If its places are taken an operation is covered all the same, and its traces are read needlessly.
func TestCoverageWithoutAPlace(t *testing.T) {
	c := NewCoverage(800, 3)
	require.Len(t, c.lasting, 8)
	c.Add(2, 1)
	c.Add(4, 1) // hashed to the same places
	require.True(t, c.StaysCovered(2))
	require.True(t, c.StaysCovered(4))
	d := NewCoverage(800, 100)
	places := uint64(len(d.lasting))
	for i := range uint64(6) {
		d.Add(2+i*places, 1)
	}
	lasting := 0
	for i := range uint64(6) {
		require.True(t, d.Has(2+i*places))
		if d.StaysCovered(2 + i*places) {
			lasting++
		}
	}
	require.Equal(t, 4, lasting)
}

func TestCoverageCopies(t *testing.T) {
	c, old := NewCoverage(800, 2), NewCoverage(800, 2)
	old.Add(5, 1)
	old.Add(6, 2)
	old.Add(7, 3)
	c.Copy(old)
	require.Equal(t, old.since, c.since)
	require.Equal(t, old.queue, c.queue)
	require.True(t, c.StaysCovered(5))
	require.True(t, c.full.Load())
	c.Expire(801)
	require.False(t, c.Has(5))
	require.True(t, old.Has(5))
}
