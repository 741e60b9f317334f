package policy

import (
	"slices"
	"time"
)

// bucket is a limit in contrib: a token bucket. It matches traces whose whole cost is in it.
type bucket struct {
	rate, burst float64 // per second, and the most that it holds
	bytes       bool    // or spans

	at    time.Duration
	level float64 // then
}

func (b *bucket) match(t *Trace) (uint64, bool) { return 0, costOf(t, b.bytes) <= b.tokens(t) }

func (b *bucket) tokens(t *Trace) float64 {
	return min(b.burst, b.level+b.rate*max(0, (time.Duration(t.Now)-b.at).Seconds()))
}

// count takes the cost out, whether or not others sample the trace.
func (b *bucket) count(t *Trace, _ bool) {
	b.level = b.tokens(t) - costOf(t, b.bytes)
	b.at = max(b.at, time.Duration(t.Now))
}

func (b *bucket) inherit(from rule) { b.at, b.level = from.(*bucket).at, from.(*bucket).level }

// room is the share of a sub-policy of composite in contrib: so many spans in each second. It matches traces for which there
// are enough left.
type room struct {
	spans int64 // per second

	second  int64
	sampled int64 // then
}

func (r *room) match(t *Trace) (uint64, bool) { return 0, r.taken(t)+int64(t.Spans) <= r.spans }

func (r *room) taken(t *Trace) int64 {
	if r.second != secondOf(t) {
		return 0
	}
	return r.sampled
}

func (r *room) count(t *Trace, _ bool) {
	r.sampled = r.taken(t) + int64(t.Spans)
	r.second = secondOf(t)
}

func (r *room) inherit(from rule) { r.second, r.sampled = from.(*room).second, from.(*room).sampled }

func secondOf(t *Trace) int64 { return t.Now / int64(time.Second) }

// firstFor is composite in contrib: the first part that is for a trace decides, by whether there is room for it.
type firstFor []struct {
	name string
	rule rule
	room *room
}

// compileContrib makes the rule that contrib would.
func (cfg *CompositeConfig) compileContrib(c *compiler, rules []rule) rule {
	if !slices.IsSortedFunc(cfg.PolicyOrder, func(a, b string) int { return cfg.index(a) - cfg.index(b) }) {
		c.warn("composite::policy_order is not read with compat contrib: sub-policies are asked in the order in which they " +
			"are written; write them in the order that you want")
	}
	parts := make(firstFor, len(rules))
	for i := range parts {
		p := &parts[i]
		p.name, p.rule = cfg.SubPolicies[i].Name, rules[i]
		share := float64(cfg.MaxTotalSpansPerSecond) / float64(len(rules))
		for _, a := range cfg.RateAllocation {
			if a.Policy == p.name && a.Percent > 0 {
				share = float64(a.Percent) / 100 * float64(cfg.MaxTotalSpansPerSecond)
			}
		}
		p.room = &room{spans: min(int64(share), cfg.MaxTotalSpansPerSecond)}
	}
	return parts
}

// match matches what it does not sample too, with a threshold that nothing passes, for its parts to be told.
func (parts firstFor) match(t *Trace) (uint64, bool) {
	if parts.sampler(t, t.Randomness) == None {
		return never, true
	}
	return 0, true
}

// sampler returns which part samples a trace of this randomness, None if none does.
func (parts firstFor) sampler(t *Trace, randomness uint64) int {
	for i, p := range parts {
		if th, ok := p.rule.match(t); !ok || th > randomness {
			continue
		}
		if _, enough := p.room.match(t); enough {
			return i
		}
		break
	}
	return None
}

func (parts firstFor) count(t *Trace, _ bool) {
	for _, p := range parts {
		th, ok := p.rule.match(t)
		sampled := ok && th <= t.Randomness
		_, enough := p.room.match(t)
		if r, counts := p.rule.(counting); counts && ok {
			r.count(t, sampled)
		}
		if sampled {
			if enough {
				p.room.count(t, true)
			}
			return
		}
	}
}

func (parts firstFor) rules() (all []rule) {
	for _, p := range parts {
		all = append(all, p.rule, p.room)
	}
	return all
}

func (parts firstFor) subs() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}
