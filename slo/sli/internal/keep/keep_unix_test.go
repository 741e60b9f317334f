//go:build unix

package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/place"
	"github.com/slowburn/slowburn/slo/sli/internal/repeats"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// world is a directory and the processes that own it one after another.
type world struct {
	path   string
	names  int
	fail   error // of the next calls of Open and Begin
	mu     sync.Mutex
	locks  []place.Place
	logs   *observer.ObservedLogs
	window *repeats.Window
}

// failing is a place that fails on demand.
type failing struct {
	place.Place
	w *world
}

func (f failing) Begin(room int) (place.Generation, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.fail != nil {
		return nil, f.w.fail
	}
	return f.Place.Begin(room)
}

func (w *world) set(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *world) start(t *testing.T) *Keeper {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	w.logs = logs
	w.window = repeats.New(time.Minute, 1<<20)
	k, err := Start(Settings{
		Open: func() (place.Place, error) {
			p, err := place.Open(w.path, "sli")
			if err != nil {
				return nil, err
			}
			w.locks = append(w.locks, p)
			return failing{p, w}, nil
		},
		Limits:     count.Limits{Services: 10, Operations: 10, Versions: 2, Reasons: 2},
		Objectives: []slo.Objective{{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}}},
		Window:     w.window,
		Name: func() string {
			w.names++
			return fmt.Sprint("name ", w.names)
		},
		Logger: zap.New(core),
	})
	require.NoError(t, err)
	return k
}

// kill ends a Keeper as the end of its process does: nothing more is written.
func (w *world) kill(t *testing.T, k *Keeper) {
	t.Helper()
	k.stop()
	k.loop.Wait()
	if n := len(w.locks); n > 0 && k.place != nil {
		require.NoError(t, w.locks[n-1].Close())
	}
}

func ping(t *testing.T) *wire.Request {
	return slitest.Request(t, slitest.Traces(t, slitest.Span{Service: "a", Name: "ping", Kind: ptrace.SpanKindServer}))
}

func calls(k *Keeper) (n int64) {
	k.counter.ReadEvents(nil, 0) // folds
	points := make([]count.CallPoint, 10)
	for _, p := range points[:k.counter.ReadCalls(points, 0, 0)] {
		calls, _ := p.N.Integer()
		n += calls
	}
	return n
}

// TestKilled checks that counts, their name and the known requests survive kills at every step.
func TestKilled(t *testing.T) {
	w := &world{path: filepath.Join(t.TempDir(), "data")}
	for n := range 12 {
		k := w.start(t)
		require.Nil(t, k.Volatile())
		assert.Equal(t, "name 1", k.Name())
		assert.EqualValues(t, n*n, k.Flushed())
		require.EqualValues(t, n, calls(k))
		id := repeats.Of(fmt.Append(nil, n))
		result := k.Counter().Count(ping(t), id, time.Now().UnixMilli())
		require.NoError(t, k.Await(t.Context(), result.Refused))
		k.Flush(int64((n+1)*(n+1)), func() {})
		if n%3 == 2 {
			require.NoError(t, k.Close())
		} else {
			w.kill(t, k)
		}
		w.names = 1 // each start draws a name, used or not
	}
	k := w.start(t)
	requests := 0
	require.NoError(t, w.window.All(time.Now().UnixMilli(), func(count.RequestID, int64) error {
		requests++
		return nil
	}))
	assert.Equal(t, 12, requests)
	require.NoError(t, k.Close())
	entries, err := os.ReadDir(w.path)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "a file, and a lock")
}

// TestFullLogs checks that a full log is followed by another, and that records are kept once Await returns.
func TestFullLogs(t *testing.T) {
	w := &world{path: t.TempDir()}
	k := w.start(t)
	k.turning.Lock()
	k.room = 1 << 16
	require.NoError(t, k.turn())
	k.turning.Unlock()
	var spans []slitest.Span
	for range 1000 {
		spans = append(spans, slitest.Span{Service: "a", Name: "ping"})
	}
	request := slitest.Request(t, slitest.Traces(t, spans...)) // a fifth of the log
	const each, workers = 40, 4
	var wg sync.WaitGroup
	var refused sync.Map
	for range workers {
		wg.Go(func() {
			for range each {
				n := k.Counter().Count(request, count.RequestID{}, 0)
				assert.NoError(t, k.Await(context.Background(), n.Refused))
				refused.Store(n.Refused, true)
			}
		})
	}
	wg.Wait()
	times := 0
	refused.Range(func(any, any) bool { times++; return true })
	assert.Greater(t, times, 1, "no log was ever full")
	w.kill(t, k)
	k = w.start(t)
	assert.EqualValues(t, 1000*each*workers, calls(k))
	require.NoError(t, k.Close())
}

