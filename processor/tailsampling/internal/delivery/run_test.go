package delivery

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

func many(trace byte, n int) (list []testSpan) {
	for i := range n {
		list = append(list, testSpan{trace: trace, id: byte(i), start: uint64(i)})
	}
	return list
}

// inBubble runs a test with one shard and one running sender.
func inBubble(t *testing.T, test func(t *testing.T, s *setup, r *running)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1)
		time.Sleep(time.Second) // an instant of 0 is never
		r := s.run(1)
		test(t, s, r)
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}

// Kept traces are delivered in the order of the decisions; those within 100 ms of a batch are gathered for the next.
func TestDeliveryInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		began := time.Now()
		s.keep(testSpan{trace: 9, service: "a"}, testSpan{trace: 9, id: 1, service: "b"})
		synctest.Wait()
		require.Equal(t, [][]byte{{9}}, s.sink.traces(), "at once")
		for _, trace := range []byte{3, 2, 5} {
			time.Sleep(20 * time.Millisecond)
			s.keep(testSpan{trace: trace})
		}
		time.Sleep(40*time.Millisecond - 1)
		synctest.Wait()
		require.Equal(t, 1, s.sink.callCount())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, [][]byte{{9}, {3, 2, 5}}, s.sink.traces())
		require.Equal(t, 100*time.Millisecond, s.sink.calls[1].Sub(began))
		require.EqualValues(t, 5, s.Delivered())
		require.Zero(t, s.Buffer.Sum().Present)
		var services []string
		var spans []int64
		for name, counts := range s.Services.All {
			services, spans = append(services, name), append(spans, counts.Kept.Spans.Load())
			require.Positive(t, counts.Kept.Bytes.Load())
		}
		require.Equal(t, []string{"a", "b", "unknown_service"}, services)
		require.Equal(t, []int64{1, 1, 3}, spans)
		calls, _ := s.Stages.Of(tally.Deliver)
		require.EqualValues(t, 2, calls)
		r.end()
		require.Empty(t, s.logs.All())
	})
}

// A full batch is followed by the next at once.
func TestFullBatchesFollowEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		began := time.Now()
		for n := range byte(5) {
			s.add(request(t, many(n+1, 900)...))
		}
		s.keep()
		synctest.Wait()
		require.Equal(t, 3, s.sink.callCount())
		require.Equal(t, began, s.sink.calls[2])
		require.Equal(t, [][]byte{{1, 2}, {3, 4}, {5}}, s.sink.traces())
		r.end()
	})
}

// Flush and a drain end the wait for a fuller batch.
func TestHurry(t *testing.T) {
	for _, drain := range []bool{false, true} {
		inBubble(t, func(t *testing.T, s *setup, r *running) {
			s.keep(testSpan{trace: 1})
			synctest.Wait()
			s.keep(testSpan{trace: 2})
			synctest.Wait()
			require.Equal(t, 1, s.sink.callCount())
			if drain {
				r.end()
			} else {
				s.Flush()
				synctest.Wait()
			}
			require.Equal(t, [][]byte{{1}, {2}}, s.sink.traces())
			if !drain {
				r.abort()
			}
		})
	}
}

// Each of several senders has its own shards.
func TestSendersShareTheShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 5)
		r := s.run(2)
		require.Len(t, r.senders[0].members, 3)
		require.Len(t, r.senders[1].members, 2)
		for n := range byte(50) {
			s.add(request(t, testSpan{trace: n + 1}))
		}
		s.keep()
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 50, s.Delivered())
		r.end()
		s.Buffer.Close()
	})
}

