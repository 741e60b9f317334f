package fsync

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/spanlog"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDisk = errors.New("broken")

// All calls during a run share the next one; none shares a run that began before it.
func TestRequestsShareRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		y := New(func() error {
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		}, 0)
		began := time.Now()
		require.NoError(t, y.Wait(t.Context(), never))
		require.Equal(t, time.Second, time.Since(began))
		require.EqualValues(t, 1, runs.Load())

		var all sync.WaitGroup
		all.Go(func() { require.NoError(t, y.Wait(t.Context(), never)) })
		synctest.Wait()
		require.EqualValues(t, 2, runs.Load())
		time.Sleep(500 * time.Millisecond)
		for range 100 {
			all.Go(func() {
				began := time.Now()
				require.NoError(t, y.Wait(t.Context(), never))
				require.Equal(t, 1500*time.Millisecond, time.Since(began))
			})
		}
		all.Wait()
		require.EqualValues(t, 3, runs.Load())
		require.NoError(t, y.Health())
		require.NoError(t, y.Close())
		require.EqualValues(t, 4, runs.Load(), "for the last time")
	})
}

// A failure is an error for those who shared the run, and for Health until a run succeeds.
func TestFailedRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		y := New(func() error {
			if fail {
				return errDisk
			}
			return nil
		}, 0)
		require.NoError(t, y.Health())
		err := y.Wait(t.Context(), never)
		require.ErrorIs(t, err, errDisk)
		require.ErrorIs(t, err, spanlog.ErrDisk)
		require.Equal(t, errDisk, y.Health())
		fail = false
		require.NoError(t, y.Wait(t.Context(), never))
		require.NoError(t, y.Health())
		fail = true
		require.Equal(t, errDisk, y.Close())
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := New(func() error {
			time.Sleep(time.Hour)
			return nil
		}, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, y.Wait(ctx, never), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		require.ErrorIs(t, y.Wait(t.Context(), time.Now().Add(time.Second)), ErrSlow)
		require.Equal(t, 2*time.Second, time.Since(began))
		require.ErrorIs(t, y.Close(), ErrSlow)
		require.Equal(t, 2*time.Second+closeTimeout, time.Since(began))
		time.Sleep(3 * time.Hour) // the run in progress, and the last
	})
}

// With an interval no request waits.
func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		y := New(func() error {
			if runs.Add(1) == 2 {
				return errDisk
			}
			return nil
		}, time.Minute)
		require.NoError(t, y.Wait(t.Context(), never))
		time.Sleep(time.Minute - 1)
		require.Zero(t, runs.Load())
		for i, want := range []error{nil, errDisk, nil} {
			time.Sleep(time.Minute)
			synctest.Wait()
			require.EqualValues(t, i+1, runs.Load())
			require.Equal(t, want, y.Health())
		}
		require.NoError(t, y.Close())
		require.EqualValues(t, 4, runs.Load())
		time.Sleep(time.Hour)
		require.EqualValues(t, 4, runs.Load())
	})
}

func TestNilSyncer(t *testing.T) {
	var y *Syncer
	require.NoError(t, y.Wait(t.Context(), never))
	require.NoError(t, y.Health())
	require.NoError(t, y.Close())
}
