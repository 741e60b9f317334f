package status

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/fsync"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
)

func TestHealthWhileStarting(t *testing.T) {
	s := newScene(t, false)
	require.Equal(t, host.Health{Blocking: true, Message: "is starting"}, s.Health())
	s.Store = recovery.NewStore("", s.Buffer, s.Versions.Names, nil)
	require.Equal(t, host.Health{Blocking: true, Message: "reads buffered spans back: 0.0KiB of 0.0KiB (0 %)"}, s.Health())
	s.Buffer.Close()
}

func TestHealthIsGood(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Equal(t, host.Health{OK: true, Message: fmt.Sprintf("3 traces wait for a decision, %s of 16.0MiB used",
			units.About(s.Buffer.Pool.Used()))}, s.Health())
	})
}

// A refusal blocks the gateway for five seconds, and for a minute if nothing was accepted since.
func TestHealthAfterARefusal(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Error(t, s.Refusals.Refuse(1, spanlog.ErrMemoryBudget))
		blocked := func() {
			h := s.Health()
			require.True(t, h.Blocking)
			require.False(t, h.OK)
			require.Regexp(t, "^refuses spans: memory_budget of 1GiB is used up", h.Message)
		}
		time.Sleep(time.Minute - 1)
		blocked()
		time.Sleep(time.Nanosecond)
		require.True(t, s.Health().OK)
		require.Error(t, s.Refusals.Refuse(1, spanlog.ErrMemoryBudget))
		s.Refusals.Accepted()
		time.Sleep(5*time.Second - 1)
		blocked()
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
		require.Error(t, y.Wait(t.Context(), never))
		require.Equal(t, host.Health{Message: "spans would not survive a power cut: broken"}, s.Health())
		mu.Lock()
		err = nil
		mu.Unlock()
		require.NoError(t, y.Wait(t.Context(), never))
		require.True(t, s.Health().OK)
		require.NoError(t, y.Close())
	})
}

// inFlight is a scene with the kept traces of play, which only the first destination has not received.
func inFlight(t *testing.T, accept func(ctx context.Context) error, test func(t *testing.T, s *scene, undelivered int64)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second)
		s := newScene(t, true)
		s.next.accept = func(ctx context.Context, to string) error {
			if to == destinations[0].ID {
				return accept(ctx)
			}
			return nil
		}
		time.Sleep(time.Second)
		s.play()
		undelivered := s.Buffer.Sum().Undelivered
		end := s.run()
		synctest.Wait()
		test(t, s, undelivered)
		end()
	})
}

// While kept traces wait for a destination, their number and the next try are shown. A destination without a backlog is not
// mentioned.
func TestHealthWhileADestinationFails(t *testing.T) {
	inFlight(t, func(context.Context) error { return errBroken }, func(t *testing.T, s *scene, undelivered int64) {
		d := s.Output.Destinations[0]
		at := d.RetryAt()
		require.NotZero(t, at)
		require.Equal(t, host.Health{Message: fmt.Sprintf("%d kept traces wait for otlp_grpc/backend, which is tried again in %v (broken)", undelivered,
			at.Sub(s.Buffer.Now()).Round(100*time.Millisecond))}, s.Health())
		require.Equal(t, "retrying", s.Destinations().Destinations[0].State)
		require.Equal(t, "delivering", s.Destinations().Destinations[1].State)
		s.next.set(nil)
		time.Sleep(time.Minute)
		require.Zero(t, d.RetryAt())
		require.True(t, s.Health().OK)
	})
}

// A destination that refuses the gateway itself is named from the first answer on, and what it loses in the end.
func TestHealthWhileADestinationRefusesTheGateway(t *testing.T) {
	refuses := &answer.Error{Class: answer.Gateway, Code: "HTTP 401", Text: "who are you?"}
	inFlight(t, func(context.Context) error { return refuses }, func(t *testing.T, s *scene, undelivered int64) {
		require.Equal(t, host.Health{Message: fmt.Sprintf("otlp_grpc/backend refuses this gateway (HTTP 401: who are you?): "+
			"%d kept traces wait; see its endpoint and the exporter's credentials", undelivered)}, s.Health())
		shown := s.Destinations().Destinations[0]
		require.Equal(t, "refuses_gateway", shown.State)
		require.Equal(t, "gateway", shown.LastAnswer.Class)
		require.NotNil(t, shown.RefusesSince)
		time.Sleep(time.Hour + time.Minute)
		require.Regexp(t, fmt.Sprintf(`: 0 kept traces wait; .*\. %d kept traces for otlp_grpc/backend were given up: refusal_patience is used up$`, undelivered),
			s.Health().Message)
		require.EqualValues(t, undelivered, s.Destinations().Destinations[0].UndeliveredTraces)
	})
}

