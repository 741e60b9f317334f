package policy

import (
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// memory holds what the policies of a set remember of earlier traces. Callers hold mu, which is only needed if a policy
// counts.
type memory struct {
	mu         sync.Mutex // guards the state of counting and keepers
	policies   []policy
	counting   []int               // policies whose answers depend on earlier traces
	keepers    []rule.KeptObserver // among them or their parts
	ordered    bool                // policies are rules
	firstMatch bool
}

func newMemory(policies []policy, ordered, firstMatch bool) *memory {
	m := &memory{policies: policies, ordered: ordered, firstMatch: firstMatch}
	for i := range policies {
		node := &policies[i].node
		if !node.Traits.Has(rule.Counts) {
			continue
		}
		m.counting = append(m.counting, i)
		for leaf := range node.Leaves() {
			if leaf.Traits.Has(rule.SeesKept) {
				m.keepers = append(m.keepers, leaf.Rule.(rule.KeptObserver))
			}
		}
	}
	return m
}

// counts reports whether any policy depends on earlier traces.
func (m *memory) counts() bool { return len(m.counting) > 0 }

// take counts a trace with this decision. first is the result of ballot.decide.
func (m *memory) take(t *Trace, d Decision, first int) {
	for _, i := range m.counting {
		p := &m.policies[i]
		if !m.asked(i, d, first) {
			continue
		}
		if th, ok := p.rule.Match(t); ok {
			taken := th <= t.Randomness
			if p.kind == Drop {
				taken = t.Randomness < threshold.Complement(th)
			}
			p.node.Counting().Count(t, taken)
		}
	}
	if d.Verdict == Sampled {
		m.kept(t)
	}
}

// kept counts a kept trace, whichever policy sampled it.
func (m *memory) kept(t *Trace) {
	for _, k := range m.keepers {
		k.Kept(t)
	}
}

// asked reports whether a decision is charged to the policy. A dropped trace is only charged to the policy that
// dropped it and to the drop policies before. With firstMatch a sampled trace is not charged to policies after the
// first that sampled it. Of rules only the deciding one is charged.
func (m *memory) asked(policy int, d Decision, first int) bool {
	if m.policies[policy].kind == Drop {
		return d.Verdict != Dropped || policy <= first
	}
	if m.ordered {
		return d.Verdict != Dropped && policy == first
	}
	return d.Verdict == NotSampled || d.Verdict == Sampled && (!m.firstMatch || policy <= first)
}

// spared reports whether a drop policy with a limit matches the trace. That policy dropped similar traces by their
// randomness, at a threshold that is not known any more.
func (m *memory) spared(t *Trace) bool {
	return slices.ContainsFunc(m.counting, func(i int) bool {
		p := &m.policies[i]
		if p.kind != Drop {
			return false
		}
		_, ok := p.rule.Match(t)
		return ok
	})
}

// key returns the trace's key in a policy. See Set.Key.
func (m *memory) key(policy int, t *Trace) string {
	for leaf := range m.policies[policy].node.Leaves() {
		if !leaf.Traits.Has(rule.HasKey) {
			continue
		}
		key, own := leaf.Rule.(rule.Keyed).Key(t)
		if !own {
			return OtherKey
		}
		return key
	}
	return ""
}

// inherit takes over the counts of old's policies with the same name and configuration.
func (m *memory) inherit(old *memory) {
	for i := range m.policies {
		to := &m.policies[i]
		for j := range old.policies {
			if from := &old.policies[j]; from.name == to.name && reflect.DeepEqual(from.config, to.config) {
				inherit(&to.node, &from.node)
			}
		}
	}
}

// inherit walks two nodes of the same configuration.
func inherit(to, from *rule.Node) {
	next, stop := iter.Pull(from.Leaves())
	defer stop()
	for leaf := range to.Leaves() {
		old, more := next()
		if more && leaf.Traits.Has(rule.Counts) && reflect.TypeOf(leaf.Rule) == reflect.TypeOf(old.Rule) {
			leaf.Rule.(rule.Stateful).Inherit(old.Rule)
		}
	}
}
