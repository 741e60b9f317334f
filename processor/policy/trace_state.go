package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// TraceStateConfig is for traces with a span whose W3C tracestate has Key with one of Values.
type TraceStateConfig struct {
	Key    string   `mapstructure:"key"`
	Values []string `mapstructure:"values"`
}

func (cfg *TraceStateConfig) compile(c *compiler) (rule, error) {
	var errs []error
	if cfg.Key == "" {
		errs = append(errs, errors.New("key is required"))
	}
	if len(cfg.Values) == 0 {
		errs = append(errs, errors.New("values must list at least one value"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p := &traceState{key: cfg.Key, values: make(map[string]struct{}, len(cfg.Values))}
	for _, v := range cfg.Values {
		p.values[v] = struct{}{}
	}
	values := slices.Compact(slices.Sorted(slices.Values(cfg.Values)))
	if c.Contrib {
		delete(p.values, "")
		return c.span(fmt.Sprintf("tracestate %q %q", cfg.Key, values), &validTraceState{*p}), nil
	}
	return c.span(fmt.Sprintf("tracestate %q %q", cfg.Key, values), p), nil
}

// traceState holds for a span whose tracestate has the key with one of the values. Of a key that is there twice, which
// W3C Trace Context forbids, the first counts.
type traceState struct {
	key    string
	values map[string]struct{}
}

func (p *traceState) holds(v *SpanView) bool {
	value, ok := member(v.TraceState(), p.key)
	if !ok {
		return false
	}
	_, ok = p.values[string(value)]
	return ok
}

// member returns the value of a key in a tracestate, in place: members are separated by commas, around which there may be
// spaces and tabs.
func member(state []byte, key string) (value []byte, ok bool) {
	for len(state) > 0 {
		var m []byte
		m, state, _ = bytes.Cut(state, []byte{','})
		m = bytes.Trim(m, " \t")
		if len(m) > len(key) && m[len(key)] == '=' && string(m[:len(key)]) == key {
			return m[len(key)+1:], true
		}
	}
	return nil, false
}
