package watch_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/watch"
)

// TestWatcher changes the configuration that is read, and checks what is applied.
func TestWatcher(t *testing.T) {
	for _, c := range []struct {
		name    string
		reads   []string // at successive intervals; the last one stays
		busy    int      // how often applying it is not yet possible
		applied []string
	}{
		{name: "nothing changes", reads: []string{"a"}},
		{name: "one change", reads: []string{"a", "b"}, applied: []string{"b"}},
		{name: "a change at once", reads: []string{"b"}, applied: []string{"b"}},
		{name: "two changes", reads: []string{"b", "b", "c"}, applied: []string{"b", "c"}},
		{name: "back again", reads: []string{"b", "b", "a"}, applied: []string{"b", "a"}},
		{name: "half written", reads: []string{"a", "", "b"}, applied: []string{"b"}},
		{name: "half written and given up", reads: []string{"a", "", "a"}},
		{name: "changed at every look", reads: []string{"b", "c", "d", "e"}, applied: []string{"e"}},
		{name: "cannot be applied yet", reads: []string{"b"}, busy: 3, applied: []string{"b"}},
		{name: "cannot be applied, and changes", reads: []string{"b", "b", "b", "c"}, busy: 2, applied: []string{"c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var applied []string
				looked := 0
				w := watch.Watcher[string]{
					Interval: 10 * time.Second,
					Read: func(context.Context) string {
						looked++
						return c.reads[min(looked, len(c.reads))-1]
					},
					Same: func(a, b string) bool { return a == b },
					Apply: func(s string) bool {
						if c.busy > 0 {
							c.busy--
							return false
						}
						applied = append(applied, s)
						return true
					},
				}
				stop := w.Start("a")
				time.Sleep(100*time.Second + time.Millisecond)
				synctest.Wait()
				stop()
				assert.Equal(t, 10, looked)
				assert.Equal(t, c.applied, applied)
			})
		})
	}
}

// TestStop checks that a configuration that is read while the watch stops is not applied, and that stop waits.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reading atomic.Bool
		w := watch.Watcher[int]{
			Interval: time.Second,
			Read: func(ctx context.Context) int {
				reading.Store(true)
				<-ctx.Done()
				reading.Store(false)
				return 1
			},
			Same:  func(a, b int) bool { return a == b },
			Apply: func(int) bool { t.Error("it was stopped"); return true },
		}
		stop := w.Start(0)
		time.Sleep(2 * time.Second)
		assert.True(t, reading.Load())
		stop()
		assert.False(t, reading.Load())
		time.Sleep(time.Minute)
	})
}
