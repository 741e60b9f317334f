package buffer

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// recorder keeps the decisions that a decider records.
type recorder struct {
	mu            sync.Mutex
	took, overdue []time.Duration
	removed, late []time.Duration
}

func (r *recorder) Run(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, took)
}

func (r *recorder) Lateness(overdue time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overdue = append(r.overdue, overdue)
}

func (r *recorder) Ages(a tally.Ages) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removed, r.late = append(r.removed, a.Removed...), append(r.late, a.Late...)
}

// run runs a decider for a test, which must call the returned function at its end.
func run(b *Buffer) (*Decider, *recorder, func()) {
	r := new(recorder)
	d := NewDecider(b, r)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		d.Run(stop)
		close(done)
	}()
	synctest.Wait()
	return d, r, func() {
		close(stop)
		<-done
		b.Close()
	}
}

// The decider decides to the millisecond and sleeps in between, indefinitely without traces.
func TestDeciderSleepsUntilSomethingIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}})
		b.SetReady()
		d, r, end := run(b)
		defer end()
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, d.Runs(), "the first")
		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
		synctest.Wait()
		require.EqualValues(t, 2, d.Runs(), "it plans to come by")
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		require.EqualValues(t, 2, d.Runs())
		require.EqualValues(t, 1, b.Sum().Pending)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.EqualValues(t, 3, d.Runs())
		require.Zero(t, b.Sum().Pending)
		require.Equal(t, []time.Duration{0}, r.overdue, "on time, and recorded only where something was due")
		require.Equal(t, []time.Duration{10 * time.Second}, r.removed)
		require.Len(t, r.took, 3)
		time.Sleep(time.Hour)
		require.EqualValues(t, 3, d.Runs())
	})
}

// Traces that fall due within 10 ms are decided together.
func TestDeciderDecidesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: time.Second}})
		b.SetReady()
		d, r, end := run(b)
		defer end()
		time.Sleep(time.Second)
		for n := range byte(8) {
			require.NoError(t, b.Add(prepare(t, b, testSpan{trace: n + 1}), never))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		before := d.Runs()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, b.Sum().Pending)
		require.EqualValues(t, before+2, d.Runs(), "the first that is due, and 10 ms later all others")
		require.Len(t, r.removed, 8)
		require.Equal(t, []time.Duration{0, 9 * time.Millisecond}, r.overdue)
		slices.Sort(r.removed)
		require.Equal(t, time.Second, r.removed[0])
		require.Equal(t, time.Second+9*time.Millisecond, r.removed[7])
	})
}

// If more traces are due than one hold allows, the shard is unlocked in between.
func TestDeciderGoesOnWhereThereIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: time.Second}})
		b.SetReady()
		list := make([]testSpan, 700)
		for i := range list {
			list[i].trace = 1
		}
		in := prepare(t, b, list...)
		for i := range uint32(len(list)) { // traces of one shard
			binary.BigEndian.PutUint32(in.Span(i).TraceID[4:], i)
		}
		require.NoError(t, b.Add(in, never))
		visits := 0
		b.OnVisited(func() { visits++ })
		time.Sleep(time.Minute)
		_, r, end := run(b)
		defer end()
		require.Zero(t, b.Sum().Pending)
		require.Equal(t, shards-1+3, visits, "256 at once")
		require.Equal(t, []time.Duration{59 * time.Second}, r.overdue)
		require.Len(t, r.removed, 700)
	})
}

// The decider stops at once, even during a pause.
func TestDeciderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []time.Duration{0, 5 * time.Millisecond, time.Minute} {
			b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: time.Second}})
			_, _, end := run(b)
			time.Sleep(after)
			began := time.Now()
			end()
			require.Zero(t, time.Since(began))
		}
	})
}

// If the trace that it waited for was decided elsewhere, the decider sleeps until the next.
func TestDeciderSkipsDecidedTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}})
		b.SetReady()
		d, _, end := run(b)
		defer end()
		time.Sleep(time.Second)
		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
		time.Sleep(time.Second)
		decideAll(b)
		Wake(b.due)
		time.Sleep(time.Second)
		runs := d.Runs()
		time.Sleep(time.Hour)
		require.Equal(t, runs, d.Runs())
	})
}

// Waking it several times during a pause is the same as once.
func TestDeciderIsWokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}})
		d, _, end := run(b)
		defer end()
		for range 5 {
			Wake(b.due)
		}
		time.Sleep(10*time.Millisecond - 1)
		require.EqualValues(t, 1, d.Runs())
		time.Sleep(time.Second)
		require.EqualValues(t, 2, d.Runs())
	})
}
