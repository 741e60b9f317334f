package policy

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/internal/wire"
)

// BooleanAttributeConfig is for traces with an attribute of type bool that is Value.
type BooleanAttributeConfig struct {
	Key         string `mapstructure:"key"`
	Value       bool   `mapstructure:"value"`
	InvertMatch bool   `mapstructure:"invert_match"`
}

func (cfg *BooleanAttributeConfig) compile(c *compiler) (rule, error) {
	if cfg.Key == "" {
		return nil, errors.New("key is required")
	}
	if c.Contrib {
		return c.attribute(cfg.Key, fmt.Sprintf("bool %t", cfg.Value), anyBool(cfg.Value), cfg.InvertMatch), nil
	}
	return c.attribute(cfg.Key, fmt.Sprintf("bool %t", cfg.Value), is(cfg.Value), cfg.InvertMatch), nil
}

// is holds for a boolean with its value.
type is bool

func (b is) holds(v wire.Value) bool { return v.Kind() == wire.Bool && v.Bool() == bool(b) }
