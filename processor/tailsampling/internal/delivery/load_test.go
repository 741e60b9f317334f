package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A load ends before the trace that would exceed its limits.
func TestLoadsEndAtSoManySpans(t *testing.T) {
	for spans, want := range map[int]int{1: 2, 2: 1} {
		s := newSetup(t, 1, asBytes("backend"))
		s.keep(many(1, maxLoadSpans-1)...)
		s.keep(many(2, spans)...)
		l := s.loadOf()
		require.Len(t, l.traces, want)
		require.Less(t, len(l.origins), 20, "one for each segment")
		require.Equal(t, maxLoadSpans-1, l.kept.Traces[0].To)
		require.Equal(t, want == 1, s.Senders()[0].pace.next == 0, "a full one is followed at once")
		s.Buffer.Close()
	}
}

func TestLoadsEndAtSoManyBytes(t *testing.T) {
	const first = 1000
	for over, want := range map[int]int{0: 2, 1: 1} {
		s := newSetup(t, 1, asBytes("backend"))
		s.keep(testSpan{trace: 1, bytes: first})
		l := s.loadOf()
		headers := len(l.kept.Bytes) - first
		m := s.Buffer.Members[0]
		m.Outgoing(0).PutBack(l.traces[0].Slot)
		s.keep(testSpan{trace: 2, bytes: maxLoadBytes - first - headers + over})
		s.Destinations = nil
		require.Len(t, s.loadOf().traces, want, "%d over", over)
		s.Buffer.Close()
	}
}

// A larger trace is a load of its own, and while it is read the shard is unlocked.
func TestLargeTraceIsALoad(t *testing.T) {
	s := newSetup(t, 1, asBytes("backend"))
	s.keep(testSpan{trace: 1, bytes: maxLoadBytes + 1})
	s.keep(testSpan{trace: 2})
	l := s.loadOf()
	require.Len(t, l.traces, 1)
	require.NoError(t, s.Senders()[0].fill())
	require.Equal(t, byte(2), s.Senders()[0].work[0].traces[0].ID[0])

	m := s.Buffer.Members[0]
	small, pause := pauseIn(m, &shard.Kept{Bytes: maxLoadBytes}), pauseIn(m, &shard.Kept{Bytes: maxLoadBytes + 1})
	m.Lock()
	small(nil)
	require.False(t, m.LockWithin(0), "others have no turn")
	small(func() {
		require.True(t, m.LockWithin(0), "but while a file is read")
		m.Unlock()
	})
	entered := make(chan struct{})
	go func() {
		m.Lock()
		close(entered)
		m.Unlock()
	}()
	for waits := true; waits; { // until the other gets the lock
		pause(nil)
		select {
		case <-entered:
			waits = false
		default:
		}
	}
	m.Unlock()
	s.Buffer.Close()
}

// The memory of a load is reused, unless it is too much.
func TestLoadKeepsLittle(t *testing.T) {
	s := newSetup(t, 1)
	s.Open(nil, 1)
	sender := s.Senders()[0]
	l := sender.newLoad()
	l.kept.Bytes = make([]byte, 5, maxKept/2)
	l.err = errDisk
	l.origins[7] = origin{}
	sender.recycle(l)
	require.Same(t, l, sender.newLoad())
	require.Equal(t, maxKept/2, cap(l.kept.Bytes))
	require.Empty(t, l.kept.Bytes)
	require.Empty(t, l.origins)
	require.NoError(t, l.err)
	l.kept.Bytes = make([]byte, 5, maxKept+1)
	sender.recycle(l)
	next := sender.newLoad()
	require.NotSame(t, l, next)
	require.NotNil(t, next.origins)
	s.Buffer.Close()
}

// Deliveries stay within the memory budget: loads are limited to a part of it, are smaller when it is short, and are
// counted.
func TestMemoryOfLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1, asBytes("bytes"), decoded)
		time.Sleep(time.Second)
		r := s.run(1)
		limit := s.Buffer.Pool.Limit()
		idle := s.Buffer.Pool.Used()
		require.LessOrEqual(t, idle, limit/baseShare)
		bytes, pdata := &s.Senders()[0].memory, &s.Senders()[1].memory
		require.Equal(t, room{maxLoadBytes, maxLoadSpans}, bytes.room())
		require.LessOrEqual(t, pdata.room().bytes, bytes.room().bytes, "decoded spans take more")
		s.Buffer.Pool.Grow(limit)
		require.Less(t, bytes.room().bytes, maxLoadBytes)
		require.GreaterOrEqual(t, pdata.room().bytes, minLoadBytes)
		require.Positive(t, pdata.room().spans)
		s.Buffer.Pool.Grow(-limit)

		var during int64
		s.sink.answer = func(string, []byte) error {
			during = max(during, s.Buffer.Pool.Used())
			return nil
		}
		before := s.Buffer.Pool.Used()
		s.keep(testSpan{trace: 1, bytes: 8 << 20})
		synctest.Wait()
		require.Greater(t, during-before, int64(16<<20), "the copy, and the request")
		r.end()
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}
