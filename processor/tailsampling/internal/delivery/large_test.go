package delivery

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/quota"
)

// wide is a span whose resource exceeds a load, which is known only when it is read.
func wide(trace byte) testSpan {
	return testSpan{trace: trace, service: strings.Repeat(string(rune('a'+trace)), maxLoadBytes+1)}
}

// inFlight counts the simultaneous calls of each destination.
type inFlight struct {
	mu        sync.Mutex
	now, most map[string]int
}

func (f *inFlight) begin(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[to]++
	f.most[to] = max(f.most[to], f.now[to])
}

// counts returns the number of current calls, and the maximum.
func (f *inFlight) counts(to string) (now, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now[to], f.most[to]
}

func (f *inFlight) end(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[to]--
}

// Without memory for more, all senders of a destination read large traces one at a time; a destination that does not answer
// blocks no other, and gets its own when it answers. Small traces in other shards are delivered meanwhile.
func TestLargeTracesTakeTurns(t *testing.T) {
	for _, known := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const senders, traces = 4, 12
			s := newSetup(t, senders, asBytes("slow"), asBytes("fast"), asBytes("faster"))
			time.Sleep(time.Second)
			flight := &inFlight{now: map[string]int{}, most: map[string]int{}}
			s.sink.kept = func(k *wire.Kept) { flight.begin(k.To) }
			s.sink.answer = func(to string, _ []byte) error {
				wait := 20 * time.Millisecond
				if to == "slow" {
					wait = time.Hour
				}
				time.Sleep(wait)
				flight.end(to)
				return nil
			}
			r := s.run(senders)
			s.quota = quota.New(1, len(s.config))
			for n := range byte(traces) {
				if known {
					s.keep(testSpan{trace: n, bytes: maxLoadBytes + 1})
				} else {
					s.keep(wide(n))
				}
			}
			time.Sleep(time.Minute)
			for _, to := range []string{"fast", "faster"} {
				require.Len(t, s.sink.got(to), traces, to)
				_, most := flight.counts(to)
				require.Equal(t, 1, most, to)
			}
			require.Empty(t, s.sink.got("slow"))
			now, most := flight.counts("slow")
			require.Equal(t, 1, now)
			require.Equal(t, 1, most)
			time.Sleep(100 * time.Hour)
			got := s.sink.got("slow")
			slices.Sort(got)
			require.Len(t, slices.Compact(got), traces)
			_, most = flight.counts("slow")
			require.Equal(t, 1, most)
			r.end()
			require.Zero(t, s.Buffer.Sum().Present)
			s.Buffer.Close()
			require.Zero(t, s.Buffer.Pool.Used())
		})
	}
}

// With memory for several they are read at the same time.
func TestLargeTracesShareMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders = 4
		s := newSetup(t, senders, asBytes("backend"))
		time.Sleep(time.Second)
		flight := &inFlight{now: map[string]int{}, most: map[string]int{}}
		s.sink.kept = func(k *wire.Kept) { flight.begin(k.To) }
		s.sink.answer = func(to string, _ []byte) error {
			time.Sleep(time.Second)
			flight.end(to)
			return nil
		}
		r := s.run(senders)
		for n := range byte(24) {
			s.keep(wide(n))
		}
		time.Sleep(time.Minute)
		_, most := flight.counts("backend")
		require.Equal(t, senders, most)
		require.Len(t, s.sink.got("backend"), 24)
		r.end()
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}

// Draining waits for memory too: large traces are delivered by the end.
func TestLargeTracesAreDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 4, asBytes("backend"), destination.Destination{ID: "decoded"})
		time.Sleep(time.Second)
		s.sink.answer = func(string, []byte) error {
			time.Sleep(2 * time.Second)
			return nil
		}
		r := s.run(4)
		s.quota = quota.New(1, len(s.config))
		for n := range byte(12) {
			s.keep(wide(n))
		}
		r.end()
		require.Len(t, s.sink.got("backend"), 12)
		require.Zero(t, s.Buffer.Sum().Present)
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}

