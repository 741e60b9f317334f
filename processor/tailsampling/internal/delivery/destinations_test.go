package delivery

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

var (
	errRetry   = &answer.Error{Class: answer.Retry, Code: "HTTP 503", Text: "not now"}
	errData    = &answer.Error{Class: answer.Data, Code: "INVALID_ARGUMENT", Text: "odd trace"}
	errGateway = &answer.Error{Class: answer.Gateway, Code: "HTTP 401", Text: "who are you?"}
	errEither  = &answer.Error{Class: answer.Either, Code: "HTTP 500", Text: "oops"}
)

// decoded is a destination that takes decoded spans.
var decoded = destination.Destination{ID: "traces", Pipeline: "traces", Exporters: []string{"kafka"}}

// withDestinations runs a test with one shard and one running sender per destination.
func withDestinations(t *testing.T, list []destination.Destination, test func(t *testing.T, s *setup, r *running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1, list...)
		time.Sleep(time.Second) // an instant of 0 is never
		r := s.run(1)
		test(t, s, r)
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}

// keepAll keeps traces with these numbers, in one request.
func (s *setup) keepAll(traces ...byte) {
	for _, n := range traces {
		s.add(request(s.t, testSpan{trace: n}, testSpan{trace: n, id: 1}))
	}
	s.decide()
}

func upTo(n byte) (list []byte) {
	for i := range n {
		list = append(list, i+1)
	}
	return list
}

func sorted(list []byte) []byte {
	list = append([]byte{}, list...)
	slices.Sort(list)
	return list
}

// A failing destination delays no other, whatever it answers, and no other gets a trace again because of it. When it works
// again it gets each trace once.
func TestFailingDestinationDelaysNoOther(t *testing.T) {
	hang := errors.New("hangs")
	for name, answered := range map[string]error{
		"unavailable": errRetry, "hangs": hang, "refuses the gateway": errGateway, "fails": errEither,
	} {
		t.Run(name, func(t *testing.T) {
			list := []destination.Destination{asBytes("good"), asBytes("bad"), decoded}
			withDestinations(t, list, func(t *testing.T, s *setup, r *running) {
				var broken atomic.Bool
				broken.Store(true)
				mended := make(chan struct{})
				s.sink.answer = func(to string, _ []byte) error {
					if to != "bad" || !broken.Load() {
						return nil
					}
					if errors.Is(answered, hang) {
						<-mended
						return nil
					}
					return answered
				}
				for n := range byte(10) {
					s.keepAll(n + 1)
					time.Sleep(time.Second)
				}
				synctest.Wait()
				require.Equal(t, upTo(10), s.sink.got("good"))
				require.Equal(t, upTo(10), s.sink.got(""))
				require.Empty(t, s.sink.got("bad"))
				require.EqualValues(t, 10, s.Destinations[1].Backlog().Traces)
				require.Zero(t, s.Destinations[0].Backlog().Traces)
				require.EqualValues(t, 10, s.Buffer.Sum().Undelivered, "records stay until every destination has them")
				if !errors.Is(answered, errEither) { // as it may concern the destination itself, too
					require.Equal(t, errors.Is(answered, errGateway), s.Destinations[1].RefusesSince() != 0)
				}

				broken.Store(false)
				close(mended)
				time.Sleep(time.Minute)
				require.Equal(t, upTo(10), sorted(s.sink.got("bad")))
				require.Equal(t, upTo(10), s.sink.got("good"))
				require.Zero(t, s.Buffer.Sum().Present)
				require.Zero(t, s.Destinations[1].RefusesSince())
				r.end()
			})
		})
	}
}

