package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// compile compiles a policy or sub-policy. It must have none of the refused traits.
func (c *compiler) compile(cfg *Config, refused rule.Traits) (rule.Node, error) {
	k := c.types[cfg.Type]
	if refused &= rule.TopLevel; k == nil || k.traits&refused != 0 {
		return rule.Node{}, c.unsupported(cfg.Type, refused)
	}
	errs := c.checkKeys(cfg, k)
	if !k.fits(cfg.Section) {
		return rule.Node{}, errors.Join(append(errs, k.misfit())...)
	}
	node, err := k.compile(c, k, cfg.Section)
	if err != nil {
		return rule.Node{}, errors.Join(append(errs, prefixed(string(cfg.Type), err)...)...)
	}
	node.SetTraits(k.traits, c.contrib)
	if node.Traits&k.refuses&rule.Samples != 0 {
		errs = append(errs, fmt.Errorf("%s: %s_sub_policy cannot have a %s policy: they are for what is to be kept",
			k.name, k.name, either(c.types.names(rule.Samples, true))))
	}
	return node, errors.Join(errs...)
}

// checkKeys returns an error for each key that a policy of the type cannot have.
func (c *compiler) checkKeys(cfg *Config, k *kind) (errs []error) {
	var unknown []error
	for _, key := range slices.Sorted(maps.Keys(cfg.Rest)) {
		if other := c.types[Type(key)]; other != nil && other.section != nil {
			errs = append(errs, fmt.Errorf("%s: does not belong to a policy of type %s; remove it or change the type", key, cfg.Type))
		} else {
			unknown = append(unknown, fmt.Errorf("%s: is no key of a policy of type %s, which has %s", key, cfg.Type, k.keys()))
		}
	}
	return append(errs, unknown...)
}

// compileAll compiles the sub-policies under key of a policy of type k. All errors are joined.
func (c *compiler) compileAll(k *kind, key string, policies []Config) (nodes []rule.Node, err error) {
	if len(policies) == 0 {
		return nil, fmt.Errorf("%s: is empty; write at least one policy", key)
	}
	var errs []error
	for i := range policies {
		node, err := c.compileOne(k, placeOf(key, i, policies[i].Name), &policies[i])
		if err != nil {
			errs = append(errs, err)
		}
		nodes = append(nodes, node)
	}
	return nodes, errors.Join(errs...)
}

// compileOne compiles the sub-policy at a place of a policy of type k.
func (c *compiler) compileOne(k *kind, place string, cfg *Config) (rule.Node, error) {
	outer := c.questions.Place
	c.questions.Place += ": " + place
	node, err := c.compile(cfg, k.refuses)
	c.questions.Place = outer
	if err != nil {
		return rule.Node{}, errors.Join(prefixed(place, err)...)
	}
	return node, nil
}

// condition compiles the section of ottl_condition.
func (c *compiler) condition(cfg *conditions.Config) (rule.Node, error) {
	return c.conditions.Compile(cfg)
}

func (c *compiler) unsupported(t Type, refused rule.Traits) error {
	list := strings.Join(c.types.names(refused, false), ", ")
	switch {
	case t == "":
		return fmt.Errorf("type: is required; write one of %s", list)
	case c.types[t] != nil:
		return fmt.Errorf("type: %q cannot be a sub-policy; write one of %s", t, list)
	}
	return fmt.Errorf("type: %q is not one of %s", t, list)
}

// placeOf names a policy in errors: the list's key, the index, and the name if there is one.
func placeOf(key string, i int, name string) string {
	if name == "" {
		return fmt.Sprintf("%s[%d]", key, i)
	}
	return fmt.Sprintf("%s[%d] %q", key, i, name)
}

// prefixed puts a place in front of each joined error.
func prefixed(place string, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("%s: %w", place, err)}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, prefixed(place, e)...)
	}
	return errs
}
