package rates

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// What spans are held against may be looked at while it changes.
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
					c.Lasts(i % 500)
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
