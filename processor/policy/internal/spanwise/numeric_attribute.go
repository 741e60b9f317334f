package spanwise

import (
	"errors"
	"fmt"
	"math"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// NumericAttributeConfig matches traces with an attribute of type int64 or double that is at least MinValue and at most
// MaxValue. At least one of them must be set, and 0 is a bound like others.
type NumericAttributeConfig struct {
	Key         string `mapstructure:"key"`
	MinValue    *int64 `mapstructure:"min_value"`
	MaxValue    *int64 `mapstructure:"max_value"`
	InvertMatch bool   `mapstructure:"invert_match"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *NumericAttributeConfig) Compile(b *ask.Builder) (rule.Node, error) {
	var errs []error
	if cfg.Key == "" {
		errs = append(errs, errors.New("key: is required; write the name of an attribute"))
	}
	least, most := cfg.MinValue, cfg.MaxValue
	if b.Contrib {
		least, most = contrib.UnlessZero(least), contrib.UnlessZero(most)
	}
	if least == nil && most == nil {
		errs = append(errs, errors.New("has no min_value and no max_value; write one or both"))
	}
	bounds := between{least: math.MinInt64, most: math.MaxInt64}
	if least != nil {
		bounds.least = *least
	}
	if most != nil {
		bounds.most = *most
	}
	if bounds.least > bounds.most {
		errs = append(errs, fmt.Errorf("max_value: %d must not be less than min_value (%d)", bounds.most, bounds.least))
	}
	if err := errors.Join(errs...); err != nil {
		return rule.Node{}, err
	}
	var p ask.Predicate = bounds
	if b.Contrib {
		p = contrib.AnyNumber{Min: bounds.least, Max: bounds.most}
	}
	bit := b.Attribute(cfg.Key, fmt.Sprintf("number %d %d", bounds.least, bounds.most), p)
	return matched(bit, cfg.InvertMatch), nil
}

// between holds for numbers from least to most. A bound at the limit of int64 is no bound.
type between struct{ least, most int64 }

func (b between) Holds(v wire.Value) bool {
	switch v.Kind() {
	case wire.Int:
		return b.least <= v.Int() && v.Int() <= b.most
	case wire.Double:
		return b.holdsDouble(v.Double())
	default:
		return false
	}
}

// holdsDouble reports whether a double lies within the bounds, exactly: it converts the double to an integer,
// because an int64 beyond 2^53 is rounded as a float64. It is false for NaN.
func (b between) holdsDouble(d float64) bool {
	const limit = 1 << 63 // -limit is the least int64, limit one more than the greatest
	switch {
	case d >= limit:
		return b.most == math.MaxInt64
	case d < -limit:
		return b.least == math.MinInt64
	case math.IsNaN(d):
		return false
	}
	return b.least <= int64(math.Floor(d)) && int64(math.Ceil(d)) <= b.most
}

// Inverts reports whether the policy is for traces in which nothing matches.
func (cfg *NumericAttributeConfig) Inverts() bool { return cfg.InvertMatch }
