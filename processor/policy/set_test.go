package policy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

func stringIs(name, key string, values ...string) Config {
	return Config{Name: name, Type: StringAttribute, Section: &StringAttributeConfig{Key: key, Values: values}}
}

// Equal questions share a bit, across policies.
func TestCompileSharesBits(t *testing.T) {
	c := newCompiler(kindsOf(table), Options{})
	compiled := func(key string, change func(*StringAttributeConfig), values ...string) rule.Rule {
		section := &StringAttributeConfig{Key: key, Values: values}
		change(section)
		node, err := c.compile(&Config{Name: "x", Type: StringAttribute, Section: section}, 0)
		require.NoError(t, err)
		return node.Rule
	}
	plain := func(*StringAttributeConfig) {}
	require.Equal(t, rule.AnyBit{1}, compiled("team", plain, "shop", "cart"))
	inverted := func(cfg *StringAttributeConfig) { cfg.InvertMatch = true }
	require.Equal(t, rule.NoBit(1), compiled("team", inverted, "cart", "shop", "cart"))
	expression := func(cfg *StringAttributeConfig) { cfg.EnabledRegexMatching = true }
	require.Equal(t, rule.AnyBit{2}, compiled("team", expression, "shop", "cart"))
	require.Equal(t, rule.AnyBit{3}, compiled("tea", plain, "shop", "cart"))
}

// More keys than one walk can search for, and more bits than one word holds.
func TestManyKeys(t *testing.T) {
	const n = 150
	var policies []Config
	for i := range n {
		policies = append(policies, stringIs(fmt.Sprint(i), fmt.Sprintf("key%d", i), "x"))
	}
	set, err := Compile(policies, Options{})
	require.NoError(t, err)
	require.Equal(t, 3, set.Words())
	require.Equal(t, n, set.Len())
	for i := range n {
		key := fmt.Sprintf("key%d", i)
		views := testBlock{Spans: []testSpan{{Attributes: map[string]any{key: "x"}}}}.views(t)
		trace := &Trace{Bits: eachInTurn(set, views)}
		require.Equal(t, Decision{Verdict: Sampled, Policy: i, Sub: None}, set.Decide(trace, nil))
		require.Equal(t, fmt.Sprint(i), set.Name(i))
	}
}

func TestLongKeys(t *testing.T) {
	long := strings.Repeat("k", 300)
	set, err := Compile([]Config{stringIs("long", long, "x")}, Options{})
	require.NoError(t, err)
	for key, want := range map[string]Verdict{long: Sampled, long + "k": NotSampled, long[:63]: NotSampled} {
		views := testBlock{Spans: []testSpan{{Attributes: map[string]any{key: "x"}}}}.views(t)
		require.Equal(t, want, set.Decide(&Trace{Bits: eachInTurn(set, views)}, nil).Verdict)
	}
}

// Of a span's duplicate attributes the first counts, whether keys are found one by one or in one walk.
func TestFirstOccurrenceCounts(t *testing.T) {
	span := testSpan{Attributes: map[string]any{"a": "first"}, Twice: map[string]any{"a": "second"}}
	view := testBlock{Spans: []testSpan{span}}.views(t)[0]
	for keys := 1; keys <= 5; keys++ {
		policies := []Config{stringIs("first", "a", "first"), stringIs("second", "a", "second")}
		for _, key := range []string{"b", "c", "d", "e"}[:keys-1] {
			policies = append(policies, stringIs(key, key, "x"))
		}
		set, err := Compile(policies, Options{})
		require.NoError(t, err)
		bits := make([]uint64, set.Words())
		set.Observe(bits, &view)
		require.Equal(t, []uint64{0b10}, bits, "%d keys", keys)
	}
}

func TestSetNames(t *testing.T) {
	set, err := Compile(shippedLike(), Options{})
	require.NoError(t, err)
	require.Equal(t, "slow", set.Name(1))
	require.Equal(t, Latency, set.Type(1))
	require.Empty(t, set.Name(None))
	require.Empty(t, set.Warnings())
}

func TestWarningsSayWhere(t *testing.T) {
	set, err := Compile([]Config{{Name: "some", Type: And, Section: &AndConfig{SubPolicies: []Config{
		{Type: AlwaysSample},
		{Name: "inner", Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 5, HashSalt: "x"}},
	}}}}, Options{})
	require.NoError(t, err)
	require.Len(t, set.Warnings(), 1)
	require.True(t, strings.HasPrefix(set.Warnings()[0],
		`policies[0] "some": and_sub_policy[1] "inner": probabilistic::hash_salt is ignored`), set.Warnings()[0])
}

