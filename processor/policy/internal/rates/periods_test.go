package rates

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A period begins with the first count and ends after its length, to the nanosecond.
func TestPeriodsEnd(t *testing.T) {
	p := NewPeriods(100, 10)
	require.Zero(t, p.Count(7, 0))
	p.Add(7, 50)
	p.Add(7, 149)
	require.Equal(t, 2, p.Count(7, 149))
	require.Zero(t, p.Count(7, 150))
	require.Zero(t, p.Count(8, 149))
	p.Add(7, 150)
	require.Equal(t, 1, p.Count(7, 249))
	require.Zero(t, p.Count(7, 250))
}

// Keys beyond the limit are counted together, existing ones separately.
func TestPeriodsHaveRoom(t *testing.T) {
	p := NewPeriods(1000, 2)
	p.Add(1, 1)
	require.True(t, p.Own(2))
	p.Add(2, 1)
	require.True(t, p.Own(1))
	require.False(t, p.Own(3))
	p.Add(3, 2)
	p.Add(4, 2)
	require.Equal(t, 2, p.Count(3, 2))
	require.Equal(t, 2, p.Count(5, 2))
	require.Equal(t, 1, p.Count(1, 2))
	require.Len(t, p.keys, 3, "two and the others")
	require.False(t, p.Own(3))
	p.Add(1, 2)
	require.Equal(t, 2, p.Count(1, 2))
}

// Expired periods make room, but are searched for only 64 times in a period.
func TestPeriodsAreSwept(t *testing.T) {
	p := NewPeriods(6400, 1)
	p.Add(1, 10)
	require.Zero(t, p.Count(2, 10))
	require.Equal(t, int64(10), p.swept)
	require.Zero(t, p.Count(2, 109))
	require.Equal(t, int64(10), p.swept)
	require.Zero(t, p.Count(2, 110))
	require.Equal(t, int64(110), p.swept)
	require.Len(t, p.keys, 1)

	p.Add(2, 6409)
	require.Contains(t, p.keys, uint64(Other), "a nanosecond too early")
	p.Add(3, 6510)
	require.NotContains(t, p.keys, uint64(1))
	require.Contains(t, p.keys, uint64(3))
	require.Equal(t, 1, p.Count(3, 6510))

	q := NewPeriods(100, 1)
	q.Add(1, 10)
	q.Add(2, 110)
	require.NotContains(t, q.keys, uint64(1))
	require.True(t, q.Own(2))
}

func TestPeriodsClone(t *testing.T) {
	p := NewPeriods(100, 10)
	p.Add(1, 1)
	c := p.Clone()
	require.Equal(t, p, c)
	c.Add(1, 1)
	require.Equal(t, 1, p.Count(1, 1))
	require.Equal(t, 2, c.Count(1, 1))
}
