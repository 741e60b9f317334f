package policy

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// A trace has one key whatever the order and number of its spans: even without a root, with equal start times, with shared IDs or
// from another sampler.
func TestKeyDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	set, err := Compile([]Config{dynamicPolicy(DynamicConfig{SpansPerSecond: 1})}, Options{})
	require.NoError(t, err)
	keys := map[string]bool{}
	for range 2000 {
		var spans []testSpan
		for range 1 + rng.IntN(4) {
			spans = append(spans, testSpan{
				ID: byte(1 + rng.IntN(2)), Parent: byte(rng.IntN(2)), Start: time.Duration(rng.IntN(2)), Name: policytest.Pick(rng, "a", "b", "c"),
				TraceState: policytest.Pick(rng, "", "ot=th:8;rv:f0000000000000", "ot=th:c;rv:f0000000000000", "ot=th:f;rv:1"),
			})
		}
		views := testBlock{Spans: spans}.views(t)
		want := eachInTurn(set, views)
		for _, way := range policytest.Ways {
			require.Equal(t, want, way(set, views), "%+v", spans)
		}
		keys[set.Key(0, &Trace{Bits: want})] = true
	}
	require.Len(t, keys, 3)
}

// Policies with equal keys compute it once; different keys are separate.
func TestKeysAreShared(t *testing.T) {
	rareBy := func(name string, fields ...string) Config {
		return Config{Name: name, Type: Rare, Section: &RareConfig{KeyConfig: KeyConfig{Key: fields}}}
	}
	set, err := Compile([]Config{rareBy("a", "name", "x"), rareBy("b", "name", "x"), rareBy("c", "x", "name")}, Options{})
	require.NoError(t, err)
	require.Equal(t, 1+2*4, set.Words(), "one for bits and four for each key")
}

// A trace that cannot be read whole matches nothing: fewer spans than it has, too many, or none.
func TestIncompleteSkeletonMatchesNothing(t *testing.T) {
	set, err := Compile([]Config{
		{Name: "broken", Type: Orphans, Section: &OrphansConfig{}},
		{Name: "not whole", Type: Orphans, Section: &OrphansConfig{Min: 2}},
	}, Options{})
	require.NoError(t, err)
	require.True(t, set.NeedsSkeleton())
	views := testBlock{Spans: []testSpan{{Parent: 9}, {}}}.views(t)
	bits, reads := make([]uint64, set.Words()), 0
	read := func() iter.Seq[SpanView] {
		reads++
		return slices.Values(views)
	}
	for spans, want := range map[int]Verdict{2: Sampled, 3: NotSampled, rule.MaxSkeleton + 1: NotSampled} {
		reads = 0
		require.Equal(t, want, set.Decide(&Trace{Bits: bits, Spans: spans, Skeleton: read}, nil).Verdict, spans)
		require.LessOrEqual(t, reads, 1, "it is read once for all policies")
	}
	require.Equal(t, NotSampled, set.Decide(&Trace{Bits: bits, Spans: 2}, nil).Verdict)

	trace := &Trace{Bits: bits, Spans: 2, Skeleton: read}
	reads = 0
	require.False(t, set.Certain(trace))
	require.Zero(t, reads, "nothing is read under pressure")
	require.Equal(t, Sampled, set.Decide(trace, nil).Verdict)

	other, err := Compile(shippedLike(), Options{})
	require.NoError(t, err)
	require.False(t, other.NeedsSkeleton())
}

// Shards observe and decide concurrently, and every trace is counted.
func TestKeyedPoliciesConcurrently(t *testing.T) {
	policies := append(diversityPolicies(time.Second), dynamicPolicy(DynamicConfig{SpansPerSecond: 1e6}))
	const workers, traces = 4, 500
	first := func(name string, traces int, key KeyConfig) Config {
		return Config{Name: name, Type: Rare, Section: &RareConfig{Traces: traces, KeyConfig: key}}
	}
	of := KeyConfig{Key: []string{"service.name"}} // the same key for all
	policies = append(policies, first("rare", 1, KeyConfig{MaxKeys: 20, Key: []string{"name"}}),
		first("all", workers*traces, of), first("one more", workers*traces+1, of))
	set, err := Compile(policies, Options{})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 1))
			for i := range traces {
				v := rootSpan(fmt.Sprint("operation ", rng.IntN(40)), "")
				trace := &Trace{
					Bits: make([]uint64, set.Words()), Spans: 1, Randomness: rng.Uint64N(never), Now: int64(i) * 1e6,
					Skeleton: func() iter.Seq[SpanView] { return slices.Values([]SpanView{*v}) },
				}
				set.Observe(trace.Bits, v)
				set.Certain(trace)
				set.Decide(trace, nil)
				set.Key(2, trace)
			}
		})
	}
	wg.Wait()
	v := rootSpan("operation 1", "")
	trace, votes := &Trace{Bits: make([]uint64, set.Words()), Spans: 1, Now: traces * 1e6}, make([]Vote, set.Len())
	set.Observe(trace.Bits, v)
	set.Decide(trace, votes)
	require.False(t, votes[4].Matched, "every trace was counted")
	require.True(t, votes[5].Matched, "and once")
}
