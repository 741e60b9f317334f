package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

func dataFiles(t *testing.T) []string {
	own, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	below, err := filepath.Glob("internal/*/testdata/*.txt")
	require.NoError(t, err)
	return append(own, below...)
}

// Each type has a data file of its name, and the table has each name once.
func TestEachTypeHasADataFile(t *testing.T) {
	types := kindsOf(table)
	require.Len(t, types, len(table))
	for _, file := range dataFiles(t) {
		delete(types, Type(strings.TrimSuffix(filepath.Base(file), ".txt")))
	}
	require.Empty(t, types.names(0, false), "these have none")
}

// The rules in the data files have the methods of their traits, and no others.
func TestTraitsGoWithRules(t *testing.T) {
	seen := map[rule.Traits]int{}
	check := func(leaf *rule.Node, trait rule.Traits, has bool) {
		require.Equal(t, has, leaf.Traits.Has(trait), "%T", leaf.Rule)
		if has {
			seen[trait]++
		}
	}
	for _, file := range dataFiles(t) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for block := range strings.SplitSeq(string(content), "\n\n") {
			question, _, found := strings.Cut(block, "\n----")
			if !found {
				continue
			}
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(question))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			for _, contrib := range []bool{false, true} {
				var cfg struct {
					Policies []Config `mapstructure:"policies"`
				}
				require.NoError(t, conf.Unmarshal(&cfg, confmap.WithIgnoreUnused()))
				set, err := Compile(cfg.Policies, Options{Contrib: contrib})
				if err != nil {
					continue // accepted by only one of them
				}
				for i := range set.policies {
					for leaf := range set.policies[i].node.Leaves() {
						_, stateful := leaf.Rule.(rule.Stateful)
						check(leaf, rule.Counts, stateful)
						_, keeper := leaf.Rule.(rule.KeptObserver)
						check(leaf, rule.SeesKept, keeper)
						_, keyed := leaf.Rule.(rule.Keyed)
						check(leaf, rule.HasKey, keyed)
					}
				}
			}
		}
	}
	require.Len(t, seen, 3)
}

// Errors list the existing types, and those allowed as sub-policies.
func TestErrorsListTypes(t *testing.T) {
	all := kinds{"b": {name: "b"}, "a": {name: "a"}, "top": {name: "top", traits: rule.TopLevel | rule.Counts}}
	c := newCompiler(all, Options{})
	for _, e := range []struct {
		typ     Type
		refused rule.Traits
		want    string
	}{
		{"", 0, `type: is required; write one of a, b, top`},
		{"", rule.TopLevel, `type: is required; write one of a, b`},
		{"c", 0, `type: "c" is not one of a, b, top`},
		{"c", rule.TopLevel, `type: "c" is not one of a, b`},
		{"top", rule.TopLevel, `type: "top" cannot be a sub-policy; write one of a, b`},
		{"top", rule.TopLevel | rule.Counts, `type: "top" cannot be a sub-policy; write one of a, b`},
	} {
		_, err := c.compile(&Config{Type: e.typ}, e.refused)
		require.EqualError(t, err, e.want)
	}
	require.Equal(t, []string{"composite", "drop"}, kindsOf(table).names(rule.TopLevel, true))
	require.Equal(t, []string{"diversity", "dynamic", "rare"}, kindsOf(table).names(rule.Samples, true))
}

func TestEither(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		require.Equal(t, want, either(names))
	}
}
