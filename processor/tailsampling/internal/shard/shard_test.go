package shard

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/hold"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// The decider handles at most hold.Items in a visit.
func TestDueStopsForOthers(t *testing.T) {
	for _, traces := range []int{hold.Items - 1, hold.Items, hold.Items + 1} {
		s, _ := newShard(t, &Shared{Waits: Waits{Decision: 1}}, keepAll())
		v := s.versions.Current()
		for n := range traces {
			span := testSpan{trace: byte(n)}
			r := requestOf(t, span)
			r.Spans[0].TraceID[1], r.Spans[0].TraceID[2] = byte(n>>8), 1
			add(s, r, v, 0)
		}
		overdue, more, next := s.Due(5)
		require.Equal(t, time.Duration(4), overdue)
		require.Equal(t, traces >= hold.Items, more, "with %d", traces)
		require.EqualValues(t, max(0, traces-hold.Items), s.Tally().Stats.Pending)
		if more {
			require.Equal(t, clock.Monotonic(5), next)
			_, more, next = s.Due(5)
		}
		require.False(t, more)
		require.Equal(t, Never, next)
		checkInvariants(t, s, 0)
	}
}

// A visit that makes a trace due before the decider's next run wakes it; a later one does not.
func TestEndVisitWakesTheDeciderOnlyWhenItMust(t *testing.T) {
	s, _ := newShard(t, &Shared{Waits: Waits{Decision: 10, Root: 3}}, keepAll())
	v := s.versions.Current()
	s.Lock()
	defer s.Unlock()
	require.False(t, s.EndVisit().WakeDecider, "nothing is there")
	add(s, requestOf(t, testSpan{trace: 1}), v, 0)
	require.True(t, s.EndVisit().WakeDecider)
	add(s, requestOf(t, testSpan{trace: 2}), v, 1)
	require.False(t, s.EndVisit().WakeDecider)
	add(s, requestOf(t, testSpan{trace: 2, root: true}), v, 7)
	require.False(t, s.EndVisit().WakeDecider, "10, as before")
	add(s, requestOf(t, testSpan{trace: 3, root: true}), v, 6)
	require.False(t, s.EndVisit().WakeDecider, "behind the one that is quiet since 7")
	_, _, next := s.Due(8)
	require.Equal(t, clock.Monotonic(10), next)
	require.False(t, s.EndVisit().WakeDecider)
}

// The pool counts the memory of the index, and gets it back.
func TestThePoolKnowsTheIndex(t *testing.T) {
	s, log := newShard(t, &Shared{Waits: Waits{Decision: 10}, Limits: Limits{Ties: 10, TiesPerTrace: 10}, LinksPerSpan: 5}, keepAll())
	pool := s.shared.Pool
	require.Zero(t, pool.Used())
	s.EndVisit()
	v := s.versions.Current()
	add(s, requestOf(t, testSpan{trace: 1, links: []byte{2}}), v, 0)
	segments := pool.Used()
	s.EndVisit()
	require.Equal(t, pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.ties.Bytes()), pool.Used()-segments)
	s.EndVisit()
	require.Equal(t, pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.ties.Bytes()), pool.Used()-segments)
	for n := range byte(100) {
		s.Receive(linked.Message{Trace: idOf(n), Other: idOf(n + 1)}, uint32(n), 0)
	}
	s.EndVisit()
	require.Equal(t, pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.ties.Bytes()), pool.Used()-segments)
	log.Close()
	s.Close()
	require.Zero(t, pool.Used())
	s.Close()
	require.Zero(t, pool.Used())
	require.Equal(t, v, s.Versions().Current())
}

func TestNoJournal(t *testing.T) {
	var j NoJournal
	j.Put(spanlog.Event{}, 0)
	require.False(t, j.Full())
	j.Trim(func(uint64) { t.Fatal("nothing needs to be put again") })
}

// outcome is the result of a trace, independent of its history.
type outcome struct {
	verdict           policy.Verdict
	policy            int32
	threshold, random uint64
	root, failed      bool
	duration          time.Duration
	spans, bytes      int // of kept ones
}

// Any order and any batches of the same spans lead to the same decisions, and no span is kept twice or left behind, even if some
// of them arrive after the first decision.
func TestOrderAndBatchesDoNotMatter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		spans := randomSpans(rnd)
		late := round%2 == 1
		var want map[byte]outcome
		for range 4 {
			rnd.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
			got := outcomesOf(t, rnd, spans, late)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got, "round %d", round)
		}
	}
}