// A trace that a policy certainly samples is kept whatever its randomness; durations are not in the bits.
func TestCertain(t *testing.T) {
	set, err := Compile(shippedLike(), Options{})
	require.NoError(t, err)
	bits := make([]uint64, set.Words())
	require.False(t, set.Certain(&Trace{Bits: bits}))
	require.False(t, set.Errors(bits))

	slow := Trace{Bits: bits, Start: 1, End: 1 + 501_000_000}
	require.False(t, set.Certain(&Trace{Bits: bits}))
	require.True(t, set.Certain(&slow))

	set.Observe(bits, &testBlock{Spans: []testSpan{{Status: "ERROR"}}}.views(t)[0])
	require.True(t, set.Certain(&Trace{Bits: bits}))
	require.True(t, set.Errors(bits))

	set.Observe(bits, &testBlock{Spans: []testSpan{{Attributes: map[string]any{"url.path": "/healthz"}}}}.views(t)[0])
	require.False(t, set.Certain(&Trace{Bits: bits}), "dropped")
	require.True(t, set.Errors(bits))
}

func TestNothingAllocates(t *testing.T) {
	type test struct {
		policies []Config
		options  Options
	}
	withoutConditions := slices.DeleteFunc(mixed(), func(p Config) bool { return p.Type == OTTLCondition })
	tests := []test{
		{twenty(), Options{}}, {twenty(), Options{FirstMatch: true}}, {twenty(), Options{Contrib: true}},
		{withoutConditions, Options{}}, {withoutConditions, Options{Contrib: true}},
	}
	if !raceEnabled { // with which pools drop items at random
		tests = append(tests, test{mixed(), Options{}}) // conditions have their inputs cached by then
	}
	for _, tt := range tests {
		set, err := Compile(tt.policies, tt.options)
		require.NoError(t, err)
		require.Equal(t, len(tt.policies), set.Len())
		view := typicalSpan(t)
		bits := make([]uint64, set.Words())
		trace, votes := Trace{Bits: bits, Spans: 10}, make([]Vote, set.Len())
		require.Zero(t, testing.AllocsPerRun(100, func() {
			clear(bits)
			set.Observe(bits, &view)
			set.ResourceBits(view.Resource, bits)
			trace.Now += 1e6
			set.Decide(&trace, votes)
			set.Decide(&trace, nil)
			set.Certain(&trace)
		}))
	}
}

// A set is shared by all shards; only the cache of regular expressions changes.
func TestConcurrentUse(t *testing.T) {
	policies := shippedLike()
	policies[5].Section.(*DropConfig).SubPolicies[0].Section.(*StringAttributeConfig).CacheMaxSize = 1 // the most contention possible
	set, err := Compile(policies, Options{})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for worker := range 4 {
		views := testBlock{Spans: []testSpan{
			{Attributes: map[string]any{"url.path": fmt.Sprintf("/healthz/%d", worker)}},
			{Attributes: map[string]any{"url.path": fmt.Sprintf("/cart/%d", worker)}},
		}}.views(t)
		wg.Go(func() {
			for range 200 {
				for i, want := range []Verdict{Dropped, NotSampled} {
					bits := make([]uint64, set.Words())
					set.Observe(bits, &views[i])
					if got := set.Decide(&Trace{Bits: bits}, nil).Verdict; got != want {
						t.Errorf("%s instead of %s", got, want)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// mixed has twenty policies, and none matches the benchmarks' span.
func TestMixedMatchesNothing(t *testing.T) {
	set, err := Compile(mixed(), Options{})
	require.NoError(t, err)
	require.Equal(t, 20, set.Len())
	view := typicalSpan(t)
	bits := make([]uint64, set.Words())
	set.Observe(bits, &view)
	require.Zero(t, slices.Max(bits), "each is asked of every span")
	require.Equal(t, NotSampled, set.Decide(&Trace{Bits: bits, Spans: 10}, nil).Verdict)
}

// Values of each length in a set, of which one is in it.
func TestOneOf(t *testing.T) {
	long := strings.Repeat("x", 63)
	values := []string{"", "GET", long, long + "yz"}
	for _, withoutEmpty := range []bool{false, true} {
		set, err := Compile([]Config{stringIs("listed", "key", values...)}, Options{Contrib: withoutEmpty})
		require.NoError(t, err)
		for s, want := range map[string]bool{
			"": !withoutEmpty, "GET": true, "PUT": false, "POST": false, "get": false,
			long: true, long[1:]: false, long + "y": false, long + "yz": true, long + "yy": false,
		} {
			view := testBlock{Spans: []testSpan{{Attributes: map[string]any{"key": s}}}}.views(t)[0]
			bits := make([]uint64, set.Words())
			set.Observe(bits, &view)
			require.Equal(t, want, set.Decide(&Trace{Bits: bits, Spans: 1}, nil).Verdict == Sampled, "%q", s)
		}
	}
}
