package spanlog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
)

// All requests together wait fillTimeout for a hanging disk; for a slow disk that still makes segments each waits on its own.
func TestNobodyWaitsAgainForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stock{filling: &filling{done: make(chan struct{}), deadline: clock.Now().Add(fillTimeout)}}
		one := func() int { return 1 }
		took := func() time.Duration {
			start := clock.Now()
			require.ErrorIs(t, s.fill(nil, 0, one), errSlow)
			return clock.Since(start)
		}
		time.Sleep(fillTimeout / 3)
		assert.Equal(t, fillTimeout-fillTimeout/3, took())
		assert.Zero(t, took())
		time.Sleep(time.Hour)
		assert.Zero(t, took())

		progress := time.AfterFunc(fillTimeout/2, func() { // a segment of another request is made
			s.mu.Lock()
			s.filling.deadline = clock.Now().Add(fillTimeout)
			s.mu.Unlock()
		})
		defer progress.Stop()
		s.filling.deadline = clock.Now().Add(fillTimeout)
		assert.Equal(t, fillTimeout, took())
		assert.Equal(t, fillTimeout/2, took())
	})
}