// Wherever the bad traces are among 200, each of them is refused for good, and no other; the others arrive once.
func TestHalvingFindsTheBadTraces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, bad := range []int{0, 1, 2, 3, 17, 100, 199, 200} {
		for range 4 {
			all := upTo(200)
			rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			poison := sorted(all[:bad])
			for _, config := range []destination.Destination{asBytes("backend"), decoded} {
				withDestinations(t, []destination.Destination{config}, func(t *testing.T, s *setup, r *running) {
					s.sink.answer = func(_ string, traces []byte) error {
						if slices.ContainsFunc(traces, func(n byte) bool { return slices.Contains(poison, n) }) {
							return errData
						}
						return nil
					}
					s.keepAll(upTo(200)...)
					synctest.Wait()
					to := config.ID
					if !config.Bytes {
						to = ""
					}
					require.Equal(t, sorted(all[bad:]), sorted(s.sink.got(to)))
					list, total := s.LatestRefused(1000)
					require.Equal(t, bad, total)
					var refused []byte
					for _, trace := range list {
						refused = append(refused, trace.ID[0])
						require.Equal(t, "odd trace", trace.Text)
						require.Equal(t, "INVALID_ARGUMENT", trace.Code)
					}
					require.Equal(t, poison, sorted(refused))
					require.EqualValues(t, bad, s.Buffer.Sum().Undelivered, "they stay in the log")
					require.EqualValues(t, 2*bad, s.RefusedSpans())
					r.end()
				})
			}
		}
	}
}

// A trace that always draws a retryable error waits apart, and is tried again; the others arrive.
func TestTraceThatAlwaysFailsWaitsApart(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		var mended atomic.Bool
		s.sink.answer = func(_ string, traces []byte) error {
			if bytes.IndexByte(traces, 3) >= 0 && !mended.Load() {
				return errRetry
			}
			return nil
		}
		s.keepAll(upTo(8)...)
		time.Sleep(time.Second)
		require.Empty(t, s.sink.got("backend"))
		s.keepAll(9)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []byte{1, 2, 4, 5, 6, 7, 8, 9}, sorted(s.sink.got("backend")))
		time.Sleep(5 * time.Minute)
		require.EqualValues(t, 1, s.Destinations[0].Apart.Load())
		s.keepAll(10)
		time.Sleep(time.Second)
		require.Contains(t, s.sink.got("backend"), byte(10), "they are not behind it")
		calls := s.sink.callCount()
		time.Sleep(time.Hour)
		require.InDelta(t, 6, s.sink.callCount()-calls, 3, "it is tried again, more and more seldom")
		mended.Store(true)
		time.Sleep(15 * time.Minute)
		require.Equal(t, upTo(10), sorted(s.sink.got("backend")))
		require.Zero(t, s.Destinations[0].Apart.Load())
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}

// Traces that wait apart are tried once more before the end.
func TestDrainTriesTracesThatWaitApart(t *testing.T) {
	for _, mended := range []bool{true, false} {
		withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
			var fails atomic.Bool
			fails.Store(true)
			s.sink.answer = func(_ string, traces []byte) error {
				if bytes.IndexByte(traces, 1) >= 0 && fails.Load() {
					return errRetry
				}
				return nil
			}
			s.keepAll(1)
			time.Sleep(time.Second)
			s.keepAll(2)
			time.Sleep(2 * time.Minute)
			s.keepAll(3)
			time.Sleep(time.Minute)
			require.EqualValues(t, 1, s.Destinations[0].Apart.Load())
			fails.Store(!mended)
			calls, began := s.sink.callCount(), time.Now()
			r.end()
			require.Equal(t, calls+1, s.sink.callCount())
			require.Less(t, time.Since(began), time.Second)
			require.Equal(t, mended, s.Buffer.Sum().Undelivered == 0)
			require.Zero(t, s.Destinations[0].Apart.Load(), "nobody tries it again")
		})
	}
}

