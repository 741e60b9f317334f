package spanwise

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/memo"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// StringAttributeConfig matches traces with an attribute of type string that has one of the values.
type StringAttributeConfig struct {
	Key string `mapstructure:"key"`
	// Values are equal to the attribute's value, or are regular expressions that match anywhere in it, unless they
	// have ^ and $.
	Values               []string `mapstructure:"values"`
	EnabledRegexMatching bool     `mapstructure:"enabled_regex_matching"`
	// CacheMaxSize is the number of remembered results of regular expressions, at most about a million; 0 means
	// 128.
	CacheMaxSize int  `mapstructure:"cache_max_size"`
	InvertMatch  bool `mapstructure:"invert_match"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *StringAttributeConfig) Compile(b *ask.Builder) (rule.Node, error) {
	var errs []error
	if cfg.Key == "" {
		errs = append(errs, errors.New("key: is required; write the name of an attribute"))
	}
	if len(cfg.Values) == 0 {
		errs = append(errs, errors.New("values: is empty; write at least one value"))
	}
	if cfg.CacheMaxSize < 0 {
		errs = append(errs, fmt.Errorf("cache_max_size: %d must not be negative", cfg.CacheMaxSize))
	}
	var p ask.Predicate
	var expressions []*regexp.Regexp
	if cfg.EnabledRegexMatching {
		for i, v := range cfg.Values {
			e, err := regexp.Compile(v)
			if err != nil {
				errs = append(errs, fmt.Errorf("values[%d]: is no regular expression: %w", i, err))
			}
			expressions = append(expressions, e)
		}
		p = &anyRegexp{expressions: expressions, cache: memo.New(cfg.CacheMaxSize)}
	} else {
		p = newOneOf(cfg.Values, b.Contrib)
	}
	if err := errors.Join(errs...); err != nil {
		return rule.Node{}, err
	}
	values := slices.Compact(slices.Sorted(slices.Values(cfg.Values)))
	question := fmt.Sprintf("string %t %q", cfg.EnabledRegexMatching, values)
	if b.Contrib && cfg.EnabledRegexMatching {
		matchesEmpty := slices.ContainsFunc(expressions, func(e *regexp.Regexp) bool { return e.MatchString("") })
		return contrib.Expressions(b, cfg.Key, question, p, matchesEmpty, cfg.InvertMatch), nil
	}
	return matched(b.Attribute(cfg.Key, question, p), cfg.InvertMatch), nil
}

// oneOf is a set of values. Most other strings are excluded by their length alone.
type oneOf struct {
	lengths uint64 // has a bit for each value's length; the last bit stands for 63 and more
	values  map[string]struct{}
}

func newOneOf(values []string, withoutEmpty bool) *oneOf {
	o := &oneOf{values: make(map[string]struct{}, len(values))}
	for _, v := range values {
		if v == "" && withoutEmpty {
			continue
		}
		o.values[v] = struct{}{}
		o.lengths |= 1 << min(len(v), 63)
	}
	return o
}

func (o *oneOf) Holds(v wire.Value) bool {
	b := v.Bytes()
	if v.Kind() != wire.String || o.lengths&(1<<min(len(b), 63)) == 0 {
		return false
	}
	_, ok := o.values[string(b)]
	return ok
}

// anyRegexp is a set of expressions. It holds for a string that one of them matches.
type anyRegexp struct {
	expressions []*regexp.Regexp
	cache       *memo.Cache
}

func (a *anyRegexp) Holds(v wire.Value) bool {
	if v.Kind() != wire.String {
		return false
	}
	b := v.Bytes()
	hash := a.cache.Hash(b)
	result, known := a.cache.Get(hash)
	if !known {
		result = slices.ContainsFunc(a.expressions, func(e *regexp.Regexp) bool { return e.Match(b) })
		a.cache.Put(hash, result)
	}
	return result
}

// Inverts reports whether the policy is for traces in which nothing matches.
func (cfg *StringAttributeConfig) Inverts() bool { return cfg.InvertMatch }
