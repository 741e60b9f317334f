package budget

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// The marks are those of the documentation, and in order.
func TestMarks(t *testing.T) {
	require.Equal(t, []float64{0.60, 0.65, 0.75, 0.85, 0.90}, []float64{ReviveUpTo, shrinkTo, shrinkFrom, reliefTo, reliefFrom})
	require.Equal(t, 0.75, denseEnough)
}

// A request reserves its bytes, and a constant for each span; a large one gets segments of its own.
func TestSize(t *testing.T) {
	s := newSetup(t, 1, Settings{})
	defer s.close()
	require.Equal(t, 32<<10, s.pool.SegmentSize())
	r := s.request(testSpan{trace: 1, bytes: 10}, testSpan{trace: 2, bytes: 9000}, testSpan{trace: 3, bytes: 10000})
	all, large := s.Size(r)
	const headers = 4 // of an empty resource and scope
	require.EqualValues(t, len(r.Bytes)+3*56+2*headers, all)
	require.EqualValues(t, r.Spans[1].Body.Len()+r.Spans[2].Body.Len()+2*headers, large)
	all, large = s.Size(s.request(testSpan{trace: 1, bytes: 10}))
	require.Less(t, all, int64(200))
	require.Zero(t, large)
}

// A request takes no more than its reservation, apart from the segments that each shard fills, however large its resources and scopes are,
// and however many spans share them.
func TestSizeCoversHeaders(t *testing.T) {
	const shards = 4
	for _, resource := range []int{0, 1000, 7900, 8100, 30_000, 100_000} {
		for _, scope := range []int{0, 500, 9000, 100_000} {
			for _, spans := range []int{1, 30, 1000} {
				for _, body := range []int{10, 7000, 20_000} {
					if spans*body > 3e6 {
						continue
					}
					s := newSetup(t, shards, Settings{})
					s.pool.Grow(-64 << 20) // so that it is not refused
					td := ptrace.NewTraces()
					for i := range 2 {
						rs := td.ResourceSpans().AppendEmpty()
						rs.SetSchemaUrl(strings.Repeat(string(rune('a'+i)), resource))
						for j := range 3 {
							ss := rs.ScopeSpans().AppendEmpty()
							ss.SetSchemaUrl(strings.Repeat(string(rune('a'+j)), scope))
							for k := range spans / 6 {
								span := ss.Spans().AppendEmpty()
								span.SetTraceID(pcommon.TraceID{byte(i), byte(j), byte(k), byte(k >> 8)})
								span.SetSpanID(pcommon.SpanID{1})
								span.SetName(strings.Repeat("x", body))
							}
						}
					}
					b, err := new(ptrace.ProtoMarshaler).MarshalTraces(td)
					require.NoError(t, err)
					r := new(wire.Request)
					require.NoError(t, r.Scan(b))
					need, large := s.Size(r)
					require.LessOrEqual(t, large, need)
					var in intake.Request
					in.Prepare(r, s.buffer.Members[0].Versions().Current(), s.buffer.Seed, shards)
					require.NoError(t, s.buffer.Add(&in, never))
					took := int64(s.buffer.Usage().Allocated)
					require.LessOrEqual(t, took, need+int64(2*shards*s.pool.SegmentSize()),
						"resources of %d, scopes of %d, %d spans of %d: %d bytes", resource, scope, spans, body, len(b))
					if len(b) > 1<<20 {
						require.Greater(t, took, need/4, "not far too much is asked for")
					}
					s.pool.Grow(64 << 20)
					s.close()
				}
			}
		}
	}
}

// Relief begins beyond 0.90 of the budget, the request included, and the request does not wait for its end.
func TestReliefBeginsAtItsMark(t *testing.T) {
	for over, want := range map[int64]int{-1: 0, 0: 0, 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			s := newSetup(t, 1, Settings{})
			s.over(reliefFrom, 1000, over)
			require.NoError(t, s.Reserve(1000, 0))
			require.Zero(t, s.relieved)
			s.run()
			synctest.Wait()
			require.Equal(t, want, s.relieved, "%d over", over)
			s.pool.Cancel(1000)
			s.close()
		})
	}
}

