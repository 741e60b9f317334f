package exemplar

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A minute has so many exemplars, of which a frequent reason leaves some to others.
func TestQuota(t *testing.T) {
	for _, c := range []struct{ most, ofOne int }{{0, 0}, {1, 1}, {2, 1}, {3, 1}, {4, 2}, {10, 4}, {99, 4}} {
		var q Quota
		for minute := range int64(3) {
			taken := 0
			for range 100 {
				if q.Take(minute, c.most, "500") {
					taken++
				}
			}
			require.Equal(t, c.ofOne, taken, c)
			for i := range 100 {
				if q.Take(minute, c.most, strconv.Itoa(i)) {
					taken++
				}
			}
			require.Equal(t, min(c.most, 10), taken, c)
			require.False(t, q.Open(minute), c)
			require.True(t, q.Open(minute+1), c)
		}
	}
}

// An objective with one reason gets all exemplars of a minute for it.
func TestQuotaOfOneReason(t *testing.T) {
	var q Quota
	for minute := range int64(3) {
		for i := range 20 {
			require.Equal(t, i < 10, q.Take(minute, 10, ""))
			require.Equal(t, i < 10, q.Open(minute))
		}
	}
}

// Goroutines that take at once get no more together.
func TestQuotaOfManyGoroutines(t *testing.T) {
	var q Quota
	for minute := range int64(50) {
		var taken atomic.Int64
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					if q.Take(minute, 10, strconv.Itoa(g*20+i)) {
						taken.Add(1)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, int64(10), taken.Load())
	}
}
