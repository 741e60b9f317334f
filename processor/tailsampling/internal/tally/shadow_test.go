package tally

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

func shadowed(d *decision.Decided, verdict policy.Verdict, by int) *decision.Decided {
	d.Shadow = decision.Shadow{Compared: true, Decision: policy.Decision{Verdict: verdict, Policy: by}}
	return d
}

// Only traces that were compared, and began under the version, count; differences are listed.
func TestShadowIsComparedWithItsOwnVersion(t *testing.T) {
	v := newVersion(t, 1)
	s := Shadow{Version: v}
	s.Compare(decided(v, 1, policy.Sampled, 1), 1)
	s.Compare(shadowed(decided(newVersion(t, 2), 1, policy.Sampled, 1), policy.NotSampled, policy.None), 2)
	require.Equal(t, Shadow{Version: v}, s)

	s.Compare(shadowed(decided(v, 2, policy.Sampled, 1), policy.Sampled, 0), 3)
	s.Compare(shadowed(decided(v, 3, policy.NotSampled, 0), policy.NotSampled, policy.None), 4)
	s.Compare(shadowed(decided(v, 4, policy.Sampled, 1), policy.Dropped, 2), 5)
	s.Compare(shadowed(decided(v, 5, policy.Dropped, 3), policy.Sampled, 1), 6)
	s.Compare(shadowed(decided(v, 6, policy.Dropped, 3), policy.NotSampled, policy.None), 7)
	linked := shadowed(decided(v, 7, policy.Sampled, 9), policy.NotSampled, policy.None)
	linked.Linked = true
	s.Compare(linked, 8)

	require.Equal(t, [Verdicts]Amount{
		policy.Sampled: amount(2, 7), policy.NotSampled: amount(3, 16), policy.Dropped: amount(1, 4),
	}, s.Decided)
	require.Equal(t, []ShadowPolicy{{Sampled: amount(1, 2)}, {Sampled: amount(1, 5)}, {Dropped: amount(1, 4)}}, s.Policies)
	require.Equal(t, amount(1, 5), s.OnlyShadow)
	require.Equal(t, amount(1, 4), s.OnlyReal)
	require.Equal(t, []Difference{
		{ID: wire.TraceID{1, 15: 100}, At: 6, Shadow: policy.Sampled, Real: policy.Dropped},
		{ID: wire.TraceID{1, 15: 100}, At: 5, Shadow: policy.Dropped, Real: policy.Sampled},
	}, s.Differences())
}

// The latest differences stay, over all shards together.
func TestDifferencesAreTheLatest(t *testing.T) {
	v := newVersion(t, 1)
	fill := func(n int, offset byte) *Shadow {
		s := &Shadow{Version: v}
		for i := range n {
			d := shadowed(decided(v, 1, policy.Sampled, 1), policy.NotSampled, policy.None)
			d.ID[1] = offset
			s.Compare(d, clock.UnixMilli(i))
		}
		return s
	}
	for _, n := range []int{maxDifferences - 1, maxDifferences, maxDifferences + 1, 2*maxDifferences + 7} {
		list := fill(n, 0).Differences()
		require.Len(t, list, min(n, maxDifferences))
		for i, d := range list {
			require.EqualValues(t, n-1-i, d.At)
		}
	}
	var all Shadow
	all.Add(fill(70, 2))
	all.Add(fill(80, 1))
	list := all.Differences()
	require.Len(t, list, maxDifferences)
	require.EqualValues(t, 79, list[0].At)
	require.EqualValues(t, 69, list[10].At)
	require.EqualValues(t, 1, list[10].ID[1], "at the same time: by ID")
	require.EqualValues(t, 2, list[11].ID[1])
	require.Equal(t, amount(150, 150), all.OnlyReal)
}

func TestShadowsAddUp(t *testing.T) {
	v := newVersion(t, 1)
	a, b := Shadow{Version: v}, Shadow{Version: v}
	a.Compare(shadowed(decided(v, 1, policy.NotSampled, 0), policy.Sampled, 0), 1)
	b.Compare(shadowed(decided(v, 2, policy.NotSampled, 0), policy.Sampled, 1), 2)
	b.Compare(shadowed(decided(v, 3, policy.Sampled, 0), policy.Dropped, 2), 3)
	var all Shadow
	all.Add(&a)
	all.Add(&b)
	all.Add(&b)
	require.Equal(t, [Verdicts]Amount{policy.Sampled: amount(3, 5), policy.Dropped: amount(2, 6)}, all.Decided)
	require.Equal(t, []ShadowPolicy{{Sampled: amount(1, 1)}, {Sampled: amount(2, 4)}, {Dropped: amount(2, 6)}}, all.Policies)
	require.Equal(t, amount(3, 5), all.OnlyShadow)
	require.Equal(t, amount(2, 6), all.OnlyReal)
	require.Len(t, all.Differences(), 5)
}
