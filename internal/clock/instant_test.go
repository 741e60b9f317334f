package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/clock"
)

func TestMonotonic(t *testing.T) {
	m := clock.Monotonic(3e9)
	assert.Equal(t, clock.Monotonic(5e9), m.Add(2*time.Second))
	assert.Equal(t, clock.Monotonic(-1e9), m.Add(-4*time.Second))
	assert.Equal(t, 2*time.Second, m.Add(2*time.Second).Sub(m))
	assert.Equal(t, -2*time.Second, m.Sub(m.Add(2*time.Second)))
}

func TestUnixMilli(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 1_999_999, time.UTC)
	u := clock.UnixMilliOf(at)
	assert.Equal(t, clock.UnixMilli(1_795_694_400_001), u)
	assert.Equal(t, at.Truncate(time.Millisecond), u.Time())
	assert.Equal(t, time.UTC, u.Time().Location())
	assert.Equal(t, int64(1_795_694_400), u.Unix())
	assert.Equal(t, u+1500, u.Add(1500*time.Millisecond+999*time.Microsecond))
	assert.Equal(t, 1500*time.Millisecond, u.Add(1500*time.Millisecond).Sub(u))
}

func TestEpochAt(t *testing.T) {
	replayed := clock.EpochAt(1000)
	assert.Equal(t, clock.UnixMilli(3000), replayed.UnixMilli(2e9))
	assert.Equal(t, clock.Monotonic(2e9), replayed.Monotonic(3000))
}
