package buffer

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// deliverable gives each member a sender to wake.
func deliverable(b *Buffer) {
	for _, m := range b.Members {
		m.Deliver = []chan struct{}{make(chan struct{}, 1)}
	}
}

// A visit wakes the decider if a trace falls due sooner than planned, and the senders if a trace is ready.
func TestLeaveWakesDeciderAndSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}})
		deliverable(b)
		visits := 0
		b.OnVisited(func() { visits++ })
		m, _ := b.Of(idOf(1))

		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1, failed: true}), never))
		require.Equal(t, 1, visits)
		require.True(t, wakes(b.due))
		require.False(t, wakes(m.Deliver[0]))
		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
		require.False(t, wakes(b.due), "nothing is due sooner")

		time.Sleep(10 * time.Second)
		m.Lock()
		m.Due(b.Now())
		b.Leave(m)
		require.Equal(t, 3, visits)
		require.True(t, wakes(m.Deliver[0]))
		require.False(t, wakes(b.due))
		for _, o := range b.Members {
			if o != m {
				require.False(t, wakes(o.Deliver[0]), "of another shard")
			}
		}
		m.Lock() // it is unlocked
		require.EqualValues(t, 1, m.Tally().Stats.Undelivered)
		m.Unlock()
		b.Close()
	})
}

// A visit wakes exactly the senders that have traces to send.
func TestLeaveWakesSendersThatHaveWork(t *testing.T) {
	b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}, Destinations: []string{"a", "b"}})
	b.SetReady()
	m, _ := b.Of(idOf(1))
	m.Deliver = []chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	woken := func() [2]bool { return [2]bool{wakes(m.Deliver[0]), wakes(m.Deliver[1])} }
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1, failed: true}), never))
	require.Equal(t, [2]bool{}, woken())
	decideAll(b)
	require.Equal(t, [2]bool{true, true}, woken())
	for _, d := range []shard.Destination{0, 1} {
		m.Lock()
		k, _ := m.Outgoing(d).Next()
		m.Outgoing(d).Take(k.Slot, 0)
		b.Leave(m)
		require.Equal(t, [2]bool{false, d == 0}, woken())
	}
	b.Close()
}

// Waking twice is the same as once.
func TestWake(t *testing.T) {
	c := make(chan struct{}, 1)
	Wake(c)
	Wake(c)
	require.True(t, wakes(c))
	require.False(t, wakes(c))
}

// A request visits each shard of its spans once, and each span goes to the shard of its trace.
func TestAddVisitsEachShardOnce(t *testing.T) {
	b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}})
	b.SetReady()
	visits := 0
	b.OnVisited(func() { visits++ })
	var spans []testSpan
	want := map[*Member]int64{}
	for n := range byte(40) {
		m, hash := b.Of(idOf(n + 1))
		require.Equal(t, uint32(b.Seed.Hash(idOf(n+1))), hash)
		require.Same(t, b.Members[index.ShardOf(b.Seed.Hash(idOf(n+1)), shards)], m)
		want[m]++
		spans = append(spans, testSpan{trace: n + 1})
	}
	require.NoError(t, b.Add(prepare(t, b, spans...), never))
	require.Equal(t, len(want), visits)
	for m := range b.Locked() {
		require.Equal(t, want[m], m.Tally().Stats.Pending)
	}
	require.EqualValues(t, 40, b.Sum().Pending)
	require.EqualValues(t, 40, b.Sum().Spans)
	require.EqualValues(t, 40, b.Pending.Load())
	b.Close()
}

// A visit decides traces above the limits, and traces whose decision is certain.
func TestAddDecidesEarly(t *testing.T) {
	b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}, MaxPending: 1})
	b.SetReady()
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}, testSpan{trace: 2}, testSpan{trace: 3}), never))
	require.EqualValues(t, 1, b.Sum().Pending)
	require.EqualValues(t, 2, b.Sum().Triggers[decision.ByCount])
	b.Close()

	b, _ = newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: 10 * time.Second}, Ingest: true})
	b.SetReady()
	deliverable(b)
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1, failed: true}, testSpan{trace: 2}), never))
	require.EqualValues(t, 1, b.Sum().Undelivered)
	require.EqualValues(t, 1, b.Sum().Triggers[decision.ByIngest])
	b.Close()
}

// Messages go to the shards of their traces, and so do the answers to them.
func TestMessagesBetweenShards(t *testing.T) {
	shared := &shard.Shared{
		Waits:  shard.Waits{Decision: 10 * time.Second},
		Limits: shard.Limits{Sampled: 10, Dropped: 10, Ties: 10, TiesPerTrace: 10}, LinksPerSpan: 10, Numbers: shard.Numbers{LinkedNumber: 7},
	}
	b, _ := newBuffer(t, shared)
	b.SetReady()
	deliverable(b)
	first := byte(1)
	second := other(b, first)
	// The first trace is kept by its policies; the second, which links to it, comes after that.
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: first, failed: true}), never))
	decideAll(b)
	require.EqualValues(t, 1, b.Sum().Undelivered)
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: second, link: first}), never))
	id := idOf(second)
	m, hash := b.Of(id)
	m.Lock()
	linkedTo, found := m.Known().LinkedTo(hash, &id)
	m.Unlock()
	require.True(t, found, "it got the message, and answered")
	require.Equal(t, idOf(first), linkedTo)
	decideAll(b)
	require.EqualValues(t, 2, b.Sum().Undelivered)
	b.Close()
}

