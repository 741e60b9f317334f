package policy

import (
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Options apply to all policies of a set.
type Options struct {
	// Contrib makes policies decide as contrib's processor does, including defects that users may depend on.
	Contrib bool
	// FirstMatch charges no rate limit after the first policy that samples a trace. The threshold is still the lowest
	// of all policies that sample it: above that the trace was sure to be kept, whichever policies were asked.
	FirstMatch bool
	// Logger logs conditions that fail, at most once a minute; it may be nil.
	Logger *zap.Logger
}

// Compile validates the policies and compiles them to a Set. It decodes sections in place, so that the policies can be
// compared afterwards. The error names every mistake by index, name and key.
func Compile(policies []Config, options Options) (*Set, error) {
	c := newCompiler(kindsOf(table), options)
	if err := decode(c.types, policies); err != nil {
		return nil, err
	}
	var (
		compiled []policy
		errs     []error
	)
	if len(policies) == 0 {
		errs = append(errs, errors.New("policies: is empty; write at least one policy"))
	}
	errs = append(errs, checkNames("policies", policies, func(p *Config) string { return p.Name })...)
	for i := range policies {
		cfg := &policies[i]
		at := placeOf("policies", i, cfg.Name)
		c.questions.Place = at
		node, err := c.compile(cfg, 0)
		if err != nil {
			errs = append(errs, prefixed(at, err)...)
			continue
		}
		compiled = append(compiled, newPolicy(cfg, node))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c.warnOfVetoes(policies)
	set := c.set(compiled, newBallot(compiled), options.FirstMatch)
	if !slices.ContainsFunc(policies, func(p Config) bool { return p.Type != Drop }) {
		set.warnings = append(set.warnings, "policies: all are of type drop, so no trace is ever kept; add one that samples")
	}
	return set, nil
}

// warnOfVetoes warns of policies with invert_match beside others that sample: before 0.152 contrib's processor let such a
// policy veto traces that others sample.
func (c *compiler) warnOfVetoes(policies []Config) {
	samplers := 0
	for i := range policies {
		if policies[i].Type != Drop {
			samplers++
		}
	}
	for i := range policies {
		section, ok := policies[i].Section.(interface{ Inverts() bool })
		if ok && section.Inverts() && samplers > 1 {
			c.questions.Place = placeOf("policies", i, policies[i].Name)
			c.questions.Warn("%s::invert_match samples every trace in which nothing matches, but drops none that another policy samples, as "+
				"contrib's processor did before 0.152; to drop matching traces write a drop policy, or a rule with sample: never", policies[i].Type)
		}
	}
}

// set builds a Set from compiled policies.
func (c *compiler) set(compiled []policy, all ballot, firstMatch bool) *Set {
	linked := slices.ContainsFunc(compiled, func(p policy) bool { return p.node.Traits.Has(rule.Links) })
	return &Set{
		policies: compiled, skeleton: linked, all: all, steady: all.without(rule.Counts), memory: newMemory(compiled, all.ordered, firstMatch),
		words: c.questions.Words(), questions: c.questions.Build(), conditions: c.conditions.Build(), warnings: c.questions.Warnings(),
	}
}

func newCompiler(types kinds, options Options) *compiler {
	questions := ask.NewBuilder(options.Contrib)
	return &compiler{types, options.Contrib, questions, conditions.NewBuilder(questions, options.Logger)}
}