// TestVolatile checks that counting continues in memory when the place fails, at the start or later, that health reports since
// when, and that counts are stored again once the place works.
func TestVolatile(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{path: t.TempDir()}
			full := errors.New("the disk is full")
			if !late {
				w.fail = full
			}
			k := w.start(t)
			name := k.Name()
			if late {
				require.Nil(t, k.Volatile())
				require.Zero(t, k.Counter().Count(ping(t), count.RequestID{}, 0).Refused)
				w.set(full)
				k.turning.Lock()
				k.abandon(k.turn())
				k.turning.Unlock()
			}
			v := k.Volatile()
			require.NotNil(t, v)
			assert.Equal(t, &Volatile{Since: time.Now().UTC(), Reason: "the disk is full"}, v)
			n := k.Counter().Count(ping(t), count.RequestID{}, 0)
			assert.Zero(t, n.Refused)
			require.NoError(t, k.Await(t.Context(), n.Refused))
			time.Sleep(25 * time.Second)
			assert.Equal(t, v.Since, k.Volatile().Since, "it was tried twice, in vain")
			assert.Len(t, w.logs.FilterMessageSnippet("counts no longer survive a crash").All(), 1)
			w.set(nil)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			assert.Nil(t, k.Volatile())
			assert.Equal(t, name, k.Name())
			want := calls(k)
			w.kill(t, k)
			k = w.start(t)
			assert.Equal(t, name, k.Name())
			assert.Equal(t, want, calls(k))
			require.NoError(t, k.Close())
		})
	}
}

// TestCrashWhileVolatile checks that counts in memory are lost with the process, and their emitted values are not repeated: the
// next counts have another name.
func TestCrashWhileVolatile(t *testing.T) {
	w := &world{path: t.TempDir()}
	k := w.start(t)
	k.Counter().Count(ping(t), count.RequestID{}, 0)
	w.set(errors.New("the disk is full"))
	k.turning.Lock()
	k.abandon(k.turn())
	k.turning.Unlock()
	k.Counter().Count(ping(t), count.RequestID{}, 0)
	w.kill(t, k)
	w.set(nil)
	k = w.start(t)
	assert.NotEqual(t, "name 1", k.Name())
	assert.Zero(t, calls(k))
	assert.Len(t, w.logs.FilterMessageSnippet("counting begins anew").All(), 1)
	require.NoError(t, k.Close())
}

// TestDamage checks that damage of secured counts is reported with the path and counting restarts under another name; damage of
// counts that were not secured loses them silently, as they were never emitted.
func TestDamage(t *testing.T) {
	for _, secured := range []bool{true, false} {
		w := &world{path: t.TempDir()}
		k := w.start(t)
		k.Counter().Count(ping(t), count.RequestID{}, 0)
		require.NoError(t, k.AwaitMarked(t.Context(), 0))
		result := k.Counter().Count(ping(t), count.RequestID{}, 0)
		if secured {
			require.NoError(t, k.AwaitMarked(t.Context(), result.Refused))
		}
		w.kill(t, k)
		path := filepath.Join(w.path, "sli.1.counts")
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		const log, room = 4096, minRoom
		last := log + len(bytes.TrimRight(b[log:log+room], "\x00"))
		clear(b[last-last%32-32 : last]) // the last record
		require.NoError(t, os.WriteFile(path, b, 0o600))
		k = w.start(t)
		said := w.logs.FilterMessageSnippet("it is damaged, and is now " + path + ".damaged").Len()
		if secured {
			assert.Equal(t, 1, said)
			assert.NotEqual(t, "name 1", k.Name())
			assert.Zero(t, calls(k))
		} else {
			assert.Zero(t, said)
			assert.Equal(t, "name 1", k.Name())
			assert.EqualValues(t, 1, calls(k))
		}
		assert.Nil(t, k.Volatile(), "it is durable again")
		require.NoError(t, k.Close())
	}
}

// TestAwaitMarked checks that AwaitMarked waits for appends in progress, and for the next log if one is full, but not longer than its timeout.
func TestAwaitMarked(t *testing.T) {
	w := &world{path: t.TempDir()}
	k := w.start(t)
	k.turning.Lock() // prevents the next generation meanwhile
	for k.current.generation.Append(make([]byte, 1<<20)) {
	}
	k.turning.Unlock()
	require.NoError(t, k.AwaitMarked(t.Context(), 0))
	k.turning.Lock()
	k.current.mu.Lock()
	unfinished := &stuck{Generation: k.current.generation}
	k.current.generation = unfinished
	k.current.mu.Unlock()
	k.turning.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, k.AwaitMarked(ctx, 0), "counts are being written: context deadline exceeded")
	unfinished.done.Store(true)
	require.NoError(t, k.AwaitMarked(t.Context(), 0))
	require.NoError(t, k.Close())
}

// stuck is a generation with an append in progress until it is done.
type stuck struct {
	place.Generation
	done atomic.Bool
}

func (s *stuck) Mark() bool { return s.done.Load() && s.Generation.Mark() }

// TestFullAtTheStart checks that counts of the previous process continue in memory when the disk is full, and that a crash then
// repeats none.
func TestFullAtTheStart(t *testing.T) {
	w := &world{path: t.TempDir()}
	k := w.start(t)
	k.Counter().Count(ping(t), count.RequestID{}, 0)
	w.kill(t, k)
	w.set(errors.New("the disk is full"))
	k = w.start(t)
	assert.EqualValues(t, 1, calls(k))
	assert.Equal(t, "name 1", k.Name())
	w.kill(t, k)
	w.set(nil)
	k = w.start(t)
	assert.Zero(t, calls(k))
	assert.NotEqual(t, "name 1", k.Name())
	require.NoError(t, k.Close())
}

func TestInUse(t *testing.T) {
	w := &world{path: t.TempDir()}
	k := w.start(t)
	_, err := Start(Settings{Open: func() (place.Place, error) { return place.Open(w.path, "sli") },
		Name: func() string { return "b" }, Logger: zap.NewNop()})
	require.ErrorIs(t, err, place.ErrInUse)
	require.NoError(t, k.Close())
}