// A trace that draws 500 alone while others are accepted is refused for good; if nothing is accepted, the destination counts
// as refusing the gateway.
func TestAnswersThatCanBeEither(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		var all atomic.Bool
		s.sink.answer = func(_ string, traces []byte) error {
			if all.Load() || bytes.IndexByte(traces, 3) >= 0 {
				return errEither
			}
			return nil
		}
		s.keepAll(upTo(8)...)
		time.Sleep(2 * time.Minute)
		require.Equal(t, []byte{1, 2, 4, 5, 6, 7, 8}, sorted(s.sink.got("backend")))
		list, _ := s.LatestRefused(10)
		require.Len(t, list, 1)
		require.Equal(t, byte(3), list[0].ID[0])
		require.Zero(t, s.Destinations[0].RefusesSince())

		all.Store(true)
		time.Sleep(2 * time.Minute)
		s.keepAll(9, 10)
		time.Sleep(10 * time.Minute)
		require.NotZero(t, s.Destinations[0].RefusesSince())
		require.EqualValues(t, 1, s.Destinations[0].Refused.Len())
		all.Store(false)
		time.Sleep(time.Minute)
		require.Equal(t, []byte{1, 2, 4, 5, 6, 7, 8, 9, 10}, sorted(s.sink.got("backend")))
		require.Zero(t, s.Destinations[0].RefusesSince())
		r.end()
	})
}

// After an outage one acceptance ends the pauses of all senders, except delays that the destination asked for.
func TestAnAcceptanceEndsPauses(t *testing.T) {
	for name, tc := range map[string]struct {
		failure *answer.Error
		after   time.Duration // until everything is delivered
	}{
		"they back off": {errRetry, time.Second},
		"asked to":      {&answer.Error{Class: answer.Retry, Code: "HTTP 503", Delay: 4 * time.Minute}, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSetup(t, 8, asBytes("backend"))
				time.Sleep(time.Second)
				var broken atomic.Bool
				broken.Store(true)
				s.sink.answer = func(_ string, traces []byte) error {
					if broken.Load() {
						return tc.failure
					}
					return nil
				}
				r := s.run(8)
				d := s.Destinations[0]
				s.keepAll(upTo(40)...)
				time.Sleep(3*time.Minute + 59*time.Second)
				require.NotZero(t, d.RetryAt())
				require.NotZero(t, d.FailsSince())
				broken.Store(false)
				for d.AcceptedAt() == 0 {
					time.Sleep(time.Millisecond)
				}
				require.Zero(t, d.RetryAt())
				require.Zero(t, d.FailsSince())
				time.Sleep(tc.after)
				synctest.Wait()
				require.Zero(t, d.Backlog().Traces)
				require.Equal(t, 1, s.logs.FilterMessage("destination works again").Len())
				r.end()
				s.Buffer.Close()
			})
		})
	}
}

// A destination that refuses the gateway loses nothing for an hour. Then traces are given up as they become an hour old.
func TestPatience(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend"), asBytes("good")}, func(t *testing.T, s *setup, r *running) {
		var mended atomic.Bool
		s.sink.answer = func(to string, _ []byte) error {
			if to == "backend" && !mended.Load() {
				return errGateway
			}
			return nil
		}
		for n := range byte(8) { // 10 minutes apart
			s.keepAll(n + 1)
			time.Sleep(time.Minute)
			require.NotZero(t, s.Destinations[0].RefusesSince())
			if n < 6 {
				require.Zero(t, s.Destinations[0].UndeliveredTraces.Load(), "after %d", n)
			}
			time.Sleep(9 * time.Minute)
		}
		require.EqualValues(t, 2, s.Destinations[0].UndeliveredTraces.Load(), "those of 80 and 70 minutes ago")
		require.EqualValues(t, 4, s.Destinations[0].UndeliveredSpans.Load())
		at, why := s.Destinations[0].GaveUpAt()
		require.NotZero(t, at)
		require.Equal(t, "refusal_patience is used up", why.String())
		require.Equal(t, map[string]any{"destination": "backend", "reason": why.String(), "traces": int64(2), "spans": int64(4)}, s.losses())
		mended.Store(true)
		time.Sleep(time.Minute)
		require.Equal(t, []byte{3, 4, 5, 6, 7, 8}, sorted(s.sink.got("backend")))
		require.Equal(t, upTo(8), s.sink.got("good"))
		require.Zero(t, s.Destinations[0].RefusesSince())
		require.Zero(t, s.Buffer.Sum().Present)
		require.Equal(t, 1, s.logs.FilterMessageSnippet("refuses this gateway").Len(), "it is said once")
		r.end()
	})
}

