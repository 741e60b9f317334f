package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// StringAttributeConfig is for traces with an attribute of type string that has one of the values.
type StringAttributeConfig struct {
	Key string `mapstructure:"key"`
	// Values are compared as they are, or are regular expressions that match anywhere in the attribute's value, unless
	// they say ^ and $.
	Values               []string `mapstructure:"values"`
	EnabledRegexMatching bool     `mapstructure:"enabled_regex_matching"`
	// CacheMaxSize is how many results of regular expressions are remembered, at most about a million; 0 means 128.
	CacheMaxSize int  `mapstructure:"cache_max_size"`
	InvertMatch  bool `mapstructure:"invert_match"`
}

func (cfg *StringAttributeConfig) compile(c *compiler) (rule, error) {
	var errs []error
	if cfg.Key == "" {
		errs = append(errs, errors.New("key is required"))
	}
	if len(cfg.Values) == 0 {
		errs = append(errs, errors.New("values must list at least one value"))
	}
	if cfg.CacheMaxSize < 0 {
		errs = append(errs, fmt.Errorf("cache_max_size (%d) must not be negative", cfg.CacheMaxSize))
	}
	var p predicate
	if cfg.EnabledRegexMatching {
		var expressions []*regexp.Regexp
		for i, v := range cfg.Values {
			e, err := regexp.Compile(v)
			if err != nil {
				errs = append(errs, fmt.Errorf("values[%d] must be a regular expression: %w", i, err))
			}
			expressions = append(expressions, e)
		}
		p = &anyRegexp{expressions: expressions, cache: newMatchCache(cfg.CacheMaxSize)}
	} else {
		values := make(oneOf, len(cfg.Values))
		for _, v := range cfg.Values {
			values[v] = struct{}{}
		}
		if c.Contrib {
			delete(values, "")
		}
		p = values
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	values := slices.Compact(slices.Sorted(slices.Values(cfg.Values)))
	question := fmt.Sprintf("string %t %q", cfg.EnabledRegexMatching, values)
	if e, ok := p.(*anyRegexp); ok && c.Contrib {
		return cfg.compileContrib(c, question, e), nil
	}
	return c.attribute(cfg.Key, question, p, cfg.InvertMatch), nil
}

// oneOf are the values of which a string must be one.
type oneOf map[string]struct{}

func (o oneOf) holds(v wire.Value) bool {
	if v.Kind() != wire.String {
		return false
	}
	_, ok := o[string(v.Bytes())]
	return ok
}

// anyRegexp are the expressions of which a string must match one.
type anyRegexp struct {
	expressions []*regexp.Regexp
	cache       *matchCache
}

func (a *anyRegexp) holds(v wire.Value) bool {
	if v.Kind() != wire.String {
		return false
	}
	b := v.Bytes()
	hash := a.cache.hash(b)
	result, known := a.cache.get(hash)
	if !known {
		result = slices.ContainsFunc(a.expressions, func(e *regexp.Regexp) bool { return e.Match(b) })
		a.cache.put(hash, result)
	}
	return result
}
