package tailsampling

import (
	"errors"
	"fmt"
	"reflect"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
)

// MoreKeys returns the keys of policies, which are decoded by their type.
func (*Config) MoreKeys() (keys []string) {
	for _, form := range policy.Forms() {
		keys = append(keys, string(form.Type))
		if form.Section != nil {
			keys = append(keys, units.Names(reflect.TypeOf(form.Section))...)
		}
	}
	return keys
}

// compileAll compiles the policies of a configuration and of its shadow, which is nil where there is none. The logger may
// be nil.
func (cfg *Config) compileAll(logger *zap.Logger) (set, shadow *policy.Set, err error) {
	options := cfg.options()
	options.Logger = logger
	if set, err = compilePolicies(cfg.Policies, cfg.Rules, options); err == nil {
		err = cfg.check(set)
	}
	if len(cfg.Rules) > 0 && options.Contrib {
		err = errors.Join(err, fmt.Errorf("compat: %s does not go with rules, which contrib's processor does not have; remove compat", compatContrib))
	}
	if cfg.Shadow != nil {
		var bad error
		if shadow, bad = compilePolicies(cfg.Shadow.Policies, cfg.Shadow.Rules, options); bad == nil {
			bad = cfg.check(shadow)
		}
		if bad != nil {
			err = errors.Join(err, below("shadow", bad))
		}
	}
	return set, shadow, err
}

// compilePolicies compiles policies, or rules if there are any.
func compilePolicies(policies []policy.Config, rules []policy.RuleConfig, options policy.Options) (*policy.Set, error) {
	switch {
	case rules != nil && len(rules)+len(policies) == 0:
		return policy.CompileRules(rules, options) // fails on an empty list
	case len(rules) == 0:
		return policy.Compile(policies, options)
	case len(policies) > 0:
		return nil, errors.New("policies: are set beside rules; write one of them: policies, of which any can keep a trace, or rules, of " +
			"which the first that matches decides; beside a file that has policies write policies: [] with the rules")
	}
	return policy.CompileRules(rules, options)
}

// below puts a key in front of each joined error.
func below(key string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // of exactly this error
	if !ok {
		return fmt.Errorf("%s::%w", key, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, below(key, e))
	}
	return errors.Join(errs...)
}

// check rejects policies that contradict other keys of the configuration.
func (cfg *Config) check(set *policy.Set) error {
	var errs []error
	for i := range set.Len() {
		if cfg.LinkedTraces.Enabled && set.Name(i) == linked.PolicyName {
			errs = append(errs, fmt.Errorf("%q is the name under which traces are kept for a link; give the policy or rule "+
				"another one", linked.PolicyName))
		}
	}
	for i := range set.Len() {
		if cfg.ObjectiveExemplars > 0 && set.Name(i) == exemplars.PolicyName {
			errs = append(errs, fmt.Errorf("%q is the name under which traces are kept as exemplars of objectives; give the policy or "+
				"rule another one, or set objective_exemplars: 0", exemplars.PolicyName))
		}
	}
	if cfg.SamplingStrategy != spanIngest {
		return errors.Join(errs...)
	}
	for _, name := range set.Unsettled() {
		errs = append(errs, fmt.Errorf("sampling_strategy: %s does not go with %q, which has an upper bound, or depends "+
			"on other traces, so that it says nothing about a trace before that is complete; write %s, or remove the policy",
			spanIngest, name, traceComplete))
	}
	return errors.Join(errs...)
}
