package index

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

// A list that became empty and is filled again has both ends.
func TestListOfOne(t *testing.T) {
	var x Index[entry, *entry]
	var l List[entry, *entry]
	a, _ := x.New(1, wire.TraceID{1})
	b, _ := x.New(1, wire.TraceID{2})
	l.PushBack(&x, a)
	l.PushBack(&x, b)
	require.Equal(t, []Slot{a, b}, slots(&l, &x))
	l.Remove(&x, a)
	l.Remove(&x, b)
	require.True(t, l.Empty())
	l.PushBack(&x, b)
	l.PushBack(&x, a)
	require.Equal(t, []Slot{b, a}, slots(&l, &x))
	require.Equal(t, a, l.tail)
}

// Slots start at 1, and free ones are reused.
func TestSlotsAreUsedAgain(t *testing.T) {
	var x Index[entry, *entry]
	require.False(t, x.Has(0))
	require.False(t, x.Has(1))
	a, _ := x.New(7, wire.TraceID{1})
	require.Equal(t, Slot(1), a)
	require.True(t, x.Has(a))
	require.False(t, x.Has(2))
	x.At(a).value = 5
	x.Free(a)
	b, e := x.New(8, wire.TraceID{2})
	require.Equal(t, a, b)
	require.Zero(t, e.value)
	require.Equal(t, uint32(8), e.Hash)
	require.Equal(t, wire.TraceID{2}, e.ID)
	require.Equal(t, 1, x.Len())
}

func TestShardOf(t *testing.T) {
	require.Equal(t, 0, ShardOf(0, 7))
	require.Equal(t, 0, ShardOf(1<<32-1, 7), "the low bits have no part in it")
	require.Equal(t, 6, ShardOf(1<<64-1, 7))
	require.Equal(t, 1, ShardOf(1<<63, 2))
	require.Equal(t, 0, ShardOf(1<<63-1, 2))
}