// A large trace that a destination has in part stays in hand, and delays others of its size only until it is given up; all arrive.
func TestLargeTraceInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const traces = 6
		s := newSetup(t, 2, asBytes("backend"))
		time.Sleep(time.Second)
		calls, failed := 0, false
		s.sink.kept = func(k *wire.Kept) {
			failed = k.Traces[0].ID[0] == 1 && calls < 12
			if failed {
				k.Spans[calls%len(k.Spans)].Sent = true
				calls++
			}
		}
		s.sink.accept = func(context.Context, int) error {
			if failed {
				return errRetry
			}
			return nil
		}
		r := s.run(1)
		s.quota = quota.New(1, len(s.config))
		for n := range byte(traces) {
			first, second := wide(n), wide(n)
			second.id = 1
			s.keep(first, second)
		}
		time.Sleep(time.Hour)
		require.Zero(t, s.Buffer.Sum().Present)
		got := s.sink.got("backend")
		slices.Sort(got)
		require.Equal(t, []byte{0, 1, 2, 3, 4, 5}, slices.Compact(got))
		r.end()
		s.Buffer.Close()
		require.Zero(t, s.Buffer.Pool.Used())
	})
}

// A trace that turns out to be large is put back for a load of its own, which gets just the memory that it needs.
func TestLargeTraceIsMeasured(t *testing.T) {
	s := newSetup(t, 1, asBytes("backend"))
	s.keep(testSpan{trace: 1})
	first, second := wide(2), wide(2)
	second.service, second.id = second.service+"z", 1
	s.keep(first, second)
	require.Len(t, s.loadOf().traces, 1, "the large one is put back")
	sender := s.Senders()[0]
	require.NoError(t, sender.fill())
	l := sender.loads[len(sender.loads)-1]
	require.Len(t, l.traces, 1)
	require.Len(t, l.kept.Spans, 2)
	require.Equal(t, sender.memory.cost(sender.large.bytes), l.share)
	require.InDelta(t, len(l.kept.Bytes), sender.large.bytes, 100)
	require.Less(t, cap(l.kept.Bytes), len(l.kept.Bytes)*9/8)
	require.GreaterOrEqual(t, sender.memory.counted, int64(len(l.kept.Bytes)))
	s.Buffer.Close()
}

// The resources of a trace take no more than its spans may: beyond that only the names of service and scope are kept.
func TestResourcesOfATraceAreBounded(t *testing.T) {
	s := newSetup(t, 1, asBytes("backend"))
	s.Buffer.TraceSize = 4 << 20
	var spans []testSpan
	for i := range byte(20) {
		span := wide(i)
		span.trace, span.id, span.scope = 1, i, "scope"
		spans = append(spans, span)
	}
	s.keep(spans...)
	s.Open(s.config, 1)
	sender := s.Senders()[0]
	require.NoError(t, sender.fill())
	k := &sender.loads[0].kept
	require.Len(t, k.Spans, 20)
	require.Less(t, len(k.Bytes), 6<<20)
	require.GreaterOrEqual(t, sender.large.bytes, len(k.Bytes)-maxLoadBytes)
	td, err := k.Decode()
	require.NoError(t, err)
	whole := 0
	for _, rs := range td.ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get("service.name")
		require.Equal(t, "scope", rs.ScopeSpans().At(0).Scope().Name())
		if len(service.Str()) > maxLoadBytes {
			whole++
			continue
		}
		require.Len(t, service.Str(), 256)
		cut, found := rs.Resource().Attributes().Get("slowburn.span.trimmed")
		require.True(t, found)
		require.Greater(t, cut.Int(), int64(maxLoadBytes))
	}
	require.Equal(t, 4, whole)
	require.Equal(t, 1, s.logs.FilterMessageSnippet("of a large kept trace cut").Len())
	s.Buffer.Close()
}
