package differential

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	tracesPerSet  = 300
	generatedSets = 50
)

// With compat: contrib the kept sets are equal, for every type of policy and for policies put together at random. Without
// it the traces on which they differ show a known defect.
func TestKeptSets(t *testing.T) {
	seen := map[string]int{}
	for name, p := range everyType() {
		t.Run(name, func(t *testing.T) { compare(t, named(p), 1, seen) })
	}
	for seed := range uint64(generatedSets) {
		t.Run(fmt.Sprintf("generated %d", seed), func(t *testing.T) {
			compare(t, randomSet(rand.New(rand.NewPCG(seed, 1))), seed, seen)
		})
	}
	for _, d := range defects {
		assert.NotZero(t, seen[d.name], "%q is listed and was not seen: no trace here shows it, or it is gone", d.name)
	}
}

func compare(t *testing.T, policies []any, seed uint64, seen map[string]int) {
	traces := generate(rand.New(rand.NewPCG(seed, 2)), tracesPerSet)
	arrivals := together(0, traces)
	cfg := settings{"policies": policies}
	theirs := throughContrib(t, cfg, arrivals)
	require.Equal(t, theirs, throughSlowburn(t, with(cfg, settings{"compat": "contrib"}), arrivals), "%v", policies)
	ours := throughSlowburn(t, cfg, arrivals)
	for _, td := range traces {
		id := idOf(td)
		if _, us := ours[id]; us == (theirs[id] > 0) {
			if us {
				require.Equal(t, theirs[id], ours[id], "a kept trace is whole")
			}
			continue
		}
		why := explain(policies, td)
		require.NotEmpty(t, why, "contrib keeps: %t, slowburn: %t\n%v\n%s", theirs[id] > 0, ours[id] > 0, policies, describe(td))
		for _, name := range why {
			seen[name]++
		}
	}
}

// explain names the known defects that the trace shows under the policies.
func explain(policies []any, td ptrace.Traces) (names []string) {
	for _, d := range defects {
		for _, leaf := range leaves(policies) {
			if kind := leaf["type"].(string); kind == d.kind {
				section, _ := leaf[kind].(map[string]any)
				if d.shows(section, td) {
					names = append(names, d.name)
					break
				}
			}
		}
	}
	return names
}

// leaves are the policies that have no sub-policies, at any depth.
func leaves(policies []any) (all []policy) {
	for _, p := range policies {
		p := p.(policy)
		switch section, _ := p[p["type"].(string)].(map[string]any); p["type"] {
		case "and":
			all = append(all, leaves(section["and_sub_policy"].([]any))...)
		case "drop":
			all = append(all, leaves(section["drop_sub_policy"].([]any))...)
		case "not":
			all = append(all, leaves([]any{section["not_sub_policy"]})...)
		default:
			all = append(all, p)
		}
	}
	return all
}
