package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/stateful"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// CompositeConfig matches traces that a sub-policy matches, up to MaxTotalSpansPerSecond spans in all. Each sub-policy
// has a share of that. A trace counts for the first sub-policy in PolicyOrder that matches it and has room.
type CompositeConfig struct {
	MaxTotalSpansPerSecond int64 `mapstructure:"max_total_spans_per_second"`
	// PolicyOrder lists names of sub-policies. Sub-policies that it does not name come last, in the order in which they
	// are written.
	PolicyOrder []string `mapstructure:"policy_order"`
	SubPolicies []Config `mapstructure:"composite_sub_policy"`
	// RateAllocation lists shares. Sub-policies that it does not name share the rest equally.
	RateAllocation []RateAllocationConfig `mapstructure:"rate_allocation"`
}

// RateAllocationConfig is the share of one sub-policy.
type RateAllocationConfig struct {
	Policy string `mapstructure:"policy"`
	// Percent is the share of max_total_spans_per_second; 0 is the same as no entry.
	Percent int64 `mapstructure:"percent"`
}

func (cfg *CompositeConfig) subs() []sub { return subsOf("composite_sub_policy", cfg.SubPolicies) }

func (cfg *CompositeConfig) compile(c *compiler, k *kind) (rule.Node, error) {
	var errs []error
	if cfg.MaxTotalSpansPerSecond <= 0 {
		errs = append(errs, fmt.Errorf("max_total_spans_per_second: %d must be greater than 0", cfg.MaxTotalSpansPerSecond))
	}
	nodes, err := c.compileAll(k, "composite_sub_policy", cfg.SubPolicies)
	if errs = append(errs, err); c.contrib && errors.Join(errs...) == nil {
		return cfg.compileContrib(c, nodes), nil
	}
	errs = append(errs, cfg.checkNames())
	order, err := cfg.order()
	errs = append(errs, err)
	percents, err := cfg.percents()
	if errs = append(errs, err); errors.Join(errs...) != nil {
		return rule.Node{}, errors.Join(errs...)
	}
	r := &composite{parts: make([]part, len(nodes)), order: order}
	n := rule.Node{Rule: r, Split: r}
	for i, percent := range cfg.shares(c, percents) {
		rate := float64(cfg.MaxTotalSpansPerSecond) * percent / 100
		limit := stateful.NewLimit(rate, rate, false)
		r.parts[i] = part{cfg.SubPolicies[i].Name, nodes[i], limit}
		n.Parts = append(n.Parts, nodes[i], rule.Node{Rule: limit, Traits: rule.Counts})
	}
	return n, nil
}

// compileContrib compiles the policy as contrib does.
func (cfg *CompositeConfig) compileContrib(c *compiler, nodes []rule.Node) rule.Node {
	if !slices.IsSortedFunc(cfg.PolicyOrder, func(a, b string) int { return cfg.index(a) - cfg.index(b) }) {
		c.questions.Warn("composite::policy_order is not read with compat contrib: sub-policies are asked in the order in which they " +
			"are written; write them in the order that you want")
	}
	parts := make([]contrib.Part, len(nodes))
	for i, node := range nodes {
		parts[i] = contrib.Part{Name: cfg.SubPolicies[i].Name, Node: node}
		for _, a := range cfg.RateAllocation {
			if a.Policy == parts[i].Name && a.Percent > 0 {
				parts[i].Percent = a.Percent
			}
		}
	}
	return contrib.Composite(cfg.MaxTotalSpansPerSecond, parts)
}

func (cfg *CompositeConfig) checkNames() error {
	var errs []error
	for i, sub := range cfg.SubPolicies {
		p := placeOf("composite_sub_policy", i, sub.Name)
		if sub.Name == "" {
			errs = append(errs, fmt.Errorf("%s::name: is required; write one", p))
		} else if first := cfg.index(sub.Name); first != i {
			errs = append(errs, fmt.Errorf("%s::name: is used by composite_sub_policy[%d] already; give each its own", p, first))
		}
	}
	return errors.Join(errs...)
}

// index returns the index of the sub-policy with the name, -1 if there is none.
func (cfg *CompositeConfig) index(name string) int {
	return slices.IndexFunc(cfg.SubPolicies, func(sub Config) bool { return sub.Name == name })
}