// HTTP 500 for every request can have any cause: the advice does not mention credentials.
func TestHealthWhileADestinationFailsForAll(t *testing.T) {
	fails := &answer.Error{Class: answer.Either, Code: "HTTP 500", Text: "oops"}
	inFlight(t, func(context.Context) error { return fails }, func(t *testing.T, s *scene, undelivered int64) {
		time.Sleep(10 * time.Minute)
		require.NotZero(t, s.Output.Destinations[0].RefusesSince())
		require.Equal(t, host.Health{
			Message: fmt.Sprintf("otlp_grpc/backend fails whatever it is sent (HTTP 500: oops): %d kept traces wait", undelivered),
		}, s.Health())
	})
}

// If spans are refused because of a backlog, the destination is named.
func TestHealthWhereABacklogIsInTheWay(t *testing.T) {
	inFlight(t, func(context.Context) error { return errBroken }, func(t *testing.T, s *scene, _ int64) {
		s.Backlogs.Limit, s.Backlogs.Refuse = 1, true
		s.Backlogs.Keep(nil)
		require.Error(t, s.Refusals.Refuse(1, refuse.ErrDeliveryBudget))
		require.Regexp(t, `^refuses spans: delivery_budget of 1GiB is used up .*; 0\.\dKiB wait for otlp_grpc/backend$`, s.Health().Message)
	})
}

// Refused traces do not wait: only their bytes are in the backlog.
func TestRefusedTracesAreNotInTheBacklog(t *testing.T) {
	refuses := &answer.Error{Class: answer.Data, Code: "HTTP 400", Text: "odd"}
	inFlight(t, func(context.Context) error { return refuses }, func(t *testing.T, s *scene, undelivered int64) {
		time.Sleep(time.Hour)
		shown := s.Destinations().Destinations[0]
		require.Equal(t, undelivered, shown.RefusedTraces)
		require.Positive(t, shown.Backlog.Bytes)
		require.Equal(t, Backlog{Bytes: shown.Backlog.Bytes}, shown.Backlog)
		require.Equal(t, host.Health{
			Message: fmt.Sprintf("otlp_grpc/backend refused %d traces for good: see slowburn retry", undelivered),
		}, s.Health())
	})
}

// A destination that has not answered for more than ten seconds is reported.
func TestHealthWhileADestinationHangs(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	inFlight(t, hang, func(t *testing.T, s *scene, undelivered int64) {
		require.Equal(t, s.Buffer.Now(), s.Output.Destinations[0].CallingSince())
		time.Sleep(10 * time.Second)
		require.True(t, s.Health().OK)
		time.Sleep(time.Nanosecond)
		require.Equal(t, host.Health{
			Message: fmt.Sprintf("%d kept traces wait for otlp_grpc/backend, which has not answered for 10s", undelivered),
		}, s.Health())
		require.Equal(t, "slow", s.Destinations().Destinations[0].State)
		time.Sleep(90*time.Second + 600*time.Millisecond)
		require.Contains(t, s.Health().Message, "not answered for 1m41s")
	})
}

// A destination that hangs until the exporter's timeout counts as retrying from the first failure on, even during a call.
func TestHealthWhileCallsTimeOut(t *testing.T) {
	var works atomic.Bool
	hang := func(ctx context.Context) error {
		if works.Load() {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	inFlight(t, hang, func(t *testing.T, s *scene, _ int64) {
		d := s.Output.Destinations[0]
		require.True(t, s.Health().OK)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		calling := 0
		for range 600 {
			require.False(t, s.Health().OK)
			require.Equal(t, "retrying", s.Destinations().Destinations[0].State)
			if d.RetryAt() == 0 {
				calling++
			}
			time.Sleep(100 * time.Millisecond)
		}
		require.Positive(t, calling)
		works.Store(true)
		time.Sleep(time.Minute)
		require.Equal(t, "delivering", s.Destinations().Destinations[0].State)
		require.Nil(t, s.Destinations().Destinations[0].RetryAt)
		require.True(t, s.Health().OK)
	})
}

// Each waiting sender is shown.
func TestHealthOfEachSender(t *testing.T) {
	seen := map[int]bool{}
	for trace := byte(1); len(seen) < 2; trace++ {
		for _, hangs := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Second)
				s := newScene(t, false)
				s.Buffer.SetReady()
				m, _ := s.Buffer.Of(idOf(trace))
				seen[slices.Index(s.Buffer.Members, m)] = true
				s.next.accept = func(ctx context.Context, _ string) error {
					if hangs {
						<-ctx.Done()
					}
					return errBroken
				}
				s.add(testSpan{trace: trace, failed: true})
				time.Sleep(10 * time.Second)
				s.due()
				end := s.run()
				time.Sleep(100 * time.Millisecond) // the pause lets the other goroutine settle the state that both read
				synctest.Wait()
				for _, d := range s.Output.Destinations {
					if hangs {
						require.NotZero(t, d.CallingSince())
						require.Zero(t, d.RetryAt())
					} else {
						require.Greater(t, d.RetryAt(), s.Buffer.Now())
						require.Zero(t, d.CallingSince())
					}
				}
				if !hangs {
					require.Regexp(t, `^1 kept trace waits for otlp_grpc/backend, which is tried again in \d+ms \(broken\)\. `+
						`1 kept trace waits for traces/sampled, which is tried again in \d+ms \(broken\)$`, s.Health().Message)
				}
				end()
			})
		}
	}
}
