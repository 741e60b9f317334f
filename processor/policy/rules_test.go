package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
)

// Random rules decide random traces, in any order and grouping, like an interpreter that tries the rules in turn and reads the
// spans' attributes as plain Go values.
func TestRulesAgreeWithInterpreter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	verdicts, deciders := map[Verdict]int{}, map[int]int{}
	for range 500 {
		rules := randomRules(rng)
		set, err := CompileRules(rules, Options{Contrib: rng.IntN(2) == 0, FirstMatch: rng.IntN(2) == 0})
		require.NoError(t, err)
		votes := make([]Vote, set.Len())
		for range 5 {
			spans := randomSpans(rng)
			trace := Trace{Randomness: rng.Uint64N(never), Spans: len(spans)}
			want, decider := interpret(rules, oracle{spans, trace.Randomness})
			views := testBlock{Spans: spans}.views(t)
			for _, way := range append(policytest.Ways, policytest.EachInTurn) {
				trace.Bits = way(set, views)
				trace.Start, trace.End = extent(spans)
				require.Equal(t, want, set.Decide(&trace, votes), "%+v\n%+v", rules, spans)
				for i, vote := range votes {
					if set.Type(i) == Rule && want.Verdict != Dropped {
						require.Equal(t, i == decider, vote.Matched, "the rule that decides, and no other, votes")
					}
				}
				require.Equal(t, want.Verdict == Sampled && want.Threshold == 0, set.Certain(&trace))
			}
			verdicts[want.Verdict]++
			deciders[decider]++
		}
	}
	for v := range Dropped + 1 {
		require.Greater(t, verdicts[v], 200, v)
	}
	for decider := range 3 {
		require.Greater(t, deciders[decider], 100, "rules after the first decide too")
	}
}

// interpret decides by the literal meaning of rules. It also returns the deciding rule, or -1.
func interpret(rules []RuleConfig, o oracle) (d Decision, decider int) {
	d = Decision{Policy: None, Sub: None}
	var left uint64 // threshold of the traces that drops left
	for i, r := range rules {
		if r.Match == nil || r.Match.Type != Drop {
			continue
		}
		th, ok := o.threshold(Config{Type: And, Section: &AndConfig{SubPolicies: r.Match.Section.(*DropConfig).SubPolicies}})
		if ok && o.randomness < never-th {
			return Decision{Verdict: Dropped, Policy: i, Sub: None}, -1
		} else if ok {
			left = max(left, never-th)
		}
	}
	for i, r := range rules {
		if r.Match != nil {
			if r.Match.Type == Drop {
				continue
			}
			if _, ok := o.threshold(*r.Match); !ok {
				continue
			}
		}
		var share float64
		switch s := r.Sample.(type) {
		case string:
			share = map[string]float64{"always": 1, "never": 0}[s]
		case float64:
			share = s / 100
		}
		if th := uint64((1 - share) * float64(never)); share > 0 && o.randomness >= th {
			d = Decision{Verdict: Sampled, Policy: i, Sub: None, Threshold: max(th, left)}
		}
		return d, i
	}
	return d, -1
}

func randomRules(rng *rand.Rand) (rules []RuleConfig) {
	for i := range 1 + rng.IntN(6) {
		r := RuleConfig{Name: fmt.Sprint(i), Sample: policytest.Pick[any](rng, "always", "never", 0., 12.5, 25., 50., 100.)}
		switch rng.IntN(8) {
		case 0:
			r.Sample = nil
			r.Match = &Config{Type: Drop, Section: &DropConfig{SubPolicies: []Config{randomSub(rng, 1), randomSub(rng, 1)}[:1+rng.IntN(2)]}}
		case 1: // matches every trace
		default:
			match := randomMatch(rng, 2)
			r.Match = &match
		}
		rules = append(rules, r)
	}
	return rules
}

// randomMatch is a policy without randomness.
func randomMatch(rng *rand.Rand, depth int) Config {
	for {
		match := randomSub(rng, depth)
		if _, err := CompileRules([]RuleConfig{{Name: "a", Match: &match, Sample: 1}}, Options{}); err == nil {
			return match
		}
	}
}

