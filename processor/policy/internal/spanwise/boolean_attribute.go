package spanwise

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// BooleanAttributeConfig matches traces with an attribute of type bool that is Value.
type BooleanAttributeConfig struct {
	Key         string `mapstructure:"key"`
	Value       bool   `mapstructure:"value"`
	InvertMatch bool   `mapstructure:"invert_match"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *BooleanAttributeConfig) Compile(b *ask.Builder) (rule.Node, error) {
	if cfg.Key == "" {
		return rule.Node{}, errors.New("key: is required; write the name of an attribute")
	}
	var p ask.Predicate = is(cfg.Value)
	if b.Contrib {
		p = contrib.AnyBool(cfg.Value)
	}
	return matched(b.Attribute(cfg.Key, fmt.Sprintf("bool %t", cfg.Value), p), cfg.InvertMatch), nil
}

// is holds for a boolean with its value.
type is bool

func (b is) Holds(v wire.Value) bool { return v.Kind() == wire.Bool && v.Bool() == bool(b) }

// Inverts reports whether the policy is for traces in which nothing matches.
func (cfg *BooleanAttributeConfig) Inverts() bool { return cfg.InvertMatch }
