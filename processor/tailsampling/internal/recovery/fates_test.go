package recovery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// here is a journal with one destination.
var here = roster{each: []set{1}, all: 1}

func event(kind spanlog.EventKind, trace byte, v policy.Verdict, from, to spanlog.Position) *spanlog.Event {
	return &spanlog.Event{
		Kind: kind, TraceID: idOf(trace), Verdict: uint8(v), From: from, To: to, At: 100 + uint32(trace), Threshold: 7, Random: 8, Policy: 1,
	}
}

func late(e *spanlog.Event) *spanlog.Event {
	e.Late = true
	return e
}

// A first decision on a trace and its revival are new; repetitions and the fates of late parts are not.
func TestWhichEventsAreNew(t *testing.T) {
	f := newFates()
	for i, tc := range []struct {
		event *spanlog.Event
		isNew bool
	}{
		{event(spanlog.Decided, 1, policy.NotSampled, 10, 20), true},
		{event(spanlog.Decided, 1, policy.NotSampled, 10, 20), false},
		{event(spanlog.Decided, 1, policy.NotSampled, 10, 30), false},
		{event(spanlog.Decided, 1, policy.Sampled, 10, 40), true},
		{event(spanlog.Decided, 1, policy.Sampled, 10, 40), false},
		{event(spanlog.Decided, 1, policy.NotSampled, 10, 40), false},
		{event(spanlog.Attempted, 1, policy.Sampled, 10, 40), false},
		{event(spanlog.Delivered, 1, policy.Sampled, 10, 40), false},
		{late(event(spanlog.Attempted, 1, policy.Sampled, 50, 60)), false},
		{late(event(spanlog.Decided, 1, policy.Sampled, 70, 80)), false},
		{event(spanlog.Decided, 2, policy.Dropped, 11, 20), true},
		{event(spanlog.Attempted, 3, policy.Sampled, 12, 20), false}, // whose decision is lost
	} {
		require.Equal(t, tc.isNew, f.add(tc.event, 5, &here), "event %d", i)
	}
	require.Len(t, f.parts, 5)
	first := f.part(idOf(1), 10)
	require.Equal(t, fate{
		from: 10, to: 40, threshold: 7, random: 8, at: 101, policy: 5, order: 1, verdict: policy.Sampled,
	}, *first)
	require.Equal(t, int32(1), f.part(idOf(1), 50).before)
	require.EqualValues(t, 1, f.part(idOf(1), 50).attempted)
	require.EqualValues(t, 1, f.part(idOf(1), 50).waits)
	require.True(t, f.part(idOf(1), 70).late)
	require.Zero(t, f.part(idOf(1), 70).attempted)
	require.Nil(t, f.part(idOf(1), 11))
	require.Nil(t, f.part(idOf(9), 10))
	require.EqualValues(t, 6, f.decisions, "each new part, and the revival")
}

// A revived trace has the decision that revived it.
func TestRevivedFate(t *testing.T) {
	f := newFates()
	f.add(event(spanlog.Decided, 1, policy.NotSampled, 10, 20), 0, &here)
	f.add(event(spanlog.Decided, 2, policy.Sampled, 11, 20), 3, &here)
	e := event(spanlog.Decided, 1, policy.Sampled, 10, 15)
	e.Threshold, e.Random, e.At = 70, 80, 900
	require.True(t, f.add(e, 4, &here))
	require.Equal(t, fate{from: 10, to: 20, threshold: 70, random: 80, at: 900, policy: 4, order: 2, verdict: policy.Sampled, waits: 1}, *f.part(idOf(1), 10))
}

