package spanwise

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// TraceStateConfig matches traces with a span whose W3C tracestate has Key with one of Values.
type TraceStateConfig struct {
	Key    string   `mapstructure:"key"`
	Values []string `mapstructure:"values"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *TraceStateConfig) Compile(b *ask.Builder) (rule.Node, error) {
	var errs []error
	if cfg.Key == "" {
		errs = append(errs, errors.New("key: is required; write the key of a tracestate's member"))
	}
	if len(cfg.Values) == 0 {
		errs = append(errs, errors.New("values: is empty; write at least one value"))
	}
	if err := errors.Join(errs...); err != nil {
		return rule.Node{}, err
	}
	p := &traceState{key: cfg.Key, values: make(map[string]struct{}, len(cfg.Values))}
	for _, v := range cfg.Values {
		p.values[v] = struct{}{}
	}
	values := slices.Compact(slices.Sorted(slices.Values(cfg.Values)))
	var holds ask.SpanPredicate = p
	if b.Contrib {
		delete(p.values, "")
		holds = contrib.ValidTraceState{SpanPredicate: p}
	}
	return matched(b.Span(fmt.Sprintf("tracestate %q %q", cfg.Key, values), holds), false), nil
}

// traceState holds for a span whose tracestate has the key with one of the values. If the key occurs twice, which W3C
// Trace Context forbids, the first one counts.
type traceState struct {
	key    string
	values map[string]struct{}
}

func (p *traceState) Holds(v *rule.SpanView) bool {
	value, ok := member(v.TraceState(), p.key)
	if !ok {
		return false
	}
	_, ok = p.values[string(value)]
	return ok
}

// member returns the value of a key in a tracestate, in place. Members are separated by commas with optional spaces and
// tabs.
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