// After a retryable error everything stays in order and is retried after half a second, and later up to 30 s, with jitter. After
// some failures single traces are tried, and so are later ones.
func TestRetries(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		s.sink.accept = func(_ context.Context, call int) error {
			if call < 10 {
				return errors.New("not now")
			}
			return nil
		}
		s.add(request(t, testSpan{trace: 1}, testSpan{trace: 2}))
		s.keep(testSpan{trace: 3})
		synctest.Wait()
		require.EqualValues(t, 1, s.Destinations[0].Retries.Load())
		at := s.Destinations[0].RetryAt()
		require.Greater(t, at.Sub(s.Buffer.Now()), firstBackoff/2)
		require.LessOrEqual(t, at.Sub(s.Buffer.Now()), firstBackoff*3/2)
		require.EqualValues(t, 3, s.Buffer.Sum().Undelivered)
		s.keep(testSpan{trace: 4})
		time.Sleep(10 * time.Minute)
		require.ElementsMatch(t, []byte{1, 2, 3, 4}, s.sink.got(""))
		require.Zero(t, s.Destinations[0].RetryAt())
		require.EqualValues(t, 10, s.Destinations[0].Retries.Load())
		require.EqualValues(t, 4, s.Delivered())
		nominal := firstBackoff
		for i := range 10 {
			if i == 4 {
				nominal = firstBackoff // the first one that is tried alone
			}
			waited := s.sink.calls[i+1].Sub(s.sink.calls[i])
			require.GreaterOrEqual(t, waited, nominal/2, "the %dth", i)
			require.LessOrEqual(t, waited, nominal*3/2+gatherFor, "the %dth", i)
			nominal = min(2*nominal, maxBackoff)
		}
		require.Contains(t, s.logs.All()[0].Message, "they wait in the span log")
		require.Less(t, s.logs.Len(), 10)

		// Success resets the back-off.
		again := s.sink.callCount()
		s.sink.mu.Lock()
		s.sink.accept = func(_ context.Context, call int) error {
			if call == again {
				return errors.New("not now")
			}
			return nil
		}
		s.sink.mu.Unlock()
		s.keep(testSpan{trace: 5})
		synctest.Wait()
		require.LessOrEqual(t, s.Destinations[0].RetryAt().Sub(s.Buffer.Now()), firstBackoff*3/2)
		time.Sleep(time.Minute)
		require.EqualValues(t, 5, s.Delivered())
		r.end()
	})
}

// The next component may ask for a delay.
func TestRetryAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		st, err := status.New(codes.Unavailable, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(17 * time.Second)})
		require.NoError(t, err)
		s.sink.accept = func(_ context.Context, call int) error {
			if call == 0 {
				return st.Err()
			}
			return nil
		}
		s.keep(testSpan{trace: 1})
		synctest.Wait()
		require.Equal(t, 17*time.Second, s.Destinations[0].RetryAt().Sub(s.Buffer.Now()))
		time.Sleep(17 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, s.Delivered())
		r.end()
	})
}

// A trace that is refused for good stays in the log, counted, and does not stop others. It is sent again on request.
func TestRefusedForGood(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		s.sink.accept = func(_ context.Context, call int) error {
			if call < 2 {
				return consumererror.NewPermanent(errors.New("never"))
			}
			return nil
		}
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1})
		synctest.Wait()
		s.keep(testSpan{trace: 2})
		s.keep(testSpan{trace: 3})
		time.Sleep(time.Second)
		require.EqualValues(t, 2, s.RefusedSpans())
		require.Equal(t, [][]byte{{2}, {3}}, s.sink.traces())
		require.Zero(t, s.Destinations[0].Retries.Load())
		require.EqualValues(t, 1, s.Buffer.Sum().Undelivered)
		entry := s.logs.All()[0]
		require.Equal(t, "destination refused a trace for good, it stays in the span log and is sent again on request", entry.Message)
		require.EqualValues(t, 2, entry.ContextMap()["spans"])
		list, total := s.LatestRefused(10)
		require.Equal(t, 1, total)
		require.Equal(t, "Permanent error: never", list[0].Text)
		require.Equal(t, 2, list[0].Spans)
		require.EqualValues(t, 1, s.Destinations[0].Refused.Len())

		require.Zero(t, s.RetryRefused(list[0].ID, "another"))
		require.Zero(t, s.RetryRefused(wire.TraceID{2}, ""))
		require.Equal(t, 1, s.RetryRefused(list[0].ID, "decoded"))
		synctest.Wait()
		require.Equal(t, [][]byte{{2}, {3}, {1}}, s.sink.traces())
		require.Zero(t, s.Buffer.Sum().Undelivered)
		require.Zero(t, s.Destinations[0].Refused.Len())
		require.Zero(t, s.RetryRefused(list[0].ID, ""))
		r.end()
	})
}

