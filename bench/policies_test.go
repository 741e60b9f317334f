package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/slowburn/slowburn/processor/policy"
)

// The sets are what the table says they are, and the many begin with the few, so that they keep the same.
func TestPolicySets(t *testing.T) {
	load := func(path string) []policy.Config {
		conf, err := confmaptest.LoadConf(path)
		require.NoError(t, err)
		section, err := conf.Sub("processors::tail_sampling")
		require.NoError(t, err)
		var cfg struct {
			Policies []policy.Config `mapstructure:"policies"`
		}
		require.NoError(t, section.Unmarshal(&cfg))
		_, err = policy.Compile(cfg.Policies, policy.Options{})
		require.NoError(t, err, path)
		return cfg.Policies
	}
	few, many := load(policySets[0].config), load(policySets[1].config)
	require.Len(t, few, 2)
	require.Len(t, many, 20)
	require.Equal(t, few, many[:2])
	kinds := map[string]int{}
	for _, p := range many {
		text, _ := p.Section.(*policy.StringAttributeConfig)
		and, _ := p.Section.(*policy.AndConfig)
		switch {
		case text != nil && text.EnabledRegexMatching:
			kinds["regex"]++
		case strings.HasSuffix(string(p.Type), "_attribute"):
			kinds["attribute"]++
		case and != nil:
			for _, sub := range and.SubPolicies {
				kinds["in and: "+string(sub.Type)]++
			}
		default:
			kinds[string(p.Type)]++
		}
	}
	require.Equal(t, map[string]int{
		"attribute": 10, "regex": 2, "ottl_condition": 2, "status_code": 1, "latency": 1, "probabilistic": 1, "composite": 1,
		"in and: string_attribute": 1, "in and: boolean_attribute": 1, "in and: rate_limiting": 1, "in and: bytes_limiting": 1,
	}, kinds)
}

func TestPolicyTable(t *testing.T) {
	run := func(name string, cpu ...float64) row {
		r := row{Scenario: "load", Target: name}
		for _, c := range cpu {
			r.Runs = append(r.Runs, result{CPUPerSpan: c})
		}
		return r
	}
	var out strings.Builder
	policyTable(&out, []row{
		run("slowburn, 2 policies", 1, 3), run("slowburn, 20 policies", 3),
		run("contrib best, 2 policies", 8), run("contrib best, 20 policies", 12),
	}, reference)
	require.Contains(t, out.String(), "| slowburn | 2.00 ± 1.00 | 3.00 ± 0.00 | 1.00 | 50 % | 0.250 | 0.250 | 0.250 |\n")
	require.Contains(t, out.String(), "| contrib best | 8.00 ± 0.00 | 12.00 ± 0.00 | 4.00 | 50 % | 1.000 | 1.000 | 1.000 |\n")

	out.Reset()
	policyTable(&out, []row{run("slowburn, 2 policies", 2), run("slowburn, 20 policies", 3)}, reference)
	require.Contains(t, out.String(), "50 % | – | – | – |\n")
}

func TestSuitePolicies(t *testing.T) {
	names := func(o options) (names []string) {
		list, err := o.targets()
		require.NoError(t, err)
		for _, target := range list {
			names = append(names, target.name)
		}
		return names
	}
	require.Equal(t, []string{"slowburn, 2 policies", "slowburn, 20 policies", "contrib best, 2 policies", "contrib best, 20 policies"},
		names(options{suite: "policies"}))
	require.Equal(t, []string{"slowburn memory, 2 policies", "slowburn memory, 20 policies"},
		names(options{suite: "policies", only: "slowburn memory"}))
	_, err := options{suite: "policies", only: "raw receive"}.targets()
	require.ErrorContains(t, err, "raw receive has no policies")
}