// Law 4 for rules: over traces with randomness of the whole range, the weights of the traces that random rules keep add up to the
// number of traces that a keeping rule matches. It is exact, as thresholds are multiples of the step.
func TestRulesAreUnbiased(t *testing.T) {
	const steps = 1 << 10
	rng := rand.New(rand.NewPCG(5, 6))
	kept := 0
	for range 300 {
		rules := randomRules(rng)
		set, err := CompileRules(rules, Options{})
		require.NoError(t, err)
		spans := randomSpans(rng)
		trace := Trace{Spans: len(spans), Bits: eachInTurn(set, testBlock{Spans: spans}.views(t))}
		trace.Start, trace.End = extent(spans)
		trace.Randomness = never - 1
		most := set.Decide(&trace, nil) // passes each threshold
		var weight float64
		for step := range uint64(steps) {
			trace.Randomness = step * (never / steps)
			d := set.Decide(&trace, nil)
			if d.Verdict != Sampled {
				continue
			}
			require.False(t, d.Weightless)
			require.LessOrEqual(t, d.Threshold, trace.Randomness)
			weight += tracestate.Count(d.Threshold)
		}
		if most.Verdict != Sampled {
			require.Zero(t, weight)
			continue
		}
		kept++
		require.InDelta(t, steps, weight, 1e-6, "%+v", rules)
	}
	require.Greater(t, kept, 100)
}

// Weights of rules with rates add up per service, like those of policies.
func TestRatedRulesAreHonest(t *testing.T) {
	traces := 250_000
	if raceEnabled {
		traces /= 20
	}
	set, err := CompileRules(ratedRules(), Options{})
	require.NoError(t, err)
	for service, e := range estimateCounts(t, set, rand.New(rand.NewPCG(7, 56)), traces) {
		require.Greater(t, e.kept, traces/500, service)
		require.InDelta(t, e.count, e.weight, bonferroni(len(services))*math.Sqrt(e.variance), service)
	}
}

func ratedRules() []RuleConfig {
	match := func(cfg Config) *Config { return &cfg }
	isService := func(name string) *Config { return match(stringIs("", "service.name", name)) }
	limit := &Config{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 200}}
	return []RuleConfig{
		{Name: "some probes", Match: match(Config{Type: Drop, Section: &DropConfig{SubPolicies: []Config{
			stringIs("", "path", "/healthz"), {Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 80}},
		}}})},
		{Name: "errors", Match: match(Config{Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}}), Sample: 40},
		{Name: "cart", Match: isService("cart"), Sample: 10},
		{Name: "search", Match: isService("search"), Sample: limit},
		{Name: "pay", Match: isService("pay"), Sample: &Config{Type: Dynamic, Section: &DynamicConfig{SamplingPercentage: 4}}},
		{Name: "batch", Match: isService("batch"), Sample: &Config{
			Type: BytesLimiting, Section: &BytesLimitingConfig{BytesPerSecond: 20_000}}},
		{Name: "rest", Sample: 3},
	}
}

// A late span can make another rule match a trace that was not sampled. A rule with a rate has decided once, and the rules after
// it are not tried instead.
func TestRulesRevise(t *testing.T) {
	status := func(code string) *Config {
		return &Config{Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{code}}}
	}
	set, err := CompileRules([]RuleConfig{
		{Name: "errors", Match: status("ERROR"), Sample: "always"},
		{Name: "ok", Match: status("OK"), Sample: &Config{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 1, BurstCapacity: 1}}},
		{Name: "rest", Sample: 100},
	}, Options{})
	require.NoError(t, err)
	trace := func(statuses ...string) *Trace {
		var spans []testSpan
		for _, s := range statuses {
			spans = append(spans, testSpan{Status: s})
		}
		return &Trace{Bits: eachInTurn(set, testBlock{Spans: spans}.views(t)), Spans: 1}
	}
	for range 10 {
		set.Decide(trace("OK"), nil)
	}
	votes := make([]Vote, set.Len())
	assert.Equal(t, NotSampled, set.Decide(trace("OK"), votes).Verdict)
	assert.Equal(t, NotSampled, set.Revise(trace("OK"), votes).Verdict)
	assert.Equal(t, []Vote{{}, {Matched: true, Threshold: never}, {}}, votes)
	d := set.Revise(trace("OK", "ERROR"), votes)
	assert.Equal(t, Decision{Verdict: Sampled, Policy: 0, Sub: None}, d)
	assert.Equal(t, Sampled, set.Revise(trace(""), votes).Verdict)
}