// A request without room is refused after an attempt to make room, and nothing stays reserved. After a vain attempt others are
// refused at once.
func TestReserveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1, Settings{})
		defer s.close()
		s.run()
		s.over(1, 1000, 0)
		require.NoError(t, s.Reserve(1000, 0), "exactly all that there is")
		synctest.Wait()
		require.Equal(t, 1, s.relieved)
		s.pool.Cancel(1000)
		time.Sleep(vainPause)
		require.ErrorIs(t, s.Reserve(1001, 0), spanlog.ErrMemoryBudget)
		require.Equal(t, 2, s.relieved)
		began := time.Now()
		require.ErrorIs(t, s.Reserve(1001, 0), spanlog.ErrMemoryBudget)
		require.Zero(t, time.Since(began))
		synctest.Wait()
		require.Equal(t, 2, s.relieved, "it was of no use")
		require.NoError(t, s.Reserve(1000, 0), "what there is room for is taken all the same")
		s.pool.Cancel(1000)
		time.Sleep(vainPause)
		require.ErrorIs(t, s.Reserve(1001, 0), spanlog.ErrMemoryBudget)
		require.Equal(t, 3, s.relieved, "it is worth another try")
		require.Empty(t, s.logs.All())
	})
}

// A request waits reliefWait at most, however long relief takes; if room appears meanwhile, it is accepted.
func TestRequestsWaitForAMoment(t *testing.T) {
	for name, tc := range map[string]struct {
		takes, waits time.Duration
		err          error
	}{
		"short": {100 * time.Millisecond, 100 * time.Millisecond, nil},
		"long":  {time.Minute, reliefWait, spanlog.ErrMemoryBudget},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSetup(t, 1, Settings{})
				defer s.close()
				s.over(1, 0, 0)
				s.Relieved = func() {
					time.Sleep(tc.takes)
					s.pool.Grow(-1000)
				}
				s.run()
				began := time.Now()
				require.ErrorIs(t, s.Reserve(1000, 0), tc.err)
				require.Equal(t, tc.waits, time.Since(began))
			})
		})
	}
}

// stop ends relief, whatever it is doing, before the next shard.
func TestStopEndsRelief(t *testing.T) {
	s := newSetup(t, 4, Settings{})
	defer s.close()
	for n := range byte(80) {
		s.add(testSpan{trace: n + 1, bytes: 20000})
	}
	stop := make(chan struct{})
	close(stop)
	s.over(reliefTo, 0, 12*20000)
	s.relieve(0, stop)
	require.EqualValues(t, 80, s.buffer.Sum().Pending)
}

// Room is made as far as needed: traces that were not sampled go first, then boring undecided ones, then those that a policy
// matches, and those with errors last. Each has a segment of its own.
func TestOrderOfRelief(t *testing.T) {
	const each = 20000
	for _, tc := range []struct{ over, revivable, pending, undelivered int64 }{
		{0, 2, 4, 0},
		{1, 1, 4, 0},
		{15000, 1, 4, 0},
		{25000, 0, 4, 0},
		{45000, 0, 3, 0},
		{65000, 0, 2, 1}, // traces that wait for delivery count as future room
		{85000, 0, 0, 3},
	} {
		t.Run(fmt.Sprint(tc.over), func(t *testing.T) {
			s := newSetup(t, 1, Settings{})
			defer s.close()
			s.add(testSpan{trace: 1, bytes: each})
			s.add(testSpan{trace: 2, bytes: each})
			s.decide()
			s.buffer.ReviveUpTo = 0 // from now on traces that are not sampled are not kept
			s.add(testSpan{trace: 3, bytes: each, failed: true})
			s.add(testSpan{trace: 4, bytes: each, slow: true})
			s.add(testSpan{trace: 5, bytes: each})
			s.add(testSpan{trace: 6, bytes: 100, slow: true})
			s.over(reliefTo, 500, tc.over)
			s.relieve(500, nil)
			require.Equal(t, 1, s.relieved)
			st := s.buffer.Sum()
			require.Equal(t, []int64{tc.revivable, tc.pending, tc.undelivered}, []int64{st.Revivable, st.Pending, st.Undelivered})
		})
	}
}