// Spans that a destination has already are not sent again, and its progress on a trace does not count against
// the trace.
func TestProgress(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		sent := 0
		s.sink.kept = func(k *wire.Kept) {
			for i := range k.Spans {
				if !k.Spans[i].Sent {
					k.Spans[i].Sent = true
					sent++
					return
				}
			}
		}
		s.sink.accept = func(context.Context, int) error {
			if sent < 20 {
				return errRetry
			}
			return nil
		}
		s.keep(many(1, 20)...)
		time.Sleep(time.Hour)
		require.Equal(t, 20, s.sink.callCount())
		require.NotZero(t, s.Destinations[0].AcceptedAt())
		require.Zero(t, s.Buffer.Sum().Present)
		require.Zero(t, s.Destinations[0].Apart.Load())
		r.end()
	})
}

// A trace of several requests arrives at a destination that refuses every second one, whatever others it accepts in between: a partly
// accepted trace stays in hand.
func TestProgressBesideOthers(t *testing.T) {
	for others := range byte(4) {
		withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
			requests, failed := 0, false
			s.sink.kept = func(k *wire.Kept) { // a request for each span
				failed = false
				for i := range k.Spans {
					if k.Spans[i].Sent {
						continue
					}
					if requests++; requests%2 == 0 {
						failed = true
						return
					}
					k.Spans[i].Sent = true
				}
			}
			s.sink.accept = func(context.Context, int) error {
				if failed {
					return errRetry
				}
				return nil
			}
			s.keep(many(1, 7)...)
			for n := range 100 * others {
				time.Sleep(100 * time.Millisecond / time.Duration(others))
				s.keep(testSpan{trace: 2 + n%250})
			}
			time.Sleep(time.Hour)
			require.Zero(t, s.Buffer.Sum().Present, "%d other traces each 100 ms", others)
			require.Contains(t, s.sink.got("backend"), byte(1))
			r.end()
		})
	}
}

// If no component takes the wire bytes they are passed on decoded, with an error in the log.
func TestBytesThatNoComponentTakes(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		s.sink.deaf = true
		s.keepAll(1, 2)
		synctest.Wait()
		require.Equal(t, []byte{1, 2}, s.sink.got(""))
		require.Equal(t, 2, s.sink.callCount())
		require.Contains(t, s.logs.All()[0].Message, "no component took kept traces as bytes")
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}

// Spans that a destination rejects from an accepted request are counted, with its reason.
func TestRejectedSpans(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		s.sink.kept = func(k *wire.Kept) { k.Rejected, k.RejectedReason = 1, "too old" }
		s.keepAll(1)
		synctest.Wait()
		require.EqualValues(t, 1, s.Destinations[0].Rejected.Load())
		require.Equal(t, "too old", s.Destinations[0].RejectedReason())
		require.EqualValues(t, 2, s.Destinations[0].DeliveredSpans.Load())
		r.end()
	})
}

// Over maxRefused, the destination's oldest refused trace is given up; no other destination loses one.
func TestRefusedAreBounded(t *testing.T) {
	trace := func(n int) RefusedTrace {
		return RefusedTrace{Kept: shard.Kept{Ref: shard.Ref{Slot: index.Slot(n + 1)}}, At: clock.Monotonic(n)}
	}
	o := &Output{Destinations: []*Destination{{}, {}}}
	r, other := &o.Destinations[0].Refused, &o.Destinations[1].Refused
	_, full := other.add(trace(3), errData)
	require.False(t, full)
	for i := range maxRefused {
		_, full := r.add(trace(i), errData)
		require.False(t, full, i)
	}
	oldest, full := r.add(trace(maxRefused), &answer.Error{Text: string(make([]byte, 2*maxText))})
	require.True(t, full)
	require.Equal(t, trace(0).Ref, oldest.Ref)
	latest, total := o.LatestRefused(2)
	require.Equal(t, maxRefused+1, total)
	require.Len(t, latest, 2)
	require.Len(t, latest[0].Text, maxText)
	require.Equal(t, trace(maxRefused-1).Ref, latest[1].Ref)
	r.remove(latest[0].Ref)
	other.remove(latest[1].Ref)
	require.Equal(t, maxRefused-1, r.Len())
	require.Equal(t, 1, other.Len())
}