func decideAll(b *Buffer) {
	for _, m := range b.Members {
		m.Lock()
		m.DecideAll(false, b.Now())
		b.Leave(m)
	}
}

// During recovery nothing visits the shards, which are locked for long.
func TestNoVisitsDuringRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: time.Hour}})
		require.False(t, b.Ready())
		require.Zero(t, b.OldestAge())
		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
		time.Sleep(time.Minute)
		require.NoError(t, b.Add(prepare(t, b, testSpan{trace: other(b, 1)}), never))
		for range b.Locked() {
			t.Fatal("not yet")
		}
		require.Zero(t, b.Sum().Pending)
		require.Zero(t, b.OldestAge())
		require.Zero(t, b.Usage())
		b.SetReady()
		require.True(t, b.Ready())
		require.EqualValues(t, 2, b.Sum().Pending)
		time.Sleep(time.Second)
		require.Equal(t, time.Minute+time.Second, b.OldestAge())
		u := b.Usage()
		require.Equal(t, 2, u.Segments)
		require.EqualValues(t, 2*b.Pool.SegmentSize(), u.Allocated)
		require.Positive(t, u.Live)
		require.Less(t, u.Live, u.Allocated)
		require.Zero(t, u.Cold)
		looked := 0
		for m := range b.Locked() {
			looked++
			m.Tally()
			break
		}
		require.Equal(t, 1, looked)
		for range 5 {
			require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
		}
		require.Equal(t, 2, b.Usage().Segments, "one for each of the shards, whatever the visits")
		b.Close()
		require.Zero(t, b.Pool.Used())
		for _, m := range b.Members {
			m.Lock() // they are unlocked again
			m.Close()
			m.Unlock()
		}
	})
}

// A repeated failure is logged at most every ten seconds.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, logs := newBuffer(t, &shard.Shared{})
		time.Sleep(time.Second) // an instant of 0 is never
		warn := func() int {
			b.Warn("broken", errors.New("why"))
			return logs.Len()
		}
		require.Equal(t, 1, warn())
		require.Equal(t, 1, warn())
		time.Sleep(10*time.Second - 1)
		require.Equal(t, 1, warn())
		time.Sleep(time.Nanosecond)
		require.Equal(t, 2, warn())
		time.Sleep(time.Second)
		require.Equal(t, 2, warn())
		require.Equal(t, "broken", logs.All()[0].Message)
		require.Equal(t, "why", logs.All()[0].ContextMap()["error"])
		b.Close()
	})
}

// The fates of traces in a buffer with files are in its journals.
func TestFiles(t *testing.T) {
	pool := spanlog.NewDiskPool(16<<20, 64<<20, shards)
	b, logs := newBuffer(t, &shard.Shared{
		Waits: shard.Waits{Decision: time.Hour}, Mapped: true, Pool: pool, Limits: shard.Limits{Sampled: 100, Dropped: 100},
	})
	dir, err := spanlog.OpenDirectory(t.TempDir())
	require.NoError(t, err)
	pool.Open(dir, spanlog.Seed(b.Seed), 0)
	deliverable(b)
	for i, m := range b.Members {
		m.OpenFiles(spanlog.New(pool, i), spanlog.NewJournal(pool, i, spanlog.Names{Policies: []string{"", "errors"}}), 50)
	}
	b.SetReady()
	require.NoError(t, pool.Reserve(1<<20, 0))
	var spans []testSpan
	for n := range byte(20) {
		spans = append(spans, testSpan{trace: n + 1, failed: n == 0})
	}
	require.NoError(t, b.Add(prepare(t, b, spans...), never))
	decideAll(b)
	b.Rewrite()
	require.Empty(t, logs.All())
	pool.Cancel(1 << 20)
	b.Close()
	pool.Close()

	found, err := dir.Inventory()
	require.NoError(t, err)
	decided := map[[16]byte]uint8{}
	for _, f := range found.Journals {
		damage, err := f.Read(func(e *spanlog.Event, names spanlog.Names) {
			require.Equal(t, spanlog.Names{Policies: []string{"", "errors"}}, names)
			decided[e.TraceID] = e.Verdict
		})
		require.NoError(t, err)
		require.Empty(t, damage)
	}
	for n := range byte(20) {
		verdict, known := decided[idOf(n+1)]
		require.True(t, known, "trace %d", n+1)
		require.Equal(t, n == 0, verdict == 1)
	}
	require.NoError(t, dir.Close())
}

// A journal is trimmed as soon as its file is full, but keeps a number of events for late spans.
func TestJournalIsTrimmed(t *testing.T) {
	pool := spanlog.NewDiskPool(16<<20, 64<<20, shards)
	dir, err := spanlog.OpenDirectory(t.TempDir())
	require.NoError(t, err)
	pool.Open(dir, spanlog.Seed{1, 2}, 0)
	l, files := spanlog.New(pool, 0), spanlog.NewJournal(pool, 0, spanlog.Names{Policies: []string{""}})
	j := journal{journal: files, log: l, keep: math.MaxInt}
	put := func() { j.Put(spanlog.Event{Kind: spanlog.Decided, Policy: -1}, 0) }
	for range 3 {
		put()
		for !j.Full() {
			put()
		}
	}
	again := 0
	j.Trim(func(uint64) { again++ })
	require.Zero(t, again)
	j.keep = 1
	j.Trim(func(uint64) { again++ })
	require.Equal(t, 2, again, "but the last")
	j.Trim(func(uint64) { again++ })
	require.Equal(t, 2, again)
	files.Close()
	l.Close()
	pool.Close()
	require.NoError(t, dir.Close())
}
