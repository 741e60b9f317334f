package policy

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// RareConfig is for the first traces of each key in a period.
type RareConfig struct {
	// Traces is how many of each key; 0 means 1.
	Traces int `mapstructure:"traces"`
	// Period begins with the first trace of a key, and anew with the first after it is over; 0 means 15 minutes.
	Period time.Duration `mapstructure:"period"`
	// KeyConfig's key is service.name and name by default.
	KeyConfig `mapstructure:",squash"`
}

func (cfg *RareConfig) compile(c *compiler) (rule, error) {
	var errs []error
	if cfg.Traces < 0 {
		errs = append(errs, fmt.Errorf("traces (%d) must not be negative", cfg.Traces))
	}
	period, err1 := periodOf(cfg.Period)
	key, maxKeys, err2 := cfg.KeyConfig.compile(c, serviceName, fieldName)
	if err := errors.Join(append(errs, err1, err2)...); err != nil {
		return nil, err
	}
	return &rare{key: key, traces: max(1, cfg.Traces), seen: newPeriods(period, maxKeys)}, nil
}

// serviceName is the resource attribute that names a service.
const serviceName = "service.name"

// rare matches traces by how many it sampled before.
type rare struct {
	key    *traceKey
	traces int
	seen   *periods
}

func (r *rare) match(t *Trace) (uint64, bool) {
	return 0, r.seen.count(r.key.of(t), t.Now) < r.traces
}

func (r *rare) count(t *Trace, sampled bool) {
	if sampled {
		r.seen.add(r.key.of(t), t.Now)
	}
}

func (r *rare) keyOf(t *Trace) (*traceKey, bool) {
	return r.key, r.seen.own(r.key.of(t))
}

func (r *rare) inherit(from rule) {
	r.seen = from.(*rare).seen.clone()
}

func (p *periods) clone() *periods {
	c := *p
	c.keys = maps.Clone(p.keys)
	return &c
}