// order returns the sub-policies in the order in which they are asked.
func (cfg *CompositeConfig) order() (order []int, err error) {
	var errs []error
	for i, name := range cfg.PolicyOrder {
		switch sub := cfg.index(name); {
		case sub < 0:
			errs = append(errs, fmt.Errorf("policy_order[%d]: %q is the name of no composite_sub_policy", i, name))
		case slices.Contains(order, sub):
			errs = append(errs, fmt.Errorf("policy_order[%d]: %q is in the list already; remove it", i, name))
		default:
			order = append(order, sub)
		}
	}
	for i := range cfg.SubPolicies {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	return order, errors.Join(errs...)
}

// percents returns the percent of each sub-policy in rate_allocation, 0 if it is not there.
func (cfg *CompositeConfig) percents() ([]int64, error) {
	percents := make([]int64, len(cfg.SubPolicies))
	var errs []error
	for i, a := range cfg.RateAllocation {
		p := fmt.Sprintf("rate_allocation[%d]", i)
		sub := cfg.index(a.Policy)
		switch {
		case sub < 0:
			errs = append(errs, fmt.Errorf("%s::policy: %q is the name of no composite_sub_policy", p, a.Policy))
		case a.Percent < 0 || a.Percent > 100:
			errs = append(errs, fmt.Errorf("%s::percent: %d must be between 0 and 100", p, a.Percent))
		case percents[sub] != 0:
			errs = append(errs, fmt.Errorf("%s::policy: %q has a share already; remove one", p, a.Policy))
		default:
			percents[sub] = a.Percent
		}
	}
	return percents, errors.Join(errs...)
}

// shares returns the share of each sub-policy in percent. Their sum is 100 at most.
func (cfg *CompositeConfig) shares(c *compiler, percents []int64) []float64 {
	var allocated, sum float64
	without := 0
	for _, percent := range percents {
		allocated += float64(percent)
		if percent == 0 {
			without++
		}
	}
	rest := (100 - allocated) / float64(max(1, without))
	if without > 0 && rest <= 0 {
		rest = 100 / float64(len(percents)) // nothing is left, and every sub-policy needs some
	}
	shares := make([]float64, len(percents))
	for i, percent := range percents {
		if shares[i] = float64(percent); percent == 0 {
			shares[i] = rest
		}
		sum += shares[i]
	}
	const rounding = 1e-9
	if sum > 100+rounding {
		c.questions.Warn("composite: the shares of rate_allocation are %.4g %% in all, counting what its sub-policies without one need; "+
			"they are scaled down to 100 %%", sum)
		for i := range shares {
			shares[i] *= 100 / sum
		}
	}
	return shares
}

// composite matches the traces that one of its parts matches and has room for, in order. Its threshold is the lowest
// of these parts, as a trace that passes any of them is sampled; the first part that it passes may be another one.
type composite struct {
	parts []part
	order []int
}

// part is a sub-policy with its share.
type part struct {
	name  string
	node  rule.Node
	limit *stateful.Limit
}

// match returns the higher of the sub-policy's threshold and the threshold of its share. It returns false if
// the sub-policy does not match.
func (p *part) match(t *Trace) (threshold uint64, ok bool) {
	threshold, ok = p.node.Rule.Match(t)
	if !ok {
		return 0, false
	}
	room, _ := p.limit.Match(t)
	return max(threshold, room), true
}

func (c *composite) Match(t *Trace) (least uint64, ok bool) {
	least = threshold.Never
	for i := range c.parts {
		if th, matched := c.parts[i].match(t); matched {
			least, ok = min(least, th), true
		}
	}
	return least, ok
}

// Sampler returns the first part that samples a trace of this randomness, None if there is none.
func (c *composite) Sampler(t *Trace, randomness uint64) int {
	for _, i := range c.order {
		if th, ok := c.parts[i].match(t); ok && th <= randomness {
			return i
		}
	}
	return rule.None
}

// Names returns the names of the parts, as they are written.
func (c *composite) Names() (names []string) {
	for i := range c.parts {
		names = append(names, c.parts[i].name)
	}
	return names
}

// Count calls Count of the parts that match the trace, up to the one that samples it.
func (c *composite) Count(t *Trace, _ bool) {
	for _, i := range c.order {
		p := &c.parts[i]
		th, ok := p.match(t)
		if !ok {
			continue
		}
		sampled := th <= t.Randomness
		if counting := p.node.Counting(); counting != nil {
			counting.Count(t, sampled)
		}
		if p.limit.Count(t, sampled); sampled {
			return
		}
	}
}
