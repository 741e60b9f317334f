package whole

import (
	"errors"
	"fmt"
	"strings"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// FailureModeConfig matches traces with a call that failed in one of the Modes, which have their names in package
// skeleton.
type FailureModeConfig struct {
	Modes []string `mapstructure:"modes"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *FailureModeConfig) Compile(*ask.Builder) (rule.Node, error) {
	var (
		wanted skeleton.FailureModes
		names  []string
		errs   []error
	)
	known := map[string]skeleton.FailureMode{}
	for _, m := range skeleton.AllFailureModes() {
		known[m.String()] = m
		names = append(names, m.String())
	}
	list := strings.Join(names, ", ")
	if len(cfg.Modes) == 0 {
		errs = append(errs, fmt.Errorf("modes: is empty; write at least one of %s", list))
	}
	for i, name := range cfg.Modes {
		m, ok := known[name]
		switch {
		case name == "request_lost":
			errs = append(errs, fmt.Errorf("modes[%d]: that a request was lost cannot be told from one trace; use %s",
				i, skeleton.FailureUnobserved))
		case !ok:
			errs = append(errs, fmt.Errorf("modes[%d]: %q is not one of %s", i, name, list))
		}
		wanted = wanted.With(m)
	}
	return rule.Node{Rule: failureMode(wanted)}, errors.Join(errs...)
}

type failureMode skeleton.FailureModes

func (wanted failureMode) Match(t *rule.Trace) (uint64, bool) {
	k := t.Linked()
	return 0, k != nil && k.FailureModes().Any(skeleton.FailureModes(wanted))
}
