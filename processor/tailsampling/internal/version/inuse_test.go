package version

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

func TestBitTable(t *testing.T) {
	table := bitTable{words: 3}
	for n := index.Slot(1); n < 1000; n++ {
		table.reset(n)
		bits := table.at(n)
		require.Equal(t, []uint64{0, 0, 0}, bits)
		bits[0], bits[2] = uint64(n), uint64(n)
	}
	for n := index.Slot(1); n < 1000; n++ {
		require.Equal(t, []uint64{uint64(n), 0, uint64(n)}, table.at(n))
	}
	table.release(500)
	table.reset(500)
	require.Equal(t, []uint64{0, 0, 0}, table.at(500))
	require.Equal(t, []uint64{499, 0, 499}, table.at(499))
	require.InDelta(t, 16*64*3*8, table.bytes(), 32*32)
	for n := index.Slot(1); n < 1000; n++ {
		if n != 500 {
			table.release(n)
		}
	}
	require.Equal(t, []uint64{0, 0, 0}, table.at(500))
	require.LessOrEqual(t, table.bytes(), 2*64*3*8+32*32, "what no trace uses is given back")
}

func compile(t *testing.T, number int, names *Names, policies ...policy.Config) *Version {
	t.Helper()
	set, err := policy.Compile(policies, policy.Options{})
	require.NoError(t, err)
	v, err := New(number, set, nil, names)
	require.NoError(t, err)
	return v
}

func all(name string) policy.Config { return policy.Config{Name: name, Type: policy.AlwaysSample} }

// A version is in use while a trace goes by it, or it is the current one.
func TestVersionsAreInUseAsLongAsTheirTraces(t *testing.T) {
	names := NewNames()
	one, two, three := compile(t, 1, names, all("a")), compile(t, 2, names, all("b")), compile(t, 3, names, all("c"))
	u := NewInUse(one)
	require.Same(t, one, u.Current())
	first, second := u.Begin(1), u.Begin(2)
	u.Bits(first, 1)[0] = 7
	u.Swap(two)
	require.Same(t, two, u.Current())
	require.Equal(t, 2, u.Len())
	third := u.Begin(3)
	require.Equal(t, []uint64{7}, u.Bits(first, 1))
	require.Zero(t, u.Bits(third, 3)[0])
	require.Same(t, one, u.Of(first))
	require.Same(t, two, u.Of(third))
	u.End(first, 1)
	require.Same(t, one, u.Of(second), "another trace goes by it")
	u.End(second, 2)
	require.Equal(t, 1, u.Len())
	u.End(third, 3)
	require.Equal(t, 1, u.Len(), "the current one stays")
	u.Swap(three)
	require.Equal(t, 1, u.Len(), "the one before had no trace")
	require.Positive(t, u.Bytes()+1)
}

func TestAsManyVersionsAsThereIsRoomFor(t *testing.T) {
	names := NewNames()
	v := compile(t, 1, names, all("a"))
	u := NewInUse(v)
	var generations []Generation
	for n := range MaxInUse {
		generations = append(generations, u.Begin(index.Slot(n+1)))
		if n < MaxInUse-1 {
			require.False(t, u.Full())
			u.Swap(v)
		}
	}
	require.True(t, u.Full())
	require.Equal(t, MaxInUse, u.Len())
	u.End(generations[17], 18)
	require.False(t, u.Full())
	u.Swap(v)
	require.Equal(t, Generation(17), u.Begin(1000), "a free place is used again")
	require.True(t, u.Full())
}

// A decision has the number of its policy's or sub-policy's name, or of none.
func TestNumbersOfDecisions(t *testing.T) {
	names := NewNames()
	v := compile(t, 1, names, all("a"), policy.Config{Name: "drop it", Type: policy.Drop, Section: &policy.DropConfig{
		SubPolicies: []policy.Config{{Name: "x", Type: policy.AlwaysSample}}}})
	require.Equal(t, Name{Policy: "a"}, names.Of(v.NumberOf(policy.Decision{Policy: 0, Sub: policy.None})))
	require.Equal(t, Name{Policy: "drop it"}, names.Of(v.NumberOfPolicy(1)))
	require.Equal(t, int32(NoPolicy), v.NumberOf(policy.Decision{Policy: policy.None, Sub: policy.None}))
	require.False(t, v.IsDrop(0))
	require.True(t, v.IsDrop(1))
}

func TestHistoryKnowsTheLatest(t *testing.T) {
	names := NewNames()
	var h History
	_, known := h.Of(1)
	require.False(t, known)
	for n := range maxInfos + 10 {
		v := compile(t, n+1, names, all("a"))
		h.Add(v)
	}
	for number, want := range map[int]bool{0: false, 1: false, 10: false, 11: true, maxInfos + 10: true, maxInfos + 11: false} {
		info, known := h.Of(number)
		require.Equal(t, want, known, number)
		if known {
			require.Equal(t, number, info.Number)
			require.Equal(t, []PolicyInfo{{Name: "a", Type: "always_sample"}}, info.Policies)
			require.Nil(t, info.Shadow)
		}
	}
}
