package tailsampling

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
)

// compileAll compiles the policies of a configuration and of its shadow, which is nil where there is none. The logger may
// be nil.
func (cfg *Config) compileAll(logger *zap.Logger) (set, shadow *policy.Set, err error) {
	options := cfg.options()
	options.Logger = logger
	if set, err = policy.Compile(cfg.Policies, options); err == nil {
		err = cfg.check(set)
	}
	if cfg.Shadow != nil {
		var bad error
		if shadow, bad = policy.Compile(cfg.Shadow.Policies, options); bad == nil {
			bad = cfg.check(shadow)
		}
		if bad != nil {
			err = errors.Join(err, below("shadow", bad))
		}
	}
	return set, shadow, err
}

// below puts a key in front of each error that was joined.
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

// check reports the policies that other keys rule out.
func (cfg *Config) check(set *policy.Set) error {
	var errs []error
	for i := range set.Len() {
		if cfg.LinkedTraces.Enabled && set.Name(i) == linked.PolicyName {
			errs = append(errs, fmt.Errorf("policies[%d]: %s is the name under which traces are kept for a link: give the policy "+
				"another one", i, linked.PolicyName))
		}
	}
	if cfg.SamplingStrategy != spanIngest {
		return errors.Join(errs...)
	}
	for _, name := range set.Unsettled() {
		errs = append(errs, fmt.Errorf("sampling_strategy %s does not go with the policy %q: it has an upper bound, or depends "+
			"on other traces, so that it says nothing about a trace before that is complete; use %s, or remove the policy",
			spanIngest, name, traceComplete))
	}
	return errors.Join(errs...)
}
