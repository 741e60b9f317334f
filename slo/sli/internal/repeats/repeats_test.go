package repeats

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

func id(n int) count.RequestID { return count.RequestID{Low: uint64(n) * numShards, High: 1} } // all of one shard

func begin(t *testing.T, w *Window, id count.RequestID, now int64) bool {
	t.Helper()
	repeat, err := w.Begin(t.Context(), id, now)
	require.NoError(t, err)
	if !repeat {
		t.Cleanup(func() { w.End(id) })
	}
	return repeat
}

func take(t *testing.T, w *Window, id count.RequestID, now int64) {
	t.Helper()
	repeat, err := w.Begin(t.Context(), id, now)
	require.NoError(t, err)
	require.False(t, repeat)
	w.Take(id, now)
	w.End(id)
}

func TestWindow(t *testing.T) {
	w := New(10*time.Second, 1<<20)
	take(t, w, id(1), 1000)
	assert.True(t, begin(t, w, id(1), 1000))
	assert.True(t, begin(t, w, id(1), 11_000), "so old as the window is long")
	take(t, w, id(1), 11_001)
	assert.True(t, begin(t, w, id(1), 12_000), "it was taken again")
	assert.False(t, begin(t, w, id(2), 12_000))
}

// TestNotTaken checks that a refused request does not count as taken.
func TestNotTaken(t *testing.T) {
	w := New(10*time.Second, 1<<20)
	for range 3 {
		repeat, err := w.Begin(t.Context(), id(1), 0)
		require.NoError(t, err)
		require.False(t, repeat)
		w.End(id(1))
	}
}

// TestOldestRequestsAreEvicted checks that a full memory evicts the oldest requests.
func TestOldestRequestsAreEvicted(t *testing.T) {
	w := New(time.Hour, int64(3*numShards*BytesPerRequest))
	for n := range 4 {
		take(t, w, id(n+1), int64(n))
	}
	var left []int64
	require.NoError(t, w.All(10, func(_ count.RequestID, at int64) error {
		left = append(left, at)
		return nil
	}))
	assert.Equal(t, []int64{1, 2, 3}, left)
	assert.False(t, begin(t, w, id(1), 10))
	assert.True(t, begin(t, w, id(2), 10))
}

// TestMemory checks the memory limit of a full window.
func TestMemory(t *testing.T) {
	const memory = 1 << 20
	w := New(time.Hour, memory)
	for n := range 3 * memory / BytesPerRequest {
		w.Take(count.RequestID{Low: uint64(n) * 0x9E3779B97F4A7C15, High: 1}, int64(n))
	}
	bytes := 0
	for i := range w.shards {
		bytes += w.shards[i].taken.Bytes()
	}
	assert.LessOrEqual(t, bytes, memory*5/4, "a slice that grows is at most a quarter longer than it has to be")
	assert.Greater(t, bytes, memory/2)
}

// TestConcurrentRepeat checks that the second of two equal requests waits for the first, and gets its outcome.
func TestConcurrentRepeat(t *testing.T) {
	for _, taken := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := New(10*time.Second, 1<<20)
			_, err := w.Begin(t.Context(), id(1), 0)
			require.NoError(t, err)
			var repeats, passed, over atomic.Int32
			for range 5 {
				go func() {
					repeat, err := w.Begin(t.Context(), id(1), 0)
					assert.NoError(t, err)
					if repeat {
						repeats.Add(1)
						return
					}
					passed.Add(1)
					w.Take(id(1), 0)
					w.End(id(1))
				}()
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
			defer cancel()
			go func() {
				_, err := w.Begin(ctx, id(1), 0)
				assert.EqualError(t, err, "the same request is still being processed: enough")
				over.Add(1)
			}()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			assert.EqualValues(t, 1, over.Load(), "who cannot wait any longer goes")
			assert.Zero(t, repeats.Load()+passed.Load())
			if taken {
				w.Take(id(1), 0)
			}
			w.End(id(1))
			synctest.Wait()
			if taken {
				assert.EqualValues(t, 5, repeats.Load())
			} else {
				assert.EqualValues(t, 1, passed.Load(), "one of them completes it")
				assert.EqualValues(t, 4, repeats.Load())
			}
		})
	}
}

func TestNone(t *testing.T) {
	assert.Nil(t, New(0, 1<<20))
	var w *Window
	w.Take(id(1), 0)
	require.NoError(t, w.All(0, nil))
}

func TestOf(t *testing.T) {
	assert.NotEqual(t, Of([]byte("a")), Of([]byte("b")))
	assert.Equal(t, Of([]byte("a")), Of([]byte("a")))
	assert.False(t, Of(nil).IsZero())
}
