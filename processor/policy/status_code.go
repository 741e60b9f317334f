package policy

import (
	"errors"
	"fmt"
)

// StatusCodeConfig is for traces with a span whose status is one of StatusCodes: OK, ERROR, UNSET.
type StatusCodeConfig struct {
	StatusCodes []string `mapstructure:"status_codes"`
}

// The statuses that OTLP has. A span with another number has none that a policy can name.
const (
	statusUnset = iota
	statusOK
	statusError
	statusCodes
)

// errorBit says that the trace has a span whose status is ERROR.
const errorBit = 0

// unasked stands for the bit of a status that no policy asks for.
const unasked = -1

func (cfg *StatusCodeConfig) compile(c *compiler) (rule, error) {
	if len(cfg.StatusCodes) == 0 {
		return nil, errors.New("status_codes must list at least one of OK, ERROR, UNSET")
	}
	var (
		wanted anyBit
		errs   []error
	)
	for i, name := range cfg.StatusCodes {
		switch name {
		case "OK":
			wanted = append(wanted, c.statusBit(statusOK))
		case "ERROR":
			wanted = append(wanted, c.statusBit(statusError))
		case "UNSET":
			wanted = append(wanted, c.statusBit(statusUnset))
		default:
			errs = append(errs, fmt.Errorf("status_codes[%d] is %q; it must be OK, ERROR or UNSET", i, name))
		}
	}
	return wanted, errors.Join(errs...)
}

func (c *compiler) statusBit(code int) int {
	if c.status[code] == unasked {
		c.status[code], _ = c.bit(fmt.Sprintf("status %d", code))
	}
	return c.status[code]
}

// anyBit matches traces that have any of these bits.
type anyBit []int

func (b anyBit) match(t *Trace) (uint64, bool) {
	for _, bit := range b {
		if isSet(t.Bits, bit) {
			return 0, true
		}
	}
	return 0, false
}