// A span belongs to the part of its position, whose end is exclusive; otherwise it follows the last decision before it, if
// that was sampled.
func TestFatesOfSpans(t *testing.T) {
	f := newFates()
	f.add(event(spanlog.Decided, 1, policy.Sampled, 10, 20), 1, &here)
	f.add(late(event(spanlog.Decided, 1, policy.Sampled, 30, 40)), 1, &here)
	f.add(event(spanlog.Decided, 2, policy.Dropped, 10, 20), 2, &here)
	f.add(late(event(spanlog.Decided, 4, policy.Sampled, 10, 20)), 1, &here)
	f.add(late(event(spanlog.Decided, 4, policy.Sampled, 30, 40)), 1, &here)
	f.add(event(spanlog.Decided, 4, policy.NotSampled, 40, 50), 1, &here)
	for _, tc := range []struct {
		trace          byte
		at             spanlog.Position
		part, followed spanlog.Position // where they begin; 0 is none
	}{
		{1, 9, 0, 0}, {1, 10, 10, 0}, {1, 19, 10, 0}, {1, 20, 0, 10}, {1, 29, 0, 10}, {1, 30, 30, 0}, {1, 39, 30, 0}, {1, 40, 0, 10}, {1, 99, 0, 10},
		{2, 9, 0, 0}, {2, 10, 10, 0}, {2, 20, 0, 0},
		{3, 10, 0, 0},
		{4, 20, 0, 10}, {4, 40, 40, 0}, {4, 50, 0, 0},
	} {
		part, followed := f.find(idOf(tc.trace), tc.at)
		begin := func(p *fate) spanlog.Position {
			if p == nil {
				return 0
			}
			return p.from
		}
		require.Equal(t, tc.part, begin(part), "%+v", tc)
		require.Equal(t, tc.followed, begin(followed), "%+v", tc)
	}
}

// Rewritten events have the same meaning.
func TestEventsSayTheSame(t *testing.T) {
	f := newFates()
	for _, e := range []*spanlog.Event{
		event(spanlog.Decided, 1, policy.Sampled, 10, 20), event(spanlog.Attempted, 1, policy.Sampled, 10, 20),
		event(spanlog.Decided, 2, policy.Dropped, 11, 20), event(spanlog.Delivered, 1, policy.Sampled, 10, 20),
		late(event(spanlog.Attempted, 1, policy.Sampled, 30, 40)), event(spanlog.Decided, 3, policy.NotSampled, 12, 20),
		event(spanlog.Delivered, 4, policy.Sampled, 13, 20),
	} {
		f.add(e, 1, &here)
	}
	again := newFates()
	var all []spanlog.Event
	for e := range f.events(1) {
		all = append(all, e)
		again.add(&e, int32(e.Policy), &here)
	}
	require.Equal(t, f, again)
	require.Len(t, all, 8)
	require.Equal(t, *event(spanlog.Decided, 1, policy.Sampled, 10, 20), all[0])
	every := *event(spanlog.Delivered, 1, policy.Sampled, 10, 20)
	every.Destination = spanlog.EveryDestination
	require.Equal(t, every, all[1])
	require.Equal(t, *event(spanlog.Decided, 2, policy.Dropped, 11, 20), all[2])
	require.Equal(t, *late(event(spanlog.Attempted, 1, policy.Sampled, 30, 40)), all[4])
	for stop := 1; stop <= len(all); stop++ {
		n := 0
		for range f.events(1) {
			if n++; n == stop {
				break
			}
		}
		require.Equal(t, stop, n)
	}
}

func TestKeptPartOfAFate(t *testing.T) {
	p := fate{from: 1, to: 2, threshold: 3, random: 4, at: 5, policy: 6, order: 7, late: true, waits: 1, attempted: 1}
	require.Equal(t, shard.KeptPart{
		ID: wire.TraceID{9}, Hash: 8, Part: decision.Part{From: 1, To: 2, Late: true}, Policy: 6, Threshold: 3, Random: 4, Waits: 1, Attempted: 1, At: 5,
		Order: 7,
	}, p.kept(wire.TraceID{9}, 8))
}

// A span with a copy is found twice, in either order.
func TestSpansThatAreFoundTwice(t *testing.T) {
	at := func(sequence, offset int) spanlog.Position {
		return spanlog.Position(sequence)<<positionBits | spanlog.Position(offset)
	}
	p := newProcess(t, t.TempDir(), 1)
	defer p.end()
	r := newReader(p.store, p.Members[0])
	for i, tc := range []struct {
		at     spanlog.Position
		copied bool
		twice  bool
	}{
		{at(1, 10), false, false},
		{at(1, 20), false, false},
		{at(1, 40), false, false},
		{at(1, 20), true, true},
		{at(1, 30), true, false},
		{at(1, 30), true, true},
		{at(2, 20), true, false},
		{at(2, 20), false, true},
		{at(2, 30), false, false},
		{at(2, 10), true, false},
	} {
		require.Equal(t, tc.twice, r.twice(&spanlog.Found{Position: tc.at, Copied: tc.copied}), "span %d", i)
	}
}

const positionBits = 30
