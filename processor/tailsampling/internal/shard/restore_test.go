package shard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// newShard returns a shard in memory with these policies.
func newShard(t testing.TB, shared *Shared, policies ...policy.Config) (*Shard, *spanlog.Log) {
	t.Helper()
	set, err := policy.Compile(policies, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, version.NewNames())
	require.NoError(t, err)
	shared.Destinations = []string{"next"}
	shared.TraceSize = 1 << 20
	// No clock ends a visit early, however slow the machine is.
	shared.Pool, shared.Epoch = spanlog.NewPool(64<<20, 1), clock.EpochAt(scriptBegan)
	s, log := New(shared, v), spanlog.New(shared.Pool, 0)
	s.Open(log, NoJournal{})
	return s, log
}

func keepAll() policy.Config { return policy.Config{Name: "all", Type: policy.AlwaysSample} }

// Late spans are found in any order, as some were copied forward. Their part begins with the span that arrived first: a part's
// fate is remembered by its beginning, and would not hold for a span before it.
func TestLatePartBeginsWithItsFirstSpan(t *testing.T) {
	s, _ := newShard(t, &Shared{}, keepAll())
	r := NewRestorer(s)
	part := KeptPart{ID: wire.TraceID{1}, Hash: 7}
	first, fresh := r.Late(part, 300, 0)
	require.True(t, fresh)
	for _, at := range []spanlog.Position{100, 200} {
		n, fresh := r.Late(part, at, 0)
		require.False(t, fresh)
		require.Equal(t, first, n)
	}
	require.Equal(t, spanlog.Position(100), s.index.At(first).from)
	require.False(t, s.index.At(first).Failed)
	part.Failed = true
	r.Late(part, 400, 0)
	part.Failed = false
	r.Late(part, 500, 0)
	require.True(t, s.index.At(first).Failed, "one of its spans has an error")
}

// For a decision that was written again, because its journal was deleted, its time determines its place in the order.
func TestRestoredOrderIsThatOfTheTime(t *testing.T) {
	s, _ := newShard(t, &Shared{}, keepAll())
	r := NewRestorer(s)
	for i, at := range []decision.Seconds{7, 5, 6, 5} {
		r.Kept(KeptPart{ID: wire.TraceID{byte(i)}, Order: int32(i), Waits: 1, At: at})
	}
	r.Finish(0, 7000)
	var got []byte
	for n := range s.outbox.All(&s.index) {
		got = append(got, s.index.At(n).ID[0])
	}
	require.Equal(t, []byte{1, 3, 2, 0}, got)
	require.Equal(t, clock.Monotonic(-2e9), s.Outgoing(0).Backlog().Oldest, "the clock stood still since the last span came")
}

// A part that no destination waits for is given up at once.
func TestRestoredPartForNobody(t *testing.T) {
	s, log := newShard(t, &Shared{}, keepAll())
	r := NewRestorer(s)
	r.Count(r.Kept(KeptPart{ID: wire.TraceID{1}}), 10)
	r.Finish(0, 0)
	require.Zero(t, s.Tally().Stats.Undelivered)
	require.Zero(t, s.Tally().Stats.Spans)
	require.Zero(t, log.Usage().Live)
	require.Zero(t, s.EndVisit().Deliver)
}

// Downtime does not count: after a restart a trace has waited as long as before it.
func TestRestoredTracesHaveWaited(t *testing.T) {
	shared := &Shared{Waits: Waits{Decision: 10e9}}
	s, _ := newShard(t, shared, keepAll())
	r := NewRestorer(s)
	add := func(id byte, arrived clock.UnixMilli) {
		span := wire.Span{TraceID: wire.TraceID{id}, ParentID: wire.SpanID{1}}
		n, fresh := r.Pending(&spanlog.Found{Arrived: int64(arrived), Position: spanlog.Position(arrived)}, &span, uint32(id))
		require.True(t, fresh)
		r.Count(n, 0)
	}
	const hour = 3_600_000
	began := shared.Epoch.UnixMilli(0) - hour
	add(2, began+4000)
	add(1, began)
	last := began + 5000
	r.Finish(0, last)
	require.Equal(t, clock.Monotonic(5e9), s.Next(), "it had waited for 5 of 10 seconds")
	require.Equal(t, clock.Monotonic(-5e9), s.Known().Oldest())
	require.EqualValues(t, 2, s.Tally().Stats.Pending)
	require.EqualValues(t, 2, shared.Pending.Load())
	_, more, next := s.Due(5e9)
	require.False(t, more)
	require.Equal(t, clock.Monotonic(9e9), next)
}

// Kept parts are delivered in the order of the decisions, whatever the order in which they are found.
func TestRestoredPartsAreReadyInTheirOrder(t *testing.T) {
	s, _ := newShard(t, &Shared{}, keepAll())
	r := NewRestorer(s)
	for _, order := range []int32{3, 1, 2} {
		r.Count(r.Kept(KeptPart{ID: wire.TraceID{byte(order)}, Order: order, Waits: 1, Policy: 5, Threshold: 9}), 10)
	}
	r.Finish(0, 0)
	for want := range byte(3) {
		k, ok := s.Outgoing(0).Next()
		require.True(t, ok)
		require.Equal(t, wire.TraceID{want + 1}, k.ID)
		require.Equal(t, int32(5), k.Policy)
		require.Equal(t, uint64(9), k.Threshold)
		require.Equal(t, 1, k.Spans)
		require.Equal(t, 10, k.Bytes)
		s.Outgoing(0).Take(k.Slot, 0)
		s.Outgoing(0).Delivered(k.Slot, 0)
	}
	require.Zero(t, s.Tally().Stats.Undelivered)
	require.Zero(t, s.Tally().Stats.UndeliveredBytes)
	require.Zero(t, s.Tally().Stats.Spans)
}

// Services' clocks can have any value, so a trace can seem to last longer than a time.Duration.
func TestDurationIsLimited(t *testing.T) {
	for _, tc := range []struct {
		extent extent
		want   time.Duration
	}{
		{extent{}, 0},
		{extent{5, 5}, 0},
		{extent{6, 5}, 0},
		{extent{5, 7}, 2},
		{extent{1, 1 << 63}, 1<<63 - 1},
		{extent{1, 1<<63 + 1}, 1<<63 - 1},
		{extent{1, 1<<64 - 1}, 1<<63 - 1},
	} {
		require.Equal(t, tc.want, tc.extent.duration(), "%+v", tc.extent)
	}
}
