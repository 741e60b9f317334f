package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	first = time.Second
	most  = 5 * time.Minute
)

// waits asserts that delays are random between half of the full delay and all of it.
func waits(t *testing.T, full time.Duration, failures int, wait func() time.Duration) {
	t.Helper()
	low, high := full, time.Duration(0)
	for range 1000 {
		d := wait()
		low, high = min(low, d), max(high, d)
	}
	assert.GreaterOrEqual(t, low, full/2, failures)
	assert.LessOrEqual(t, high, full, failures)
	assert.Less(t, low, full*55/100, failures)
	assert.Greater(t, high, full*95/100, failures)
}

func TestAfter(t *testing.T) {
	for failures, full := range map[int]time.Duration{
		-1: first, 0: first, 1: first, 2: 2 * first, 3: 4 * first, 8: 128 * first, 9: 256 * first,
		10: most, 11: most, 64: most, 1000: most, 1 << 40: most,
	} {
		waits(t, full, failures, func() time.Duration { return After(failures, first, most) })
	}
	waits(t, time.Millisecond, 1, func() time.Duration { return After(1, first, time.Millisecond) })
}

// TestNew: a BackOff waits as long as After says, and begins again after a Reset.
func TestNew(t *testing.T) {
	for failures, full := range []time.Duration{first, 2 * first, 4 * first} {
		waits(t, full, failures, func() time.Duration {
			b := New(first, most)
			for range failures {
				b.NextBackOff()
			}
			return b.NextBackOff()
		})
	}
	b := New(first, most)
	for range 100 {
		b.NextBackOff()
	}
	waits(t, most, 100, b.NextBackOff)
	waits(t, first, 0, func() time.Duration {
		b.Reset()
		return b.NextBackOff()
	})
}
