package delivery

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// stream is a sequence of kept traces, and when each arrived. Those whose first byte is bad are bad.
type stream struct {
	*setup
	kept, arrived map[uint32]time.Time // by number; kept without bad ones
	bad           int
	next          uint32
}

const (
	goodTrace = iota + 1
	badTrace
)

func newStream(s *setup) *stream {
	st := &stream{setup: s, kept: map[uint32]time.Time{}, arrived: map[uint32]time.Time{}}
	s.sink.arrived = func(td ptrace.Traces) {
		for _, span := range spansOf(td) {
			id := span.TraceID()
			n := binary.BigEndian.Uint32(id[4:])
			if _, there := st.arrived[n]; there {
				s.t.Errorf("trace %d arrived twice", n)
			}
			st.arrived[n] = time.Now()
		}
	}
	return st
}

// keep keeps traces together, some of them bad.
func (st *stream) keep(bad ...bool) {
	for _, isBad := range bad {
		td := request(st.t, testSpan{trace: goodTrace})
		id := pcommon.TraceID{goodTrace}
		st.next++
		binary.BigEndian.PutUint32(id[4:], st.next)
		if isBad {
			id[0] = badTrace
			st.bad++
		} else {
			st.kept[st.next] = time.Now()
		}
		spansOf(td)[0].SetTraceID(id)
		st.add(td)
	}
	st.decide()
}

// slowest returns the longest wait of a good trace. It fails if a trace that was kept longer ago has not arrived.
func (st *stream) slowest(within time.Duration) (slowest time.Duration) {
	st.t.Helper()
	st.sink.mu.Lock()
	defer st.sink.mu.Unlock()
	missing := 0
	for n, kept := range st.kept {
		at, there := st.arrived[n]
		switch {
		case there:
			slowest = max(slowest, at.Sub(kept))
		case time.Since(kept) > within:
			missing++
		}
	}
	require.Zero(st.t, missing, "of %d", len(st.kept))
	require.LessOrEqual(st.t, slowest, within)
	return slowest
}

func hasBad(traces []byte) bool { return slices.Contains(traces, badTrace) }

// However many traces always fail, all others arrive in bounded time, and the failing ones wait apart.
func TestBadTracesDelayNoOthers(t *testing.T) {
	times := func(n int, bad bool) []bool { return slices.Repeat([]bool{bad}, n) }
	for _, tc := range []struct {
		name    string
		takes   time.Duration // duration of each answer to a bad trace
		first   []bool
		every   time.Duration
		traces  func(i int) []bool
		lasts   time.Duration
		within  time.Duration
		refused bool // they get 500, not 503
	}{
		{"four that time out", 5 * time.Second, times(4, true), time.Second, func(int) []bool { return times(1, false) }, 10 * time.Minute, 5 * time.Minute, false},
		{"four that time out, for long", 5 * time.Second, times(4, true), time.Second, func(int) []bool { return times(1, false) }, 3 * time.Hour, 5 * time.Minute, false},
		{"four that time out among others", 5 * time.Second, append(times(4, true), times(60, false)...), time.Second, func(int) []bool { return times(1, false) }, 10 * time.Minute, 5 * time.Minute, false},
		{"one now and then", 0, nil, time.Second, func(i int) []bool { return times(1, i%30 == 7) }, 4 * time.Hour, time.Minute, false},
		{"one now and then that times out", 5 * time.Second, nil, time.Second, func(i int) []bool { return times(1, i%300 == 7) }, 3 * time.Hour, 5 * time.Minute, false},
		{"every fourth", 0, nil, 10 * time.Second, func(int) []bool { return []bool{false, true, false, false} }, 6 * time.Hour, 10 * time.Minute, false},
		{"four of sixteen", 0, nil, 10 * time.Second, func(int) []bool { return slices.Repeat([]bool{false, true, false, false}, 4) }, 2 * time.Hour, 10 * time.Minute, false},
		{"nothing but bad ones for a while", 5 * time.Second, nil, 10 * time.Second, func(i int) []bool { return times(4, i > 30 && i < 60) }, 2 * time.Hour, time.Hour, false},
		{"every fourth fails", 0, nil, 10 * time.Second, func(int) []bool { return []bool{false, true, false, false} }, time.Hour, time.Minute, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
				s.sink.answer = func(_ string, traces []byte) error {
					if !hasBad(traces) {
						return nil
					}
					time.Sleep(tc.takes)
					if tc.refused {
						return errEither
					}
					return errRetry
				}
				st := newStream(s)
				st.keep(tc.first...)
				end := time.Now().Add(tc.lasts)
				for i := 0; time.Now().Before(end); i++ {
					st.keep(tc.traces(i)...)
					time.Sleep(tc.every)
				}
				defer func() {
					r.abort()
					require.LessOrEqual(t, len(r.senders[0].loads), maxLoads) // unused from then on
				}()
				slowest := st.slowest(tc.within)
				time.Sleep(tc.within)
				synctest.Wait()
				require.Len(t, st.arrived, len(st.kept))
				d := s.Destinations[0]
				waits := min(st.bad, maxWaiting)
				t.Logf("%d calls, of %d traces the slowest took %s; %d bad ones", len(s.sink.calls), len(st.kept), slowest, st.bad)
				if tc.refused {
					require.EqualValues(t, st.bad, d.Refused.Len())
				} else {
					require.InDelta(t, waits, d.Apart.Load(), 8)
					require.EqualValues(t, st.bad-waits, d.UndeliveredTraces.Load())
					require.Zero(t, d.Refused.Len())
				}

			})
		})
	}
}

