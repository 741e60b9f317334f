package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/processor/policy/internal/ordered"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Rule is the type that Set.Type returns for a rule. It cannot be written in a configuration.
const Rule Type = "rule"

// RuleConfig is one entry of tail_sampling::rules. The first rule that matches a trace decides about it.
type RuleConfig struct {
	// Name is written to kept spans and metrics. It is unique.
	Name string `mapstructure:"name"`
	// Match is a policy without a name, and without a chance or rate; nil matches every trace. A rule with a match
	// of type drop goes before all others and has no sample.
	Match *Config `mapstructure:"match"`
	// Sample is the share of the traces that is kept: a percentage, "always", "never", or a *Config of a policy with a rate.
	// CompileRules decodes such a policy from a map in YAML.
	Sample any `mapstructure:"sample"`
}

// CompileRules validates rules and compiles them to a Set, as Compile does with policies. Options.Contrib and Options.FirstMatch
// have no effect on them.
func CompileRules(rules []RuleConfig, options Options) (*Set, error) {
	options.Contrib, options.FirstMatch = false, false
	c := newCompiler(kindsOf(table), options)
	if err := decodeRules(c.types, rules); err != nil {
		return nil, err
	}
	var (
		compiled []policy
		errs     []error
	)
	if len(rules) == 0 {
		errs = append(errs, errors.New("rules: is empty; write at least one rule"))
	}
	errs = append(errs, checkNames("rules", rules, func(r *RuleConfig) string { return r.Name })...)
	for i := range rules {
		c.questions.Place = placeOf("rules", i, rules[i].Name)
		p, err := c.rule(&rules[i])
		if err != nil {
			errs = append(errs, prefixed(c.questions.Place, err)...)
			continue
		}
		compiled = append(compiled, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	set := c.set(compiled, newOrderedBallot(compiled), false)
	set.warnings = append(set.warnings, rulesWarnings(compiled)...)
	return set, nil
}

// checkNames returns an error for each entry of a list whose name is missing or not unique.
func checkNames[E any](list string, entries []E, name func(*E) string) (errs []error) {
	names := map[string]int{}
	for i := range entries {
		name := name(&entries[i])
		at := placeOf(list, i, name)
		if name == "" {
			errs = append(errs, fmt.Errorf("%s::name: is required; write one", at))
		} else if first, used := names[name]; used {
			errs = append(errs, fmt.Errorf("%s::name: is used by %s[%d] already; give each its own", at, list, first))
		} else {
			names[name] = i
		}
	}
	return errs
}

// decodeRules decodes the sections of all matches, and samples that are policies.
func decodeRules(types kinds, rules []RuleConfig) error {
	var (
		errs []error
		subs []sub
	)
	for i := range rules {
		r, at := &rules[i], fmt.Sprintf("rules[%d]", i)
		if r.Match != nil {
			subs = append(subs, sub{at + ".match", r.Match})
		}
		if written, ok := r.Sample.(map[string]any); ok {
			cfg := new(Config)
			if err := decodeAs(at+".sample", written, cfg); err != nil {
				errs = append(errs, err)
				continue
			}
			r.Sample = cfg
		}
		if cfg, ok := r.Sample.(*Config); ok {
			subs = append(subs, sub{at + ".sample", cfg})
		}
	}
	return decodingError(append(errs, decodeAll(types, "", subs)...))
}

// rule compiles a rule to a policy.
func (c *compiler) rule(cfg *RuleConfig) (policy, error) {
	if cfg.Match != nil && cfg.Match.Type == Drop {
		return c.dropRule(cfg)
	}
	var errs []error
	match, err := c.match(cfg.Match)
	if err != nil {
		errs = prefixed("match", err)
	}
	sample, err := c.sample(cfg.Sample)
	if err != nil {
		errs = append(errs, prefixed("sample", err)...)
	}
	if len(errs) > 0 {
		return policy{}, errors.Join(errs...)
	}
	n := ordered.New(match, sample)
	return policy{rule: n.Rule, node: n, kind: Rule, name: cfg.Name, config: Config{Name: cfg.Name, Type: Rule, Section: *cfg}}, nil
}

func (c *compiler) dropRule(cfg *RuleConfig) (policy, error) {
	if cfg.Sample != nil {
		return policy{}, fmt.Errorf("sample: does not go with a match of type %s, which keeps nothing and goes before all rules; "+
			"remove sample, or for a rule in its place write what is in drop_sub_policy as match, and sample: %s", Drop, ordered.SampleNever)
	}
	node, err := c.compile(cfg.Match, 0)
	if err != nil {
		return policy{}, errors.Join(prefixed("match", err)...)
	}
	return policy{rule: node.Rule, node: node, kind: Drop, name: cfg.Name, config: *cfg.Match}, nil
}

// match compiles a match.
func (c *compiler) match(cfg *Config) (rule.Node, error) {
	if cfg == nil {
		return ordered.Always(), nil
	}
	node, err := c.compile(cfg, 0)
	if err == nil && cfg.Type == AlwaysSample {
		return ordered.Always(), nil
	}
	if err == nil && node.Traits&(rule.Counts|rule.Probabilistic) != 0 {
		err = fmt.Errorf("a policy of type %s says how many traces, not which; write that under sample%s", cfg.Type,
			when(cfg.Type == Probabilistic, ", as a percentage: sample: 5"))
		if cfg.Type == And || cfg.Type == "not" {
			err = fmt.Errorf("has a sub-policy that says how many traces, not which (%s); write that under sample", strings.Join(c.types.names(rule.Counts|rule.Probabilistic, true), ", "))
		}
	}
	return node, err
}

func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// sample compiles a sample.
func (c *compiler) sample(sample any) (rule.Node, error) {
	cfg, ok := sample.(*Config)
	if !ok {
		return ordered.Read(sample)
	}
	node, err := c.compile(cfg, rule.TopLevel)
	if err == nil && cfg.Type == Probabilistic {
		return node, errors.New("is a percentage by itself here: write sample: 5 in place of a policy of type probabilistic")
	}
	if err == nil && !node.Traits.Has(rule.Counts) {
		err = fmt.Errorf("a policy of type %s says which traces, not how many; write that under match, and here a percentage, %s, %s, "+
			"or a policy of type %s", cfg.Type, ordered.SampleAlways, ordered.SampleNever, either(c.rated()))
	}
	return node, err
}

// rated returns the types that a sample can have.
func (c *compiler) rated() []string {
	return slices.DeleteFunc(c.types.names(rule.Counts, true), func(name string) bool { return c.types[Type(name)].traits.Has(rule.TopLevel) })
}

// rulesWarnings warns of rules that are never asked, and of rules that keep nothing.
func rulesWarnings(rules []policy) (warnings []string) {
	last, keeps := None, false
	for i := range rules {
		r, ok := rules[i].node.Rule.(*ordered.Rule)
		if !ok {
			continue
		}
		if last != None {
			warnings = append(warnings, fmt.Sprintf("%s: is never asked, because %s before it matches every trace; move it up",
				placeOf("rules", i, rules[i].name), placeOf("rules", last, rules[last].name)))
			continue
		}
		keeps = keeps || !r.SamplesNone()
		if r.MatchesAll() {
			last = i
		}
	}
	if !keeps {
		warnings = append(warnings, "rules: none samples anything, so no trace is ever kept; add one that does")
	}
	return warnings
}