func randomSpans(rnd *rand.Rand) (spans []testSpan) {
	for range 40 {
		s := testSpan{
			trace: byte(1 + rnd.IntN(4)), root: rnd.IntN(5) == 0, failed: rnd.IntN(15) == 0, debug: rnd.IntN(60) == 0,
			start: time.Duration(1+rnd.IntN(10)) * 100 * time.Millisecond, bytes: 100 + rnd.IntN(50),
		}
		s.end = s.start + time.Duration(rnd.IntN(500))*time.Millisecond
		if rnd.IntN(2) == 0 {
			s.trace += 199
		}
		if rnd.IntN(8) == 0 {
			s.rv = fmt.Sprintf("%014x", rnd.Uint64()>>8)
		}
		spans = append(spans, s)
	}
	return spans
}

// outcomesOf sends spans in random batches. With late their second half arrives after the decision; the policies are then such
// that a match stays a match with more spans.
func outcomesOf(t *testing.T, rnd *rand.Rand, spans []testSpan, late bool) map[byte]outcome {
	shared := &Shared{Waits: Waits{Decision: 10 * time.Second, Revive: 50 * time.Second}, ReviveUpTo: 0.6, Limits: Limits{Sampled: 100, Dropped: 100, Records: 100}}
	names := "errors,slow,half,debug"
	if late {
		names = "errors"
	}
	s, _ := newShard(t, shared, keepAll())
	v, err := version.New(2, compile(t, names), nil, version.NewNames())
	require.NoError(t, err)
	s.Swap(v)
	now := clock.Monotonic(0)
	first := spans
	if late {
		first = spans[:len(spans)/2]
	}
	sendInBatches(t, rnd, s, first, now)
	now = now.Add(10 * time.Second)
	s.Due(now)
	checkInvariants(t, s, 0)
	sendInBatches(t, rnd, s, spans[len(first):], now)
	s.DecideAll(false, now)
	s.FinishAll(now.Add(time.Second))
	checkInvariants(t, s, 0)
	return delivered(t, s, late, now)
}

func sendInBatches(t *testing.T, rnd *rand.Rand, s *Shard, spans []testSpan, now clock.Monotonic) {
	for len(spans) > 0 {
		n := 1 + rnd.IntN(len(spans))
		add(s, requestOf(t, spans[:n]...), s.versions.Current(), now)
		spans = spans[n:]
		if rnd.IntN(2) == 0 {
			s.EndVisit()
		}
	}
}

func delivered(t *testing.T, s *Shard, late bool, now clock.Monotonic) map[byte]outcome {
	got := map[byte]outcome{}
	for trace := range 255 {
		id := idOf(byte(trace))
		hash := uint32(s.shared.Seed.Hash(id))
		if r, _, _ := s.Known().Record(hash, &id); r != nil {
			o := outcome{verdict: r.Verdict, policy: r.Policy, threshold: r.Threshold}
			if !late {
				o.random, o.root, o.failed, o.duration = r.Randomness, r.HadRoot(), r.HadError(), r.Duration
			}
			got[byte(trace)] = o
		}
	}
	for {
		k, more := s.Outgoing(0).Next()
		if !more {
			break
		}
		s.Outgoing(0).Take(k.Slot, now)
		o := got[k.ID[0]]
		o.spans, o.bytes = o.spans+k.Spans, o.bytes+k.Bytes
		got[k.ID[0]] = o
		s.Outgoing(0).Delivered(k.Slot, now)
		checkInvariants(t, s, 0)
	}
	require.Zero(t, s.Tally().Stats.Present)
	return got
}

// A large trace is released piecewise: while its spans are read the shard can be locked.
func TestRecordsPause(t *testing.T) {
	s, _ := newShard(t, &Shared{}, keepAll())
	for range 3 {
		add(s, requestOf(t, testSpan{trace: 1, bytes: 300 << 10}), s.versions.Current(), 0)
	}
	s.DecideAll(false, 0)
	k, ok := s.Outgoing(0).Next()
	require.True(t, ok)
	read, pauses := 0, 0
	for _, err := range s.Outgoing(0).Records(k.Slot, func(func()) bool { pauses++; return true }) {
		require.NoError(t, err)
		read++
	}
	require.Equal(t, 3, read)
	require.Positive(t, pauses)
}

// found returns a span as recovery finds it, with its body.
func found(t *testing.T, at spanlog.Position, arrived clock.UnixMilli, s testSpan) (*spanlog.Found, *wire.Span) {
	r := requestOf(t, s)
	body := r.Spans[0].Body.Of(r.Bytes)
	span, err := wire.ParseSpan(body)
	require.NoError(t, err)
	return &spanlog.Found{Position: at, Arrived: int64(arrived), Body: body}, &span
}

