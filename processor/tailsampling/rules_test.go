package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

// rulesOf are rules: none of service-3, all errors, a tenth of the rest.
func rulesOf() []policy.RuleConfig {
	none, failed := serviceIs("", "service-3"), policy.Config{
		Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}},
	}
	return []policy.RuleConfig{
		{Name: "none", Match: &none, Sample: "never"}, {Name: "errors", Match: &failed, Sample: "always"}, {Name: "rest", Sample: 10},
	}
}

// A decision by rules is explained by the rule that decided, even one that samples nothing, and counted by rule.
func TestRules(t *testing.T) { withEitherStorage(t, testRules) }

func testRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Policies, cfg.Rules = nil, rulesOf()
		var next sink
		p := start(t, cfg, &next)
		none, failed, kept, unlucky := lucky(1, true), lucky(2, false), lucky(3, true), lucky(4, false)
		require.NoError(t, wireDoor(t, p, request(withID(none, newTrace(1, 4, true))...)))
		require.NoError(t, wireDoor(t, p, request(withID(failed, newTrace(2, 2, true))...)))
		require.NoError(t, wireDoor(t, p, request(withID(kept, newTrace(3, 2, false))...)))
		require.NoError(t, wireDoor(t, p, request(withID(unlucky, newTrace(4, 2, false))...)))
		time.Sleep(cfg.DecisionWait + time.Second)

		for _, c := range []struct {
			id              [16]byte
			verdict, policy string
			count           float64
			votes           string
		}{
			{none, "not_sampled", "", 0, "none"}, {failed, "sampled", "errors", 1, "errors acted"},
			{kept, "sampled", "rest", 10, "rest acted"}, {unlucky, "not_sampled", "", 0, "rest"},
		} {
			e, known := p.Explain(c.id)
			require.True(t, known)
			assert.Equal(t, c.verdict, e.Verdict)
			assert.Equal(t, c.policy, e.Policy)
			assert.InDelta(t, c.count, e.AdjustedCount, 1e-9)
			var said string
			for _, v := range e.Votes {
				assert.Equal(t, "rule", v.Type)
				if v.Matched {
					said += v.Name
				}
				if v.Acted {
					said += " acted"
				}
			}
			assert.Equal(t, c.votes, said)
		}
		assert.Len(t, next.traces(), 2)
		assert.Equal(t, []PolicyStatus{
			{Name: "none", Type: "rule"}, {Name: "errors", Type: "rule", SampledTraces: 1, SampledSpans: 2},
			{Name: "rest", Type: "rule", SampledTraces: 1, SampledSpans: 2},
		}, p.Status().Policies)
		shutdown(t, p)
	})
}

// A late error makes another rule match the trace, which samples it.
func TestRulesRevive(t *testing.T) { withEitherStorage(t, testRulesRevive) }

func testRulesRevive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Policies, cfg.Rules, cfg.ReviveWindow = nil, rulesOf(), time.Minute
		var next sink
		p := start(t, cfg, &next)
		id := lucky(4, false)
		spans := withID(id, newTrace(4, 3, true))
		var failed, fine []spanOf
		for _, s := range spans {
			if s.span().Status().Code() == 2 {
				failed = append(failed, s)
			} else {
				fine = append(fine, s)
			}
		}
		require.NoError(t, wireDoor(t, p, request(fine...)))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.Empty(t, next.traces())
		require.NoError(t, wireDoor(t, p, request(failed...)))
		time.Sleep(time.Second)
		require.Len(t, next.traces(), 1)
		e, _ := p.Explain(id)
		assert.Equal(t, "errors", e.Policy)
		assert.InDelta(t, 1, e.AdjustedCount, 0)
		shutdown(t, p)
	})
}

// Rules beside policies report what they would keep, and reload like policies: either can replace the other.
func TestRulesReloadAndShadow(t *testing.T) { withEitherStorage(t, testRulesReloadAndShadow) }

func testRulesReloadAndShadow(t *testing.T) {
	d := &document{}
	rules := func(percent any) []any {
		return []any{
			map[string]any{"name": "errors", "match": statusPolicies("ERROR")[0], "sample": "always"},
			map[string]any{"name": "rest", "sample": percent},
		}
	}
	limit := map[string]any{"type": "rate_limiting", "rate_limiting": map[string]any{"spans_per_second": 100}}
	own := map[string]any{"storage": "memory", "policies": statusPolicies("ERROR"), "shadow": map[string]any{"rules": rules(limit)}}
	d.set(own)
	p := startFrom(t, d, &sink{})
	first := p.Policies()
	want := []PolicyInfo{{Name: "errors", Type: "rule"}, {Name: "rest", Type: "rule"}}
	assert.Equal(t, want, first.Shadow)
	require.NoError(t, wireDoor(t, p, request(newTrace(1, 2, false)...)))
	decideNow(p)
	said, there := p.Shadow()
	require.True(t, there)
	assert.EqualValues(t, 1, said.Sampled.Traces, "the policies keep errors alone")

	same, err := p.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, same)

	own["rules"] = rules(5)
	d.set(own)
	_, err = p.Reload(t.Context())
	require.ErrorContains(t, err, "policies: are set beside rules; write one of them")
	delete(own, "policies")
	delete(own, "shadow")
	d.set(own)
	second, err := p.Reload(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, second.Policies)
	assert.Empty(t, second.NeedsRestart)
	same, err = p.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, second.Version, same.Version)
	own["rules"] = rules(6)
	d.set(own)
	third, err := p.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, second.Version+1, third.Version)
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestBadRules(t *testing.T) {
	for want, set := range map[string]func(*Config){
		"policies: are set beside rules; write one of them": func(cfg *Config) { cfg.Rules = rulesOf() },
		"compat: contrib does not go with rules":            func(cfg *Config) { cfg.Policies, cfg.Rules, cfg.Compat = nil, rulesOf(), compatContrib },
		"shadow::policies: are set beside rules":            func(cfg *Config) { cfg.Shadow = &ShadowConfig{cfg.Policies, rulesOf()} },
		`"linked_traces" is the name under which traces are kept`: func(cfg *Config) {
			cfg.Policies, cfg.Rules, cfg.LinkedTraces.Enabled = nil, []policy.RuleConfig{{Name: "linked_traces", Sample: 1}}, true
		},
	} {
		cfg := testConfig()
		set(cfg)
		assert.ErrorContains(t, cfg.Validate(), want)
	}
}
