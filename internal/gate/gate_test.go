package gate_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a gate for one request at a time.
func small() gate.Settings {
	return gate.Settings{Slots: gate.NewSlots(1), Waiting: 1, Timeout: patience, Memory: 100}
}

const patience = 10 * time.Second

func TestProcessors(t *testing.T) { assert.Positive(t, gate.Processors()) }

// TestQueue: one runs, one waits, the next is refused at once, and the waiting one is next.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(small())
		first, err := g.Enter(t.Context())
		require.NoError(t, err)
		entered := make(chan *gate.Turn)
		go func() {
			second, err := g.Enter(t.Context())
			assert.NoError(t, err)
			entered <- second
		}()
		synctest.Wait()
		assert.Equal(t, gate.State{Running: 1, Waiting: 1}, g.State())

		_, err = g.Enter(t.Context())
		var busy *gate.Busy
		require.ErrorAs(t, err, &busy)
		require.ErrorContains(t, err, "1 requests run and 1 wait: ask again in 2s")
		header := http.Header{}
		busy.Header(header)
		assert.Equal(t, "2", header.Get("Retry-After"))

		first.Computed()
		second := <-entered
		assert.Equal(t, gate.State{Running: 1, Refused: 1}, g.State())
		first.Leave()
		first.Leave()
		second.Leave()
		assert.Equal(t, gate.State{Refused: 1}, g.State())
	})
}

// TestWaiting ends when the client disconnects, and at the gate's timeout.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(small())
		first, err := g.Enter(t.Context())
		require.NoError(t, err)
		defer first.Leave()

		start := time.Now()
		_, err = g.Enter(t.Context())
		var busy *gate.Busy
		require.ErrorAs(t, err, &busy)
		assert.Equal(t, patience, time.Since(start))

		gone := errors.New("the client has gone")
		leaving, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { leave(gone) })
		start = time.Now()
		_, err = g.Enter(leaving)
		require.ErrorIs(t, err, gone)
		assert.Equal(t, time.Second, time.Since(start))
		_, err = g.Enter(leaving)
		require.ErrorIs(t, err, gone)
		assert.Equal(t, gate.State{Running: 1, Refused: 1}, g.State())
	})
}

// TestMemory: running requests together never reserve more than the whole, and all requests finish.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Settings{Slots: gate.NewSlots(8), Waiting: 100, Timeout: time.Hour, Memory: 100})
		var mu sync.Mutex
		held, most := int64(0), int64(0)
		hold := func(n int64) {
			mu.Lock()
			defer mu.Unlock()
			held += n
			most = max(most, held)
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				turn, err := g.Enter(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				defer turn.Leave()
				for _, n := range []int64{10, 40, 100, 1000} {
					if !assert.NoError(t, turn.Reserve(t.Context(), n)) {
						return
					}
					n = min(n, turn.Memory())
					hold(n)
					time.Sleep(time.Millisecond)
					hold(-n)
				}
				turn.Keep(1000) // no more than it has reserved
				turn.Keep(5)
			})
		}
		all.Wait()
		assert.EqualValues(t, 100, most)
		assert.Equal(t, gate.State{}, g.State())
		assert.EqualValues(t, 100, g.Memory())
	})
}

// TestMemoryWait ends at the gate's timeout, and leaves nothing reserved.
func TestMemoryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Settings{Slots: gate.NewSlots(2), Timeout: time.Second, Memory: 100})
		first, err := g.Enter(t.Context())
		require.NoError(t, err)
		require.NoError(t, first.Reserve(t.Context(), 60))
		second, err := g.Enter(t.Context())
		require.NoError(t, err)
		require.NoError(t, second.Reserve(t.Context(), 40))
		var busy *gate.Busy
		require.ErrorAs(t, second.Reserve(t.Context(), 50), &busy)
		assert.EqualValues(t, 60, g.State().Reserved)
		first.Keep(10)
		require.NoError(t, second.Reserve(t.Context(), 90))
		first.Leave()
		second.Leave()
		assert.Equal(t, gate.State{Refused: 1}, g.State())
	})
}

// TestSharedSlots: a request in one gate occupies a slot of the other.
func TestSharedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := gate.NewSlots(1)
		a := gate.New(gate.Settings{Slots: slots, Timeout: time.Second, Memory: 1})
		b := gate.New(gate.Settings{Slots: slots, Waiting: 1, Timeout: time.Second, Memory: 1})
		turn, err := a.Enter(t.Context())
		require.NoError(t, err)
		time.AfterFunc(time.Millisecond, turn.Leave)
		other, err := b.Enter(t.Context())
		require.NoError(t, err)
		other.Leave()
	})
}
