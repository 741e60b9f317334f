package explain

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// newVersion has n policies, every third of which drops.
func newVersion(t *testing.T, policies int) *version.Version {
	t.Helper()
	var list []policy.Config
	for i := range policies {
		cfg := policy.Config{Name: fmt.Sprint(i), Type: policy.AlwaysSample}
		if i%3 == 2 {
			cfg.Type = policy.Drop
			cfg.Section = &policy.DropConfig{SubPolicies: []policy.Config{{Type: policy.AlwaysSample}}}
		}
		list = append(list, cfg)
	}
	set, err := policy.Compile(list, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(5, set, nil, version.NewNames())
	require.NoError(t, err)
	return v
}

var seed = index.Seed{1, 2}

func decided(v *version.Version, n byte, votes ...policy.Vote) *decision.Decided {
	id := wire.TraceID{n, 15: 100}
	return &decision.Decided{ID: id, Hash: uint32(seed.Hash(id)), Random: tracestate.None, Version: v, Votes: votes}
}

func find(m *Records, n byte) (*Record, []uint64, []uint64) {
	id := wire.TraceID{n, 15: 100}
	return m.Find(uint32(seed.Hash(id)), &id)
}

func TestRecordsKeepAllOfADecision(t *testing.T) {
	m := NewRecords(10, &seed)
	d := decided(newVersion(t, 3), 1)
	d.Verdict, d.Policy, d.Threshold, d.Random, d.Trigger = policy.Sampled, 7, 8, 9, decision.ByCount
	d.At = 3_456_789_000
	d.Seen = decision.Seen{Spans: 10, Root: true, Error: true, Bytes: 11, Duration: 12, First: 1_000_000_000}
	d.Shadow = decision.Shadow{Compared: true, Decision: policy.Decision{Verdict: policy.Dropped, Policy: 2}}
	m.Put(d, 13)
	r, matched, acted := find(&m, 1)
	require.Equal(t, &Record{
		ID: d.ID, At: 13, Duration: 12, Threshold: 8, Randomness: 9, Bytes: 11, Version: 5, Policy: 7, Spans: 10,
		Waited: 2456, ShadowPolicy: 2, Verdict: policy.Sampled, ShadowVerdict: policy.Dropped, Trigger: decision.ByCount,
		marks: hadRoot | hadError | hadShadow,
	}, r)
	require.True(t, r.HadRoot())
	require.True(t, r.HadError())
	require.True(t, r.HadShadow())
	require.False(t, r.HadVotes(), "the policies were not asked")
	require.Empty(t, matched)
	require.Empty(t, acted)

	m.Put(decided(newVersion(t, 3), 2, policy.Vote{}), 14)
	r, _, _ = find(&m, 2)
	require.False(t, r.HadRoot())
	require.False(t, r.HadError())
	require.False(t, r.HadShadow())
	require.True(t, r.HadVotes())
	require.EqualValues(t, 100, r.Randomness, "from the trace ID")
	r, matched, acted = find(&m, 3)
	require.Nil(t, r)
	require.Nil(t, matched)
	require.Nil(t, acted)
}

// A policy acted if it sampled the trace, or, for type drop, dropped it.
func TestVotesOfRecords(t *testing.T) {
	m := NewRecords(10, &seed)
	m.Put(decided(newVersion(t, 6),
		1,
		policy.Vote{Matched: true, Threshold: 100}, policy.Vote{Matched: true, Threshold: 101}, policy.Vote{Matched: true, Threshold: 100},
		policy.Vote{}, policy.Vote{Matched: true}, policy.Vote{Matched: true, Threshold: 101}), 0)
	_, matched, acted := find(&m, 1)
	require.Equal(t, []uint64{0b110111}, matched)
	require.Equal(t, []uint64{0b110001}, acted)
}

// With more policies than before, remembered votes stay the same.
func TestVotesBecomeWider(t *testing.T) {
	m := NewRecords(10, &seed)
	votes := func(policies int, yes ...int) []policy.Vote {
		list := make([]policy.Vote, policies)
		for _, i := range yes {
			list[i] = policy.Vote{Matched: true}
		}
		return list
	}
	m.Put(decided(newVersion(t, 64), 1, votes(64, 0, 62, 63)...), 0) // 62 drops, but not this trace
	_, matched, acted := find(&m, 1)
	require.Equal(t, []uint64{1<<63 | 1<<62 | 1}, matched)
	require.Equal(t, []uint64{1<<63 | 1}, acted)
	m.Put(decided(newVersion(t, 65), 2, votes(65, 1, 64)...), 0)
	m.Put(decided(newVersion(t, 3), 3, votes(3, 1)...), 0)
	for n, want := range map[byte][2][]uint64{
		1: {{1<<63 | 1<<62 | 1, 0}, {1<<63 | 1, 0}}, 2: {{2, 1}, {2, 1}}, 3: {{2, 0}, {2, 0}},
	} {
		_, matched, acted = find(&m, n)
		require.Equal(t, want[0], matched, "%d", n)
		require.Equal(t, want[1], acted, "%d", n)
	}
}

// The second decision on a trace replaces the first; that its root was late stays.
func TestSecondDecisionTakesThePlaceOfTheFirst(t *testing.T) {
	m := NewRecords(2, &seed)
	v := newVersion(t, 3)
	m.Put(decided(v, 1, policy.Vote{Matched: true}), 1)
	m.Put(decided(v, 2, policy.Vote{Matched: true}), 1)
	id := wire.TraceID{1, 15: 100}
	hash := uint32(seed.Hash(id))
	m.AddLate(hash, &id, false)
	m.AddLate(hash, &id, false)
	r, _, _ := find(&m, 1)
	require.EqualValues(t, 2, r.Late)
	require.False(t, r.HadRoot())
	m.AddLate(hash, &id, true)
	require.EqualValues(t, 3, r.Late)
	require.True(t, r.HadRoot())
	other := wire.TraceID{9}
	m.AddLate(uint32(seed.Hash(other)), &other, true)

	m.Put(decided(v, 1, policy.Vote{}, policy.Vote{Matched: true}), 7)
	r, matched, acted := find(&m, 1)
	require.EqualValues(t, 7, r.At)
	require.True(t, r.HadRoot())
	require.False(t, r.HadError())
	require.Equal(t, []uint64{2}, matched)
	require.Equal(t, []uint64{2}, acted)
	r, _, _ = find(&m, 2)
	require.NotNil(t, r)
	require.False(t, r.HadRoot())

	// The oldest record is evicted, with its votes.
	m.Put(decided(v, 3, policy.Vote{}), 8)
	r, _, _ = find(&m, 1)
	require.Nil(t, r)
	_, matched, acted = find(&m, 3)
	require.Equal(t, []uint64{0}, matched)
	require.Equal(t, []uint64{0}, acted)
}

func TestRecordsWithoutRoom(t *testing.T) {
	m := NewRecords(0, &seed)
	m.Put(decided(newVersion(t, 3), 1, policy.Vote{}), 1)
	r, _, _ := find(&m, 1)
	require.Nil(t, r)
	require.Zero(t, m.Bytes())

	some := NewRecords(100, &seed)
	some.Put(decided(newVersion(t, 3), 1), 1)
	none := some.Bytes()
	require.Positive(t, none)
	some.Put(decided(newVersion(t, 3), 1, policy.Vote{}), 1)
	require.Equal(t, none+2*8, some.Bytes(), "two words of votes")
}