// All refused traces are sent again, unlisted ones included: each once, oldest first.
func TestRetryAllRefused(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("a"), asBytes("b")}, func(t *testing.T, s *setup, r *running) {
		var takes atomic.Bool
		s.sink.answer = func(to string, _ []byte) error {
			if takes.Load() {
				return nil
			}
			return errData
		}
		s.keepAll(upTo(250)...)
		time.Sleep(time.Minute)
		a, b := s.Destinations[0], s.Destinations[1]
		require.Equal(t, 250, a.Refused.Len())
		require.Equal(t, 250, b.Refused.Len())
		require.Equal(t, 250, s.RetryAllRefused("a"))
		time.Sleep(time.Minute)
		require.Equal(t, 250, a.Refused.Len(), "all are refused again")
		require.EqualValues(t, 4*250, a.RefusedSpans.Load())
		takes.Store(true)
		require.Equal(t, 500, s.RetryAllRefused(""))
		time.Sleep(time.Minute)
		require.Zero(t, s.RetryAllRefused(""))
		require.Zero(t, s.RetryAllRefused("c"))
		require.Equal(t, upTo(250), s.sink.got("a"))
		require.Equal(t, upTo(250), s.sink.got("b"))
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}

// A refused trace that is given up is not listed, however soon that happens.
func TestRefusedTracesThatAreGivenUp(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		d, m := s.Destinations[0], s.Buffer.Members[0]
		s.sink.answer = func(string, []byte) error { return errData }
		stop := make(chan struct{})
		var given sync.WaitGroup
		given.Go(func() { // as the budget does
			for {
				select {
				case <-stop:
					return
				default:
				}
				m.Lock()
				if k, ok := m.Outgoing(0).GiveUpOldest(true, shard.Never, s.Buffer.Now()); ok {
					s.GaveUp(0, &k)
				}
				m.Unlock()
				runtime.Gosched()
			}
		})
		for range 200 {
			s.keepAll(upTo(20)...)
			time.Sleep(0)
			runtime.Gosched()
		}
		for d.Backlog().Traces > 0 {
			runtime.Gosched()
		}
		close(stop)
		given.Wait()
		require.Zero(t, d.Refused.Len())
		r.end()
	})
}

// A trace is counted once for all destinations, when the first receives it.
func TestCountsOfSeveralDestinations(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("down"), asBytes("good"), decoded}, func(t *testing.T, s *setup, r *running) {
		var down atomic.Bool
		down.Store(true)
		s.sink.answer = func(to string, _ []byte) error {
			if to == "down" && down.Load() {
				return errRetry
			}
			return nil
		}
		breakLog(s.Buffer.Members[0], func(_, i int) (spanlog.Record, error, bool) { return spanlog.Record{}, errDisk, i == 3 })
		kept := func() (spans int64) {
			for _, counts := range s.Services.All {
				spans += counts.Kept.Spans.Load()
			}
			return spans
		}
		s.keep(testSpan{trace: 1, service: "a"}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 2})
		time.Sleep(10 * time.Minute)
		for _, isDown := range []bool{true, false} {
			down.Store(isDown)
			time.Sleep(time.Minute)
			require.EqualValues(t, 3, kept(), "down: %v", isDown)
			require.EqualValues(t, 1, s.Repeated.Load())
			require.EqualValues(t, 1, s.Lost.Load())
		}
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}