// While the next component does not return, CallingSince shows it.
func TestCallingSince(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		s.sink.accept = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}
		require.Zero(t, s.Destinations[0].CallingSince())
		s.keep(testSpan{trace: 1})
		since := s.Buffer.Now()
		time.Sleep(time.Minute)
		require.Equal(t, since, s.Destinations[0].CallingSince())
		r.abort()
		require.Zero(t, s.Destinations[0].CallingSince())
		require.EqualValues(t, 1, s.Buffer.Sum().Undelivered, "it stays")
	})
}

// A drain ends a pause after an error once, as a last try is worthwhile. Then the back-off goes on until the context
// ends.
func TestDrainTriesOnceMore(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		s.sink.accept = func(context.Context, int) error { return errors.New("not now") }
		s.keep(testSpan{trace: 1})
		time.Sleep(time.Minute)
		calls := s.sink.callCount()
		close(r.drain)
		synctest.Wait()
		require.Equal(t, calls+1, s.sink.callCount())
		require.LessOrEqual(t, s.Destinations[0].RetryAt().Sub(s.Buffer.Now()), firstBackoff*3/2, "from the beginning")
		time.Sleep(time.Minute)
		require.Greater(t, s.sink.callCount(), calls+3)
		require.Less(t, s.sink.callCount(), calls+10)
		r.abort()
		require.EqualValues(t, 1, s.Buffer.Sum().Undelivered)
	})
}

// Traces that the disk fails to read back are retried, with pauses, and delivered once it recovers.
func TestUnreadableTraces(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		l := breakLog(s.Buffer.Members[0], func(reading, i int) (spanlog.Record, error, bool) {
			return spanlog.Record{}, errDisk, reading < 3 && i == 1
		})
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 2})
		s.keep(testSpan{trace: 2})
		synctest.Wait()
		require.Zero(t, s.sink.callCount())
		require.NotZero(t, s.Destinations[0].RetryAt())
		require.Equal(t, "reading kept traces back failed, retrying", s.logs.All()[0].Message)
		time.Sleep(time.Minute)
		require.Equal(t, [][]byte{{1, 2}}, s.sink.traces())
		require.Equal(t, 5, l.readings, "four of the first")
		require.Zero(t, s.Lost.Load())
		require.EqualValues(t, 4, s.Delivered())
		r.end()
	})
}

// While too many files are open a trace is retried until it can be read, however often: no span is lost.
func TestTooManyOpenFiles(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		const failures = 50
		l := breakLog(s.Buffer.Members[0], func(reading, i int) (spanlog.Record, error, bool) {
			return spanlog.Record{}, fmt.Errorf("open: %w", spanlog.ErrTooManyFiles), reading < failures && i == 1
		})
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 2})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Greater(t, l.readings, failures)
		require.Zero(t, s.Lost.Load())
		require.EqualValues(t, 3, s.Delivered())
		r.end()
	})
}

// A fault in mapped memory is an error like any other.
func TestFaultsWhileReading(t *testing.T) {
	bad := func(reading, i int) (spanlog.Record, error, bool) {
		if reading == 0 && i == 1 {
			panic(fault{})
		}
		return spanlog.Record{}, nil, false
	}
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		s.Buffer.Mapped = true
		breakLog(s.Buffer.Members[0], bad)
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1})
		synctest.Wait()
		require.Zero(t, s.Delivered())
		require.Contains(t, s.logs.All()[0].ContextMap()["error"], spanlog.ErrDisk.Error())
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, s.Delivered())
		r.end()
	})
	s := newSetup(t, 1)
	breakLog(s.Buffer.Members[0], bad)
	s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1})
	s.Open(nil, 1)
	require.Panics(t, func() { _ = s.Senders()[0].fill() }, "in memory there is no disk that could fail")
}

// Permanently unreadable spans are lost, counted and logged, and the others are delivered.
func TestLostSpans(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		breakLog(s.Buffer.Members[0], func(_, i int) (spanlog.Record, error, bool) { return spanlog.Record{}, errDisk, i == 1 })
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 2})
		time.Sleep(10 * time.Minute)
		require.EqualValues(t, 1, s.Lost.Load())
		require.EqualValues(t, 2, s.Delivered())
		require.Zero(t, s.Buffer.Sum().Present)
		last := s.logs.All()[s.logs.Len()-1]
		require.Equal(t, "kept spans lost, they cannot be read back", last.Message)
		require.EqualValues(t, 1, last.ContextMap()["spans"])
		require.Equal(t, errDisk.Error(), last.ContextMap()["error"])
		r.end()
	})
}

