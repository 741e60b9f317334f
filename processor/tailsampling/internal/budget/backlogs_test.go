package budget

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// The destination that exceeds its share most gives up traces, down to the next one or to its share.
func TestWorst(t *testing.T) {
	for _, tc := range []struct {
		backlogs []int64
		worst    shard.Destination
		excess   int64
	}{
		{[]int64{0, 0}, 0, 0},
		{[]int64{50, 50}, 0, 0},
		{[]int64{10, 80}, 1, 30},
		{[]int64{120, 0}, 0, 70},
		{[]int64{60, 90}, 1, 30},
		{[]int64{90, 60}, 0, 30},
		{[]int64{51, 51}, 0, 1},
		{[]int64{690, 690}, 0, 10}, // a little of each in turn
		{[]int64{100}, 0, 0},
		{[]int64{101}, 0, 1},
		{[]int64{0, 0, 40, 39}, 2, 1},
	} {
		worst, excess := furthestOver(tc.backlogs, 100, 0)
		require.Equal(t, tc.worst, worst, tc.backlogs)
		require.Equal(t, tc.excess, excess, tc.backlogs)
	}
	d, excess := furthestOver([]int64{60, 90, 55}, 100, 1<<1)
	require.EqualValues(t, 0, d, "but for the worst")
	require.EqualValues(t, 5, excess)
	_, excess = furthestOver([]int64{60, 90}, 100, 3)
	require.Zero(t, excess)
}

// backlogged has two destinations and the given number of kept traces, one per second, every third with an error.
func backlogged(t *testing.T, limit int64, refuse bool) (s *setup, g *Backlogs, gone *[]shard.Kept) {
	s = newSetup(t, 2, Settings{}, "slow", "good")
	gone = new([]shard.Kept)
	g = &Backlogs{Limit: limit, Refuse: refuse, GaveUp: func(d shard.Destination, k *shard.Kept) {
		require.Zero(t, d, "nobody loses room to it")
		*gone = append(*gone, *k)
	}}
	g.Open(s.buffer, 2)
	for n := range byte(30) {
		s.add(testSpan{trace: n + 1, failed: n%3 == 0, slow: true, bytes: 1000})
		s.decide()
		time.Sleep(time.Second)
	}
	s.deliver(1)
	return s, g, gone
}

// deliver delivers everything to a destination.
func (s *setup) deliver(d shard.Destination) {
	for _, m := range s.buffer.Members {
		m.Lock()
		out := m.Outgoing(d)
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, 1)
			out.Delivered(k.Slot, 1)
		}
		m.Unlock()
	}
}

// Unused shares are lent; above the whole budget the oldest traces are given up, those without an error first.
func TestBacklogsAreKeptInTheirBudget(t *testing.T) {
	for _, tc := range []struct {
		name           string
		limit          int64
		given, failed  int // at least
		oldestStanding byte
	}{
		{"there is room", 40_000, 0, 0, 0},
		{"more than its share is lent", 32_000, 0, 0, 0},
		{"the boring ones go", 20_000, 10, 0, 0},
		{"then those with an error", 5_000, 25, 5, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g, gone := backlogged(t, tc.limit, false)
				g.Keep(nil)
				require.GreaterOrEqual(t, len(*gone), tc.given)
				require.LessOrEqual(t, len(*gone), tc.given+3)
				require.LessOrEqual(t, g.Used(), tc.limit)
				failed := 0
				var boring []byte
				for _, k := range *gone {
					if k.Failed {
						failed++
						continue
					}
					require.Zero(t, failed, "those without an error go first")
					boring = append(boring, k.ID[0])
				}
				require.GreaterOrEqual(t, failed, tc.failed)
				for i, n := range boring { // shards take turns in slices of time
					require.InDelta(t, i*3/2+1, int(n), 3, "%v", boring)
				}
				require.False(t, g.Full())
				require.Equal(t, tc.limit/2, g.Share())
				s.close()
			})
		})
	}
}

// With refuse nothing is given up, and Full reports that there is no room.
func TestBacklogsThatRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g, gone := backlogged(t, 20_000, true)
		stop, done := make(chan struct{}), make(chan struct{})
		require.False(t, g.Full())
		go func() {
			g.Run(stop)
			close(done)
		}()
		time.Sleep(checkEvery)
		synctest.Wait()
		require.True(t, g.Full())
		require.Empty(t, *gone)
		s.deliver(0)
		time.Sleep(checkEvery)
		synctest.Wait()
		require.False(t, g.Full())
		close(stop)
		<-done
		s.close()
	})
}

// Traces that a sender holds are not given up.
func TestBacklogsSkipTracesInDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g, gone := backlogged(t, 1000, false)
		for _, m := range s.buffer.Members {
			m.Lock()
			out := m.Outgoing(0)
			for k, more := out.Next(); more; k, more = out.Next() {
				out.Take(k.Slot, 1)
			}
			m.Unlock()
		}
		g.Keep(nil)
		require.Empty(t, *gone)
		require.Greater(t, g.Used(), int64(30_000))
		s.close()
	})
}

// If a sender holds the whole backlog of the worst destination, the next one above its share gives up traces.
func TestBacklogsTryTheNextDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1, Settings{}, "held", "slow", "good")
		gone := 0
		g := &Backlogs{Limit: 12_000, GaveUp: func(d shard.Destination, _ *shard.Kept) {
			require.EqualValues(t, 1, d)
			gone++
		}}
		g.Open(s.buffer, 3)
		add := func(from, to byte) {
			for n := from; n < to; n++ {
				s.add(testSpan{trace: n + 1, slow: true, bytes: 1000})
			}
			s.decide()
		}
		add(0, 10)
		s.deliver(1)
		s.deliver(2)
		m := s.buffer.Members[0]
		m.Lock()
		out := m.Outgoing(0)
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, 1)
		}
		m.Unlock()
		add(10, 17)
		s.deliver(0)
		s.deliver(2)
		require.Greater(t, g.Used(), g.Limit)
		g.Keep(nil)
		require.InDelta(t, 3, gone, 1, "down to its share")
		s.close()
	})
}