// A refused trace that is given up in favour of another is logged with its reason.
func TestEvictedRefusedTraceIsLogged(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		d := s.Destinations[0]
		s.sink.answer = func(string, []byte) error { return errData }
		s.keepAll(1)
		synctest.Wait()
		for i := range maxRefused - 1 {
			d.Refused.add(RefusedTrace{Kept: shard.Kept{Ref: shard.Ref{Slot: index.Slot(1000 + i)}}}, errData)
		}
		time.Sleep(time.Minute)
		s.keepAll(2)
		synctest.Wait()
		require.EqualValues(t, 1, d.UndeliveredTraces.Load())
		require.Equal(t, "more traces were refused for good than can be listed", s.losses()["reason"])
		require.Equal(t, 2, s.logs.FilterMessageSnippet("refused a trace for good").Len())
		require.Equal(t, maxRefused, d.Refused.Len())
		r.end()
	})
}

// An answer that says nothing about the sender resets the patience: one 401 before an outage gives nothing up.
func TestOutageAfterARefusalGivesNothingUp(t *testing.T) {
	for _, tc := range []struct {
		name    string
		second  *answer.Error
		givesUp bool
	}{{"nobody answers", errRetry, false}, {"it fails", errEither, true}, {"it refuses", errGateway, true}} {
		t.Run(tc.name, func(t *testing.T) {
			withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
				var answered atomic.Pointer[answer.Error]
				answered.Store(errGateway)
				s.sink.answer = func(string, []byte) error { return answered.Load() }
				s.keepAll(1)
				synctest.Wait()
				require.NotZero(t, s.Destinations[0].RefusesSince())
				answered.Store(tc.second)
				for range 12 {
					time.Sleep(20 * time.Minute)
					s.keepAll(2)
				}
				require.Equal(t, tc.givesUp, s.Destinations[0].UndeliveredTraces.Load() > 0)
				require.Equal(t, tc.givesUp, s.Destinations[0].RefusesSince() != 0)
				r.abort()
			})
		})
	}
}

// The start logs the destinations of kept traces, and that they are unknown.
func TestLogDestinations(t *testing.T) {
	s := newSetup(t, 1, asBytes("backend"), decoded)
	s.Open(s.config, 1)
	s.LogDestinations()
	logs := s.logs.All()
	require.Equal(t, "kept traces go to backend", logs[0].Message)
	require.Equal(t, map[string]any{"pipeline": "traces", "as": "the bytes that they came as", "exporters": []any{"backend"}}, logs[0].ContextMap())
	require.Equal(t, "kept traces go to traces", logs[1].Message)
	require.Equal(t, map[string]any{"pipeline": "traces", "as": "decoded", "exporters": []any{"kafka"}}, logs[1].ContextMap())
	s = newSetup(t, 1)
	s.Open(nil, 1)
	s.LogDestinations()
	require.Contains(t, s.logs.All()[0].Message, "does not have slowburn's converter")
	require.Equal(t, "the next component", s.Destinations[0].Name())
}

// No shard starves: the next load begins where the last one ended.
func TestShardsTakeTurns(t *testing.T) {
	s := newSetup(t, 3, asBytes("backend"))
	s.Open(s.config, 1)
	sender := s.Senders()[0]
	for n := range byte(60) {
		s.add(request(t, many(n+1, maxLoadSpans/2)...))
	}
	s.decide()
	seen := map[int]int{}
	for range 6 {
		require.NoError(t, sender.fill())
		p := sender.next()
		for _, trace := range p.traces {
			seen[slices.Index(s.Buffer.Members, trace.member)]++
		}
		sender.settle(p, 0, nil)
	}
	require.Len(t, seen, 3)
	for i, n := range seen {
		require.GreaterOrEqual(t, n, 3, "shard %d", i)
	}
	sender.memory.free()
	s.Buffer.Close()
}