// Traces that only wait for delivery do not make interesting traces be decided early.
func TestUndeliveredTracesDoNotCount(t *testing.T) {
	for _, undelivered := range []bool{false, true} {
		s := newSetup(t, 1, Settings{})
		if undelivered {
			s.add(testSpan{trace: 1, bytes: 30000, slow: true})
			s.decide()
		}
		s.add(testSpan{trace: 2, bytes: 20000, slow: true})
		s.add(testSpan{trace: 3, bytes: 20000, failed: true})
		s.over(reliefTo, 0, 25000)
		s.relieve(0, nil)
		st := s.buffer.Sum()
		if undelivered {
			require.EqualValues(t, 2, st.Pending)
		} else {
			require.EqualValues(t, 0, st.Pending)
			require.EqualValues(t, 2, st.Triggers[decision.ByMemory])
		}
		s.close()
	}
}

// Each shard gives up its share.
func TestShardsShareTheRelief(t *testing.T) {
	s := newSetup(t, 4, Settings{})
	defer s.close()
	for n := range byte(80) {
		s.add(testSpan{trace: n + 1, bytes: 20000})
	}
	before := map[int]int64{}
	for i, m := range s.buffer.Members {
		before[i] = m.Tally().Stats.Pending
		require.Greater(t, before[i], int64(8))
	}
	s.buffer.ReviveUpTo = 0.01
	s.over(reliefTo, 0, 12*20000)
	s.relieve(0, nil)
	for i, m := range s.buffer.Members {
		require.EqualValues(t, before[i]-3, m.Tally().Stats.Pending, "shard %d", i)
	}
	require.LessOrEqual(t, s.pool.OverMemory(0, reliefTo), int64(0))
}

// Relief also compacts: the live records of a mostly dead segment are copied.
func TestReliefCompacts(t *testing.T) {
	s := newSetup(t, 1, Settings{})
	defer s.close()
	for n := range byte(60) { // several segments, in each of which one trace in ten stays
		s.add(testSpan{trace: n + 1, bytes: 4000, failed: n%10 == 0})
	}
	s.buffer.ReviveUpTo = 0
	s.over(reliefTo, 0, 45*4000)
	s.relieve(0, nil)
	u := s.buffer.Usage()
	require.LessOrEqual(t, s.pool.OverMemory(0, reliefTo), int64(0))
	require.LessOrEqual(t, u.Segments, u.Live/s.pool.SegmentSize()+2)
	for n := range byte(6) {
		require.True(t, s.isPending(10*n+1), "trace %d", 10*n+1)
	}
	require.False(t, s.isPending(2))
}

// Segments on disk are compacted, too, when the disk is short.
func TestReliefCompactsOnDisk(t *testing.T) {
	s := newSetup(t, 1, Settings{OnDisk: true})
	defer s.close()
	for n := range byte(120) {
		s.add(testSpan{trace: n + 1, bytes: 4000, failed: n%10 == 0})
	}
	s.buffer.ReviveUpTo = 0
	over := s.pool.OverDisk(0, reliefTo)
	require.Less(t, over, int64(0))
	s.relieve(60*4000-over, nil) // as if a request of that size were to come
	require.LessOrEqual(t, s.pool.OverDisk(60*4000-over, reliefTo), int64(0))
	require.Less(t, s.buffer.Sum().Pending, int64(120))
	for n := range byte(12) {
		require.True(t, s.isPending(10*n+1), "trace %d", 10*n+1)
	}
	require.Empty(t, s.logs.All())
}

// If nothing else is left, a trace with an error is decided early for a single byte.
func TestErrorsAreDecidedEarlyLast(t *testing.T) {
	for over, want := range map[int64]int64{0: 2, 1: 1} {
		s := newSetup(t, 1, Settings{})
		s.add(testSpan{trace: 1, bytes: 20000, failed: true})
		s.add(testSpan{trace: 2, bytes: 20000, failed: true})
		s.over(reliefTo, 0, over)
		s.relieve(0, nil)
		require.Equal(t, want, s.buffer.Sum().Pending, "%d over", over)
		s.close()
	}
}
