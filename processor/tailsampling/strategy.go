package tailsampling

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/processor/policy"
)

// checkStrategy reports the policies that the sampling strategy rules out.
func (cfg *Config) checkStrategy(set *policy.Set) error {
	if cfg.SamplingStrategy != spanIngest {
		return nil
	}
	var errs []error
	for _, name := range set.Unsettled() {
		errs = append(errs, fmt.Errorf("sampling_strategy %s does not go with the policy %q: it has an upper bound, or depends "+
			"on other traces, so that it says nothing about a trace before that is complete; use %s, or remove the policy",
			spanIngest, name, traceComplete))
	}
	return errors.Join(errs...)
}