// A trace is settled when no further span can change its decision.
func TestRulesSettle(t *testing.T) {
	status := func(code string) *Config {
		return &Config{Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{code}}}
	}
	errors, ok, few := RuleConfig{Name: "errors", Match: status("ERROR"), Sample: "always"},
		RuleConfig{Name: "ok", Match: status("OK"), Sample: 100},
		RuleConfig{Name: "few", Match: &Config{Type: SpanCount, Section: &SpanCountConfig{MaxSpans: 3}}, Sample: "always"}
	half := RuleConfig{Name: "half", Match: status("UNSET"), Sample: 50}
	drop := RuleConfig{Name: "drop", Match: &Config{Type: Drop, Section: &DropConfig{SubPolicies: []Config{stringIs("", "a", "x")}}}}
	for _, c := range []struct {
		rules []RuleConfig
		span  testSpan
		want  bool
	}{
		{[]RuleConfig{errors, ok}, testSpan{Status: "ERROR"}, true},
		{[]RuleConfig{errors, ok}, testSpan{Status: "OK"}, true},
		{[]RuleConfig{errors, ok}, testSpan{}, false},
		{[]RuleConfig{errors, half, ok}, testSpan{Status: "ERROR"}, true},
		{[]RuleConfig{errors, half, ok}, testSpan{Status: "OK"}, false},
		{[]RuleConfig{few, errors}, testSpan{Status: "OK"}, false},
		{[]RuleConfig{few, errors}, testSpan{Status: "ERROR"}, true},
		{[]RuleConfig{errors, drop}, testSpan{Status: "ERROR"}, false},
		{[]RuleConfig{errors, drop}, testSpan{Attributes: map[string]any{"a": "x"}}, true},
	} {
		set, err := CompileRules(c.rules, Options{})
		require.NoError(t, err)
		trace := Trace{Bits: eachInTurn(set, testBlock{Spans: []testSpan{c.span}}.views(t)), Spans: 1}
		assert.Equal(t, c.want, set.Settled(&trace), "%+v", c)
	}
}

// An unchanged rule keeps its counts.
func TestRulesInherit(t *testing.T) {
	rules := func() []RuleConfig {
		return []RuleConfig{{Name: "first", Sample: &Config{Type: Rare, Section: &RareConfig{}}}}
	}
	old, err := CompileRules(rules(), Options{})
	require.NoError(t, err)
	trace := &Trace{Bits: eachInTurn(old, testBlock{Spans: []testSpan{{}}}.views(t)), Spans: 1}
	require.Equal(t, Sampled, old.Decide(trace, nil).Verdict)
	same, err := CompileRules(rules(), Options{})
	require.NoError(t, err)
	same.Inherit(old)
	require.Equal(t, NotSampled, same.Decide(trace, nil).Verdict)
	changed := rules()
	changed[0].Match = &Config{Type: AlwaysSample}
	other, err := CompileRules(changed, Options{})
	require.NoError(t, err)
	other.Inherit(old)
	require.Equal(t, Sampled, other.Decide(trace, nil).Verdict)
}

// The share that a rule keeps is its configured sample.
func TestPercentageOfRules(t *testing.T) {
	rate := &Config{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 5}}
	for _, tc := range []struct {
		sample any
		want   float64
		ok     bool
	}{{50, 50, true}, {0.5, 0.5, true}, {"always", 100, true}, {"never", 0, true}, {rate, 0, false}} {
		set, err := CompileRules([]RuleConfig{{Name: "a", Sample: tc.sample}}, Options{})
		require.NoError(t, err)
		got, ok := set.Percentage(0)
		require.Equal(t, tc.ok, ok, tc.sample)
		require.Equal(t, tc.want, got, tc.sample)
	}
}
