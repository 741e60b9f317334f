package tally

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// A policy counts the traces that it decided, those that it matched, and those that would not have been sampled without it.
func TestDecisionsAreCountedByPolicy(t *testing.T) {
	v := newVersion(t, 1)
	for name, tc := range map[string]struct {
		decided *decision.Decided
		want    map[int32]ByPolicy // entries that are not zero
	}{
		"not sampled": {
			decided(v, 3, policy.NotSampled, version.NoPolicy, no, unlikely, no),
			map[int32]ByPolicy{
				0: {Decided: [Verdicts]Amount{policy.NotSampled: amount(1, 3)}},
				2: {Matched: amount(1, 3)},
			},
		},
		"sampled by one": {
			decided(v, 3, policy.Sampled, 1, perhaps, unlikely, no),
			map[int32]ByPolicy{
				1: {Decided: [Verdicts]Amount{policy.Sampled: amount(1, 3)}, Matched: amount(1, 3), Alone: amount(1, 3)},
				2: {Matched: amount(1, 3)},
			},
		},
		"sampled by the second": {
			decided(v, 2, policy.Sampled, 2, no, yes, no),
			map[int32]ByPolicy{2: {Decided: [Verdicts]Amount{policy.Sampled: amount(1, 2)}, Matched: amount(1, 2), Alone: amount(1, 2)}},
		},
		"sampled by two": {
			decided(v, 2, policy.Sampled, 1, yes, yes, no),
			map[int32]ByPolicy{
				1: {Decided: [Verdicts]Amount{policy.Sampled: amount(1, 2)}, Matched: amount(1, 2)},
				2: {Matched: amount(1, 2)},
			},
		},
		"spared by a policy that drops": {
			decided(v, 2, policy.Sampled, 1, yes, no, yes),
			map[int32]ByPolicy{
				1: {Decided: [Verdicts]Amount{policy.Sampled: amount(1, 2)}, Matched: amount(1, 2), Alone: amount(1, 2)},
				3: {Matched: amount(1, 2)},
			},
		},
		"dropped": {
			decided(v, 2, policy.Dropped, 3, yes, no, yes),
			map[int32]ByPolicy{
				1: {Matched: amount(1, 2)},
				3: {Decided: [Verdicts]Amount{policy.Dropped: amount(1, 2)}, Matched: amount(1, 2)},
			},
		},
		"policies were not asked": {
			decided(v, 2, policy.NotSampled, version.NoPolicy),
			map[int32]ByPolicy{0: {Decided: [Verdicts]Amount{policy.NotSampled: amount(1, 2)}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s Stats
			s.Decided(tc.decided)
			for number := range s.Policies {
				require.Equal(t, tc.want[int32(number)], s.Policies[number], "number %d", number)
			}
			require.EqualValues(t, 1, s.Verdict(tc.decided.Verdict))
			require.EqualValues(t, 1, s.Triggers[decision.ByWait])
			// A second decision about the trace counts no votes again.
			again := *tc.decided
			again.Trigger = decision.ByRevival
			var second Stats
			second.Decided(&again)
			require.Len(t, second.Policies, int(tc.decided.Policy)+1)
			require.Equal(t, ByPolicy{Decided: tc.want[tc.decided.Policy].Decided}, second.Policies[tc.decided.Policy])
			require.EqualValues(t, 1, second.Triggers[decision.ByRevival])
		})
	}
}

// A trace that is kept for a link was sampled by no policy, whatever the verdict.
func TestNoPolicySampledLinkedTraces(t *testing.T) {
	v := newVersion(t, 1)
	d := decided(v, 1, policy.Sampled, 7, no, yes, no)
	d.Linked = true
	var s Stats
	s.Decided(d)
	require.Zero(t, s.Policies[2].Alone)
	require.Equal(t, amount(1, 1), s.Policies[7].Decided[policy.Sampled])
}

func TestStatsAddUp(t *testing.T) {
	v := newVersion(t, 1)
	var a, b, all Stats
	a.Decided(decided(v, 3, policy.Sampled, 1, yes, no, no))
	b.Decided(decided(v, 4, policy.Sampled, 2, no, yes, no))
	b.Decided(decided(v, 5, policy.Dropped, 3, no, no, yes))
	for i := range b.Triggers {
		b.Triggers[i] = int64(100 + i)
	}
	b.Traces, b.LateKept, b.LateDropped, b.Trimmed, b.IgnoredLinks, b.LateErrors = 1, 2, 3, 4, 5, 6
	b.Present = Present{
		Pending: 6, PendingBytes: 7, Revivable: 8, RevivableBytes: 9, Undelivered: 10, UndeliveredBytes: 11, Spans: 12,
	}
	all.Add(&a)
	all.Add(&b)
	all.Add(&b)
	require.Equal(t, Present{
		Pending: 12, PendingBytes: 14, Revivable: 16, RevivableBytes: 18, Undelivered: 20, UndeliveredBytes: 22, Spans: 24,
	}, all.Present)
	want := Counters{Traces: 2, LateKept: 4, LateDropped: 6, LateErrors: 12, Trimmed: 8, IgnoredLinks: 10, Policies: []ByPolicy{
		{},
		{Decided: [Verdicts]Amount{policy.Sampled: amount(1, 3)}, Matched: amount(1, 3), Alone: amount(1, 3)},
		{Decided: [Verdicts]Amount{policy.Sampled: amount(2, 8)}, Matched: amount(2, 8), Alone: amount(2, 8)},
		{Decided: [Verdicts]Amount{policy.Dropped: amount(2, 10)}, Matched: amount(2, 10)},
	}}
	for i := range want.Triggers {
		want.Triggers[i] = int64(200 + 2*i)
	}
	want.Triggers[decision.ByWait]++ // of a
	require.Equal(t, want, all.Counters)
	require.EqualValues(t, 3, all.Verdict(policy.Sampled))
	require.EqualValues(t, 2, all.Verdict(policy.Dropped))
	require.Zero(t, all.Verdict(policy.NotSampled))
	require.EqualValues(t, 3*200+2*int(decision.BySize+decision.ByCount+decision.ByMemory), all.Early())
}
