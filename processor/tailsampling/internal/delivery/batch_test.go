package delivery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// takeBatch fills a batch from the only member, and reports whether there was room for all.
func (s *setup) takeBatch(b *batch) bool {
	m := s.Buffer.Members[0]
	b.reset()
	m.Lock()
	defer m.Unlock()
	return b.take(m, s.Buffer.Mapped, s.Buffer.Now())
}

func many(trace byte, n int) (list []testSpan) {
	for i := range n {
		list = append(list, testSpan{trace: trace, id: byte(i), start: uint64(i)})
	}
	return list
}

// A batch ends before the trace that would be too much.
func TestBatchesEndAtSoManySpans(t *testing.T) {
	for spans, want := range map[int]int{1: 2, 2: 1} {
		s := newSetup(t, 1)
		s.keep(many(1, maxBatchSpans-1)...)
		s.keep(many(2, spans)...)
		b := newBatch()
		require.Equal(t, want == 2, s.takeBatch(b))
		require.Len(t, b.traces, want)
		require.Len(t, b.spansOf(0), maxBatchSpans-1)
		require.Less(t, len(b.origins), 20, "one for each segment")
		if want == 2 {
			require.Len(t, b.spansOf(1), 1)
		}
		s.Buffer.Close()
	}
}

func TestBatchesEndAtSoManyBytes(t *testing.T) {
	const first = 1000
	for over, want := range map[int]int{0: 2, 1: 1} {
		s := newSetup(t, 1)
		s.keep(testSpan{trace: 1, bytes: first})
		b := newBatch()
		require.True(t, s.takeBatch(b))
		headers := len(b.arena) - first
		out := s.Buffer.Members[0].Outgoing(0)
		out.PutBack(b.traces[0].Slot)
		s.keep(testSpan{trace: 2, bytes: maxBatchBytes - first - headers + over})
		require.Equal(t, want == 2, s.takeBatch(b))
		require.Len(t, b.traces, want, "%d over", over)
		s.Buffer.Close()
	}
}

// A larger trace is a batch of its own, while which is read others can have the shard.
func TestLargeTraceIsABatch(t *testing.T) {
	s := newSetup(t, 1)
	s.keep(testSpan{trace: 1, bytes: maxBatchBytes + 1})
	s.keep(testSpan{trace: 2})
	b := newBatch()
	require.False(t, s.takeBatch(b))
	require.Len(t, b.traces, 1)
	require.True(t, s.takeBatch(b))
	require.Len(t, b.traces, 1)
	require.Equal(t, byte(2), b.traces[0].ID[0])

	m := s.Buffer.Members[0]
	require.Nil(t, pauseIn(m, &shard.Kept{Bytes: maxBatchBytes}))
	pause := pauseIn(m, &shard.Kept{Bytes: maxBatchBytes + 1})
	m.Lock()
	entered := make(chan struct{})
	go func() {
		m.Lock()
		close(entered)
		m.Unlock()
	}()
	for waits := true; waits; { // until the other was let in
		pause()
		select {
		case <-entered:
			waits = false
		default:
		}
	}
	m.Unlock()
	s.Buffer.Close()
}

// The memory of a batch is used again, unless it is too much.
func TestBatchKeepsLittle(t *testing.T) {
	b := newBatch()
	b.arena = make([]byte, 5, maxKept)
	b.lost, b.err = 3, errDisk
	b.known[7] = 1
	b.reset()
	require.Equal(t, maxKept, cap(b.arena))
	require.Empty(t, b.arena)
	require.Empty(t, b.known)
	require.Zero(t, b.lost)
	require.NoError(t, b.err)
	b.arena = make([]byte, 5, maxKept+1)
	b.reset()
	require.Zero(t, cap(b.arena))
	require.NotNil(t, b.places)
}
