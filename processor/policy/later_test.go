package policy_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/policy/internal/datatest"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// A settled trace stays settled: whatever spans of any trace in the file follow, it is sampled with threshold 0, or dropped, at
// the least and the greatest randomness.
func TestSettledStaysSo(t *testing.T) {
	files, err := filepath.Glob("internal/*/testdata/*.txt")
	require.NoError(t, err)
	own, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	files = append(files, own...)
	settled := map[policy.Verdict]int{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			var set *policy.Set
			var spans []policytest.Span
			try := func() {
				if set == nil || set.Unsettled() != nil || len(spans) == 0 {
					return
				}
				views := policytest.Views(t, spans...)
				for range 50 {
					rand.Shuffle(len(views), func(i, j int) { views[i], views[j] = views[j], views[i] })
					grow(t, set, views, settled)
				}
			}
			for _, text := range strings.Split(strings.TrimSpace(string(content)), "\n\n") {
				question, _, found := strings.Cut(text, "\n----")
				var block datatest.Block
				if !found {
					continue
				}
				require.NoError(t, datatest.Decode(t, question, &block))
				if block.Policies != nil {
					try()
					set, err = policy.Compile(block.Policies, policy.Options{Contrib: block.Compat == "contrib"})
					require.NoError(t, err)
					spans = nil
				}
				spans = append(spans, block.Spans...)
			}
			try()
		})
	}
	assert.Greater(t, settled[policy.Sampled], 1000)
	assert.Greater(t, settled[policy.Dropped], 100)
}

// grow shows the set one span after the other.
func grow(t *testing.T, set *policy.Set, views []policy.SpanView, settled map[policy.Verdict]int) {
	trace := policy.Trace{Bits: make([]uint64, set.Words())}
	was := policy.NotSampled
	for i := range views {
		set.Observe(trace.Bits, &views[i])
		span := views[i].Span
		if i == 0 {
			trace.Start, trace.End = span.Start, span.End
		}
		trace.Start, trace.End, trace.Spans = min(trace.Start, span.Start), max(trace.End, span.End), i+1
		is := set.Settled(&trace)
		if was != policy.NotSampled {
			require.True(t, is)
		}
		if !is {
			continue
		}
		for _, trace.Randomness = range []uint64{0, threshold.Never - 1} {
			d := set.Decide(&trace, nil)
			require.NotEqual(t, policy.NotSampled, d.Verdict)
			require.Zero(t, d.Threshold)
			if was != policy.NotSampled {
				require.Equal(t, was, d.Verdict)
			}
			was = d.Verdict
			settled[was]++
		}
	}
}

func compileYAML(t *testing.T, policies string) *policy.Set {
	var block datatest.Block
	require.NoError(t, datatest.Decode(t, "policies:\n"+policies, &block))
	set, err := policy.Compile(block.Policies, policy.Options{})
	require.NoError(t, err)
	return set
}

func TestSettled(t *testing.T) {
	const errors = "- {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}\n"
	const drop = "- {name: drop, type: drop, drop: {drop_sub_policy: [{name: ok, type: status_code, status_code: {status_codes: [OK]}}]}}\n"
	for policies, want := range map[string]bool{
		errors:                                 true,
		errors + drop:                          false, // a span that makes the trace dropped may follow
		"- {name: all, type: always_sample}\n": true,
		"- {name: half, type: probabilistic, probabilistic: {sampling_percentage: 50}}\n":                                                            false,
		"- {name: slow, type: latency, latency: {threshold_ms: 10}}\n":                                                                               true,
		"- {name: between, type: latency, latency: {threshold_ms: 10, upper_threshold_ms: 100}}\n":                                                   false,
		"- {name: none, type: string_attribute, string_attribute: {key: a, values: [b], invert_match: true}}\n":                                      false,
		"- {name: both, type: and, and: {and_sub_policy: [{name: a, type: always_sample}, {name: s, type: latency, latency: {threshold_ms: 1}}]}}\n": true,
	} {
		set := compileYAML(t, policies)
		views := policytest.Views(t, policytest.Span{Status: "ERROR", End: 50e6})
		trace := policy.Trace{Bits: policytest.EachInTurn(set, views), Start: views[0].Span.Start, End: views[0].Span.End, Spans: 1, Randomness: threshold.Never - 1}
		require.Equal(t, want, set.Settled(&trace), policies)
		require.Zero(t, testing.AllocsPerRun(10, func() { set.Settled(&trace) }))
	}
}

func TestUnsettled(t *testing.T) {
	set := compileYAML(t, `
- {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
- {name: not-that, type: boolean_attribute, boolean_attribute: {key: a, value: true, invert_match: true}}
- {name: slow, type: latency, latency: {threshold_ms: 10}}
- {name: between, type: latency, latency: {upper_threshold_ms: 100}}
- {name: large, type: span_count, span_count: {min_spans: 10}}
- {name: small, type: span_count, span_count: {max_spans: 10}}
- {name: both, type: and, and: {and_sub_policy: [{name: a, type: always_sample}, {name: b, type: latency, latency: {upper_threshold_ms: 9}}]}}
`)
	require.Equal(t, []string{"between", "small", "both"}, set.Unsettled())
}

// A policy that counts is not asked again, and the trace is not counted twice.
func TestReviseDoesNotCount(t *testing.T) {
	set := compileYAML(t, `
- {name: some, type: rate_limiting, rate_limiting: {spans_per_second: 10}}
- {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
- {name: drop, type: drop, drop: {drop_sub_policy: [{name: ok, type: status_code, status_code: {status_codes: [OK]}}]}}
`)
	observe := func(spans ...policytest.Span) *policy.Trace {
		return &policy.Trace{Bits: policytest.EachInTurn(set, policytest.Views(t, spans...)), Spans: 5, Now: 1}
	}
	votes := make([]policy.Vote, set.Len())
	for set.Decide(observe(policytest.Span{}), nil).Verdict == policy.Sampled { // until the limit is used up
	}
	before := set.Decide(observe(policytest.Span{}), votes)
	require.True(t, votes[0].Matched)
	for range 1000 {
		d := set.Revise(observe(policytest.Span{}, policytest.Span{Status: "ERROR"}), votes)
		require.Equal(t, policy.Decision{Verdict: policy.Sampled, Policy: 1, Sub: policy.None}, d)
		require.Equal(t, []policy.Vote{{}, {Matched: true}, {}}, votes)
		require.Equal(t, policy.Dropped, set.Revise(observe(policytest.Span{Status: "ERROR"}, policytest.Span{Status: "OK"}), nil).Verdict)
	}
	later := observe(policytest.Span{})
	later.Now = 60e9 // a new decision would fit
	require.Equal(t, policy.NotSampled, set.Revise(later, nil).Verdict)
	require.Equal(t, policy.NotSampled, before.Verdict)
	require.Equal(t, policy.Sampled, set.Decide(later, nil).Verdict)
}