// A restored trace is the same as without a restart: root, bits, links, randomness, and the first position and arrival of its
// spans, in whatever order they are found.
func TestRestoredTracesAreWhatTheyWere(t *testing.T) {
	shared := &Shared{Waits: Waits{Decision: 10e9, Root: 2e9}, Limits: Limits{Ties: 10, TiesPerTrace: 10}, LinksPerSpan: 5}
	s, log := newShard(t, shared, policies["errors"])
	s.Lock()
	defer s.Unlock()
	r := NewRestorer(s)
	last := shared.Epoch.UnixMilli(0) - 60_000
	for i, span := range []testSpan{
		{trace: 1, start: 2e9, end: 3e9, rv: "ffffffffffffff"},
		{trace: 1, start: 1e9, end: 2e9, failed: true, rv: "0000000000000f"},
		{trace: 1, start: 4e9, end: 5e9, root: true, links: []byte{2}},
	} {
		f, parsed := found(t, spanlog.Position(90-i), last-clock.UnixMilli(1000*i), span)
		n, fresh := r.Pending(f, parsed, 7)
		require.Equal(t, i == 0, fresh)
		r.Count(n, len(f.Body))
		require.True(t, r.Chain(n).Empty())
	}
	f, parsed := found(t, 500, last, testSpan{trace: 3})
	n, _ := r.Pending(f, parsed, 8)
	r.Count(n, len(f.Body))
	r.Account()
	require.Equal(t, shared.Pool.OnHeap(s.index.Bytes()+s.versions.Bytes()+s.links.ties.Bytes()), shared.Pool.Used())
	const now = clock.Monotonic(5e9)
	r.Finish(now, last)

	id := idOf(1)
	p, ok := s.Known().Pending(7, &id, now)
	require.True(t, ok)
	require.Equal(t, Pending{
		Version: s.versions.Current(), First: shared.Epoch.UnixMilli(now) - 2000, Randomness: 0xf, Root: true, Error: true, Spans: 3,
		Bytes: p.Bytes, Duration: 4e9,
	}, p)
	require.Equal(t, spanlog.Position(88), s.index.At(s.index.Find(7, &id)).from)
	require.Equal(t, s.Tally().Stats.PendingBytes, p.Bytes+int64(len(f.Body)))
	require.EqualValues(t, 4, s.Tally().Stats.Spans)
	checkInvariants(t, s, 0)
	require.Len(t, s.EndVisit().Messages, 1, "linked traces get a message")
	require.Equal(t, now.Add(2*time.Second), s.Next(), "its root is there, and it is quiet from now on")
	_, _, next := s.Due(now.Add(2 * time.Second))
	require.Equal(t, now.Add(10*time.Second), next)
	k, ok := s.Outgoing(0).Next()
	require.True(t, ok)
	require.Equal(t, uint64(0xf), k.Random)
	log.Close()
}

// A restored trace above the size limit is decided at once; late parts wait as long as any.
func TestRestoredTracesCanBeTooLarge(t *testing.T) {
	shared := &Shared{Waits: Waits{Decision: 10e9}, Limits: Limits{Sampled: 5, Dropped: 5}}
	s, _ := newShard(t, shared, keepAll())
	shared.TraceSize = 1000
	r := NewRestorer(s)
	for trace, bytes := range map[byte]int{1: 1999, 2: 2000} {
		f, parsed := found(t, 1, 0, testSpan{trace: trace, bytes: bytes})
		n, _ := r.Pending(f, parsed, uint32(trace))
		r.Count(n, len(f.Body))
	}
	n, fresh := r.Late(KeptPart{ID: idOf(3), Hash: 3, Policy: 1, Threshold: 5, Random: 6}, 70, 0)
	require.True(t, fresh)
	r.Count(n, 100)
	r.Remember(4, decision.Remembered{ID: idOf(4), Policy: 1}, policy.Dropped, decision.Weight{})
	r.Remember(5, decision.Remembered{ID: idOf(5), Policy: 1}, policy.Sampled, decision.Weight{Threshold: 8})
	r.Finish(50e9, 0)
	checkInvariants(t, s, 0)
	st := s.Tally().Stats
	require.EqualValues(t, 1, st.Pending)
	require.EqualValues(t, 1, st.Undelivered)
	require.EqualValues(t, 1, st.Triggers[decision.BySize])
	require.Equal(t, clock.Monotonic(50e9).Add(lateWait), s.Next())
	s.Due(clock.Monotonic(50e9).Add(lateWait))
	k, ok := s.Outgoing(0).Next()
	require.True(t, ok)
	require.Equal(t, idOf(2), k.ID)
	s.Outgoing(0).Take(k.Slot, 50e9)
	k, ok = s.Outgoing(0).Next()
	require.True(t, ok)
	require.Equal(t, Kept{
		Ref: Ref{Slot: n, ID: idOf(3), From: 70}, Policy: 1, Threshold: 5, Random: 6, Late: true,
		DecidedAt: clock.Monotonic(50e9).Add(lateWait), Spans: 1, Bytes: 100,
	}, k)

	dropped, sampled := idOf(4), idOf(5)
	faded, ok := s.Known().Faded(4, &dropped)
	require.True(t, ok)
	require.Equal(t, policy.Dropped, faded.Verdict)
	faded, ok = s.Known().Faded(5, &sampled)
	require.True(t, ok)
	require.Equal(t, policy.Sampled, faded.Verdict)
	require.Equal(t, uint64(8), faded.Threshold)
	_, ok = s.Known().LinkedTo(5, &sampled)
	require.False(t, ok)
	_, ok = s.Known().Faded(6, &sampled)
	require.False(t, ok)
}