// Unreadable spans count as lost once their trace is settled, however often it was sent before.
func TestLostSpansOfARetriedTrace(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		const retries = 300
		l := breakLog(s.Buffer.Members[0], func(_, i int) (spanlog.Record, error, bool) { return spanlog.Record{}, errDisk, i == 1 })
		s.sink.accept = func(_ context.Context, call int) error {
			if call < retries {
				return errors.New("not now")
			}
			return nil
		}
		lost := func() int { return s.logs.FilterMessage("kept spans lost, they cannot be read back").Len() }
		s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1}, testSpan{trace: 1, id: 2})
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Greater(t, s.sink.callCount(), 10)
		require.Zero(t, s.Lost.Load())
		require.Zero(t, lost())
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		require.Equal(t, retries+1, s.sink.callCount())
		require.Equal(t, 6, l.readings, "it is held")
		require.EqualValues(t, 1, s.Lost.Load())
		require.Equal(t, 1, lost())
		require.EqualValues(t, 2, s.Delivered())
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}

// A drain ends only after unreadable traces were given up.
func TestDrainWaitsForUnreadableTraces(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		breakLog(s.Buffer.Members[0], func(reading, i int) (spanlog.Record, error, bool) { return spanlog.Record{}, errDisk, reading < 2 })
		s.keep(testSpan{trace: 1})
		r.end()
		require.EqualValues(t, 1, s.Delivered())
	})
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		breakLog(s.Buffer.Members[0], func(reading, i int) (spanlog.Record, error, bool) { return spanlog.Record{}, errDisk, true })
		s.keep(testSpan{trace: 1})
		synctest.Wait()
		r.abort()
		require.EqualValues(t, 1, s.Buffer.Sum().Undelivered)
	})
}

// A trace that cannot be decoded would fail every time, so it is given up.
func TestUndecodableSpans(t *testing.T) {
	for name, body := range map[string][]byte{"truncated": {0x0a}, "pdata does not take it": {0x0a, 1, 1}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *setup, r *running) {
				breakLog(s.Buffer.Members[0], func(reading, i int) (spanlog.Record, error, bool) {
					return spanlog.Record{Body: body}, nil, reading == 0
				})
				s.keep(testSpan{trace: 1})
				synctest.Wait()
				require.EqualValues(t, 1, s.Lost.Load())
				require.Equal(t, "kept spans lost, they cannot be decoded", s.logs.All()[0].Message)
				require.Zero(t, s.Buffer.Sum().Undelivered)
				require.Zero(t, s.sink.callCount())
				s.keep(testSpan{trace: 2})
				time.Sleep(time.Second)
				require.EqualValues(t, 1, s.Delivered())
				r.end()
			})
		})
	}
}

// Repeats, spans without a threshold, and fields that are lost in decoding are counted once they are delivered.
func TestCountsOfABatch(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		known := request(t, testSpan{trace: 1})
		breakLog(s.Buffer.Members[0], func(_, i int) (spanlog.Record, error, bool) {
			if i != 0 {
				return spanlog.Record{}, nil, false
			}
			return spanlog.Record{Body: append(bodyOf(t, known), 0xf8, 0x3f, 1)}, nil, true // a field of a later version
		})
		s.sink.accept = func(_ context.Context, call int) error {
			if call == 0 {
				return errors.New("not now")
			}
			return nil
		}
		s.keep(testSpan{trace: 1, id: 3}, testSpan{trace: 1, id: 4}, testSpan{trace: 1, id: 4}, testSpan{trace: 1, id: 5})
		synctest.Wait()
		require.Zero(t, s.Repeated.Load()+s.Unknown.Load()+s.Delivered())
		time.Sleep(time.Minute)
		require.EqualValues(t, 4, s.Delivered())
		require.EqualValues(t, 1, s.Repeated.Load())
		require.EqualValues(t, 1, s.Unknown.Load())
		require.Zero(t, s.WithoutThreshold.Load())
		r.end()
	})
}
