package linked

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

func traceID(n int) (id wire.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n+1))
	return id
}

// The number of links is limited, in all and per trace.
func TestTiesAreBounded(t *testing.T) {
	l := NewTies(100, 3)
	others := func(n int) (got []wire.TraceID) {
		trace := traceID(n)
		for _, m := range l.AppendWanted(nil, uint32(n), &trace) {
			require.True(t, m.Wanted)
			require.Equal(t, trace, m.Other)
			got = append(got, m.Trace)
		}
		return got
	}
	add := func(n, other int, wanted bool) (bool, bool) {
		return l.Add(Tie{Trace: traceID(n), Other: traceID(other), Hash: uint32(n), Wanted: wanted})
	}
	for other := range 5 {
		added, room := add(7, other, false)
		require.Equal(t, other < 3, added)
		require.Equal(t, other < 3, room)
	}
	added, room := add(7, 1, false)
	require.False(t, added, "it is known")
	require.True(t, room)
	trace := traceID(7)
	_, found := l.Wanted(7, &trace)
	require.False(t, found)
	added, _ = add(7, 1, true)
	require.True(t, added)
	added, _ = add(7, 1, true)
	require.False(t, added, "it is known that it is wanted")
	_, _ = add(7, 1, false)
	by, found := l.Wanted(7, &trace)
	require.True(t, found, "and stays so")
	require.Equal(t, traceID(1), by)
	require.ElementsMatch(t, []wire.TraceID{traceID(0), traceID(1), traceID(2)}, others(7))

	for n := range 98 {
		add(1000+n, 1, false)
	}
	require.ElementsMatch(t, []wire.TraceID{traceID(1), traceID(2)}, others(7), "the oldest one is forgotten")
	require.Equal(t, 100, l.Len())
	full := l.Bytes()
	for n := range 1000 {
		add(2000+n, 1, false)
	}
	require.Empty(t, others(7))
	require.Equal(t, full, l.Bytes())
	require.LessOrEqual(t, full, 100*110)
	require.Zero(t, (*Ties)(nil).Bytes())
}

// Traces with equal hashes are distinct.
func TestTiesWithOneHash(t *testing.T) {
	l := NewTies(10, 1)
	for n := range 3 {
		added, room := l.Add(Tie{Trace: traceID(n), Other: traceID(9 - n), Hash: 1, Wanted: n == 1})
		require.True(t, added && room)
	}
	for n := range 3 {
		id := traceID(n)
		other, found := l.Wanted(1, &id)
		require.Equal(t, n == 1, found)
		if found {
			require.Equal(t, traceID(8), other)
		}
	}
}

// Of several kept traces that link to a trace the lowest ID is returned, whatever their order.
func TestLowestLinkedIDIsReturned(t *testing.T) {
	for _, order := range [][]int{{1, 2, 3}, {3, 2, 1}, {2, 1, 3}} {
		l, id := NewTies(10, 5), traceID(0)
		for _, other := range order {
			l.Add(Tie{Trace: id, Other: traceID(other), Hash: 4, Wanted: true})
		}
		other, _ := l.Wanted(4, &id)
		require.Equal(t, traceID(1), other)
	}
}

func TestTiesWithoutRoom(t *testing.T) {
	added, room := NewTies(0, 5).Add(Tie{})
	require.False(t, added || room)
}