// A kept part that may have been delivered counts as attempted.
func TestRestoredPartsWereAttempted(t *testing.T) {
	for _, attempted := range []Mask{0, 1} {
		s, log := newShard(t, &Shared{}, keepAll())
		j := &countingJournal{}
		s.Open(log, j)
		r := NewRestorer(s)
		n := r.Kept(KeptPart{ID: idOf(1), Hash: 7, Part: decision.Part{From: 3, To: 9, Late: true}, Waits: 1, Attempted: attempted, At: 1000})
		r.Count(n, 10)
		r.Finish(0, 1000_000)
		require.EqualValues(t, 10, s.Tally().Stats.UndeliveredBytes)
		require.Equal(t, clock.Monotonic(0), s.index.At(n).arrived)
		s.Outgoing(0).Take(n, 0)
		want := 0
		if attempted == 0 {
			want = 1
		}
		require.Len(t, j.events, want)
		s.Outgoing(0).Delivered(n, 0)
		last := j.events[len(j.events)-1]
		require.Equal(t, spanlog.Delivered, last.Kind)
		require.Equal(t, spanlog.Position(3), last.From)
		require.Equal(t, spanlog.Position(9), last.To)
		require.True(t, last.Late)
	}
}

type countingJournal struct {
	NoJournal
	events []spanlog.Event
}

func (j *countingJournal) Put(e spanlog.Event, _ clock.UnixMilli) { j.events = append(j.events, e) }

// DecideEarly does not visit traces again that it has passed.
func TestCursorsMoveOn(t *testing.T) {
	s, _ := newShard(t, &Shared{Waits: Waits{Decision: 10}}, policies["errors"])
	v := s.versions.Current()
	add(s, requestOf(t, testSpan{trace: 1, failed: true}, testSpan{trace: 2}, testSpan{trace: 3, failed: true}, testSpan{trace: 4}), v, 0)
	head := s.queues.waiting.Head()
	require.Equal(t, [Ranks]slot{head, head, head}, s.queues.cursors)
	require.Positive(t, s.DecideEarly(Boring, decision.ByMemory, 0))
	left := listed(s, &s.queues.waiting)
	require.Equal(t, [Ranks]slot{left[1], head, head}, s.queues.cursors)
	require.Positive(t, s.DecideEarly(Boring, decision.ByMemory, 0))
	require.Zero(t, s.queues.cursors[Boring])
	require.Positive(t, s.DecideEarly(Failed, decision.ByMemory, 0))
	require.Equal(t, [Ranks]slot{0, left[1], left[1]}, s.queues.cursors)
}

// Without Waits.Root a rooted trace has no quiet time after a restart either.
func TestRestoredRootsWithoutAWait(t *testing.T) {
	s, _ := newShard(t, &Shared{Waits: Waits{Decision: 10e9}}, keepAll())
	r := NewRestorer(s)
	f, parsed := found(t, 1, 0, testSpan{trace: 1, root: true, links: []byte{2}}) // the link is not read
	n, _ := r.Pending(f, parsed, 1)
	r.Count(n, len(f.Body))
	r.Finish(5e9, 0)
	checkInvariants(t, s, 0)
	require.Equal(t, clock.Monotonic(15e9), s.Next())
	s.Due(15e9)
	checkInvariants(t, s, 0)
}
