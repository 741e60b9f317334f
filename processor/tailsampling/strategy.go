package tailsampling

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/processor/policy"
)

// check reports the policies that other keys rule out.
func (cfg *Config) check(set *policy.Set) error {
	var errs []error
	for i := range set.Len() {
		if cfg.LinkedTraces.Enabled && set.Name(i) == linkedPolicy {
			errs = append(errs, fmt.Errorf("policies[%d]: %s is the name under which traces are kept for a link: give the policy "+
				"another one", i, linkedPolicy))
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