// A destination that accepts nothing gets few attempts, at the pace of the back-off. When it recovers everything arrives at once.
func TestOutage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer error
		kept   int // per second
	}{
		{"busy", errRetry, 40}, {"busy, few traces", errRetry, 0}, {"fails", errEither, 40}, {"fails, few traces", errEither, 0},
		{"refuses the gateway", errGateway, 40},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
				var down atomic.Bool
				s.sink.answer = func(string, []byte) error { // called by the sender's goroutine
					if !down.Load() {
						return nil
					}
					assert.LessOrEqual(t, len(r.senders[0].loads), maxLoads)
					return tc.answer
				}
				st := newStream(s)
				send := func(seconds int) {
					for i := range seconds {
						if tc.kept > 0 {
							st.keep(make([]bool, tc.kept)...)
						} else if i%60 == 0 {
							st.keep(false)
						}
						time.Sleep(time.Second)
					}
				}
				down.Store(false)
				send(61)
				calls := s.sink.callCount()
				down.Store(true)
				send(900)
				synctest.Wait()
				require.Less(t, s.sink.callCount()-calls, 80)
				for _, d := range s.Destinations {
					require.Zero(t, d.Refused.Len(), "nothing is refused")
				}
				down.Store(false)
				time.Sleep(maxBackoff * 3 / 2)
				calls = s.sink.callCount()
				time.Sleep(2 * time.Second)
				synctest.Wait()
				require.Len(t, st.arrived, len(st.kept))
				require.Less(t, s.sink.callCount()-calls, 2)
				require.Less(t, s.sink.callCount(), 400)
				require.Zero(t, s.Destinations[0].Apart.Load())
				require.Zero(t, s.Destinations[0].UndeliveredTraces.Load())
				r.end()
			})
		})
	}
}

// Traces that wait apart take turns with the log, however many of them are due.
func TestTracesThatWaitApartDelayNoOthers(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		const takes = 5 * time.Second
		var slow atomic.Bool
		s.sink.answer = func(_ string, traces []byte) error {
			if !hasBad(traces) {
				return nil
			}
			if slow.Load() {
				time.Sleep(takes)
			}
			return errRetry
		}
		st := newStream(s)
		st.keep(slices.Repeat([]bool{true}, 40)...)
		for range 15 * 60 {
			st.keep(false)
			time.Sleep(time.Second)
		}
		require.EqualValues(t, 40, s.Destinations[0].Apart.Load())
		clear(st.kept)
		slow.Store(true)
		for range 3600 {
			st.keep(false)
			time.Sleep(time.Second)
		}
		st.slowest(2 * takes)
		r.abort()
	})
}

// Over maxWaiting, the trace that would wait longest is given up.
func TestWaitingIsBounded(t *testing.T) {
	var apart atomic.Int64
	w := waiting{apart: &apart}
	for i := range maxWaiting {
		_, full := w.add(aside{due: clock.Monotonic(i), apart: true})
		require.False(t, full)
	}
	last, full := w.add(aside{due: 7})
	require.True(t, full)
	require.EqualValues(t, maxWaiting-1, last.due)
	require.EqualValues(t, maxWaiting-1, apart.Load())
	for range maxWaiting {
		_, ok := w.take(maxWaiting)
		require.True(t, ok)
	}
	require.Zero(t, apart.Load())
	w.hurry()
	w.add(aside{apart: true})
	require.Zero(t, apart.Load())
}

// However often a trace is sent, with others or alone, it is reconstructed once.
func TestProbesAreReconstructedOnce(t *testing.T) {
	withDestinations(t, []destination.Destination{asBytes("backend")}, func(t *testing.T, s *setup, r *running) {
		var down atomic.Bool
		found := map[byte]int{}
		loads := 0 // while it is down; used by its sender only
		s.sink.kept = func(k *wire.Kept) {
			for i := range k.Traces {
				if t := &k.Traces[i]; !t.Reconstructed {
					t.Reconstructed = true
					found[t.ID[0]]++
				}
			}
		}
		s.sink.answer = func(string, []byte) error {
			if down.Load() {
				loads = max(loads, len(r.senders[0].loads))
				return errRetry
			}
			return nil
		}
		down.Store(true)
		s.keepAll(upTo(8)...)
		time.Sleep(time.Second)
		s.keepAll(upTo(28)[8:]...)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		down.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, upTo(28), sorted(s.sink.got("backend")))
		for n, times := range found {
			require.Equal(t, 1, times, "%d", n)
		}
		r.end()
		require.Equal(t, 2, loads)
	})
}

// A sender goes on while a destination accepts nothing and the disk fails to read back the next probe.
func TestProbesThatCannotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T, s *setup, r *running) {
		var healed atomic.Bool
		breakLog(s.Buffer.Members[0], func(reading, _ int) (spanlog.Record, error, bool) {
			return spanlog.Record{}, errDisk, reading >= 2 && !healed.Load()
		})
		s.sink.accept = func(context.Context, int) error {
			if healed.Load() {
				return nil
			}
			return errors.New("not now")
		}
		var all []testSpan
		for trace := range byte(4) { // a load each
			for i := range uint64(maxLoadSpans) {
				all = append(all, testSpan{trace: trace + 1, start: i})
			}
		}
		s.keep(all...)
		time.Sleep(3 * time.Minute)
		calls := s.sink.callCount()
		require.Greater(t, calls, 5)
		healed.Store(true)
		time.Sleep(time.Hour)
		require.EqualValues(t, len(all), s.Delivered()+s.Lost.Load())
		require.Zero(t, s.Buffer.Sum().Present)
		r.end()
	})
}
