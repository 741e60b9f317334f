package status

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/fsync"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
)

func TestHealthWhileStarting(t *testing.T) {
	s := newScene(t, false)
	require.Equal(t, host.Health{Blocking: true, Message: "starts"}, s.Health())
	s.Store = recovery.NewStore("", s.Buffer, s.Versions.Names, nil)
	require.Equal(t, host.Health{Blocking: true, Message: "reads buffered spans back: 0.0KiB of 0.0KiB (0 %)"}, s.Health())
	s.Buffer.Close()
}

func TestHealthIsGood(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Equal(t, host.Health{OK: true, Message: fmt.Sprintf("3 traces wait for a decision, %s of 16.0MiB used",
			bytesize.About(s.Buffer.Pool.Used()))}, s.Health())
	})
}

// A refusal blocks the gateway for five seconds.
func TestHealthAfterARefusal(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Error(t, s.Refusals.Refuse(1, spanlog.ErrMemoryBudget))
		time.Sleep(5*time.Second - 1)
		h := s.Health()
		require.True(t, h.Blocking)
		require.False(t, h.OK)
		require.Regexp(t, "^refuses spans: memory_budget of 1GiB is used up", h.Message)
		time.Sleep(time.Nanosecond)
		require.True(t, s.Health().OK)
	})
}

func TestHealthWhereFsyncFails(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		var mu sync.Mutex
		err := errBroken
		y := fsync.New(func() error {
			mu.Lock()
			defer mu.Unlock()
			return err
		}, 0)
		s.Syncer.Store(y)
		require.True(t, s.Health().OK)
		require.Error(t, y.Wait(t.Context()))
		require.Equal(t, host.Health{Message: "spans would not survive a power cut: broken"}, s.Health())
		mu.Lock()
		err = nil
		mu.Unlock()
		require.NoError(t, y.Wait(t.Context()))
		require.True(t, s.Health().OK)
		require.NoError(t, y.Close())
	})
}

// While kept traces wait for the next component, one can see how many, and until when.
func TestHealthWhileTheNextComponentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second)
		s := newScene(t, true)
		s.next.accept = func(context.Context) error { return errBroken }
		time.Sleep(time.Second)
		s.play()
		undelivered := s.Buffer.Sum().Undelivered
		end := s.run()
		synctest.Wait()
		at := s.Emitters[0].RetryAt()
		other := s.Emitters[1].RetryAt()
		require.NotZero(t, at)
		require.NotZero(t, other)
		require.Equal(t, min(at, other), s.retryAt(), "the first")
		require.Equal(t, host.Health{Message: fmt.Sprintf("%d kept traces wait; next retry in %v", undelivered,
			min(at, other).Sub(s.Buffer.Now()).Round(100*time.Millisecond))}, s.Health())
		s.next.mu.Lock()
		s.next.accept = nil
		s.next.mu.Unlock()
		time.Sleep(time.Minute)
		require.Zero(t, s.retryAt())
		require.True(t, s.Health().OK)
		end()
	})
}

// A next component that has not returned for more than ten seconds is reported.
func TestHealthWhileTheNextComponentHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second)
		s := newScene(t, true)
		s.next.accept = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		time.Sleep(time.Second)
		s.play()
		undelivered := s.Buffer.Sum().Undelivered
		end := s.run()
		synctest.Wait()
		began := s.Buffer.Now()
		require.Equal(t, began, s.callingSince())
		time.Sleep(10 * time.Second)
		require.True(t, s.Health().OK)
		time.Sleep(time.Nanosecond)
		require.Equal(t, host.Health{
			Message: fmt.Sprintf("%d kept traces wait: the next component has not answered for 10s", undelivered),
		}, s.Health())
		time.Sleep(90*time.Second + 600*time.Millisecond)
		require.Contains(t, s.Health().Message, "not answered for 1m41s")
		end()
		require.Zero(t, s.callingSince())
	})
}

// It does not matter which of the emitters it is that waits.
func TestHealthOfEachEmitter(t *testing.T) {
	seen := map[int]bool{}
	for trace := byte(1); len(seen) < 2; trace++ {
		for _, hangs := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Second)
				s := newScene(t, false)
				s.Buffer.SetReady()
				m, _ := s.Buffer.Of(idOf(trace))
				seen[slices.Index(s.Buffer.Members, m)] = true
				s.next.accept = func(ctx context.Context) error {
					if hangs {
						<-ctx.Done()
					}
					return errBroken
				}
				s.add(testSpan{trace: trace, failed: true})
				time.Sleep(10 * time.Second)
				s.due()
				end := s.run()
				synctest.Wait()
				if hangs {
					require.Equal(t, s.Buffer.Now(), s.callingSince())
					require.Zero(t, s.retryAt())
				} else {
					require.Greater(t, s.retryAt(), s.Buffer.Now())
					require.Zero(t, s.callingSince())
					require.Regexp(t, `^1 kept traces wait; next retry in \d+ms$`, s.Health().Message)
				}
				end()
			})
		}
	}
}
