package spanwise

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// StatusCodeConfig matches traces with a span whose status is one of StatusCodes: OK, ERROR, UNSET.
type StatusCodeConfig struct {
	StatusCodes []string `mapstructure:"status_codes"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *StatusCodeConfig) Compile(b *ask.Builder) (rule.Node, error) {
	if len(cfg.StatusCodes) == 0 {
		return rule.Node{}, errors.New("status_codes: is empty; write at least one of OK, ERROR, UNSET")
	}
	var (
		wanted rule.AnyBit
		errs   []error
	)
	for i, name := range cfg.StatusCodes {
		switch name {
		case "OK":
			wanted = append(wanted, b.Status(wire.StatusOK))
		case "ERROR":
			wanted = append(wanted, b.Status(wire.StatusError))
		case "UNSET":
			wanted = append(wanted, b.Status(wire.StatusUnset))
		default:
			errs = append(errs, fmt.Errorf("status_codes[%d]: %q is not one of OK, ERROR, UNSET", i, name))
		}
	}
	return rule.Node{Rule: wanted}, errors.Join(errs...)
}
