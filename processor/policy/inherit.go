package policy

import (
	"iter"
	"reflect"
)

// Inherit goes on where old is: policies with a rate or a period take over what their namesakes of equal configuration
// counted so far. Old stays as it is. Call it before the set decides.
func (s *Set) Inherit(old *Set) {
	old.state.Lock()
	defer old.state.Unlock()
	s.state.Lock()
	defer s.state.Unlock()
	for i := range s.policies {
		to := &s.policies[i]
		for j := range old.policies {
			if from := &old.policies[j]; from.name == to.name && reflect.DeepEqual(from.config, to.config) {
				inheritRules(to.rule, from.rule)
			}
		}
	}
}

// inheritor is a rule with a state that another made of the same configuration can take over.
type inheritor interface{ inherit(from rule) }

// inheritRules walks two rules of the same configuration.
func inheritRules(to, from rule) {
	next, stop := iter.Pull(leaves(from))
	defer stop()
	for r := range leaves(to) {
		f, _ := next()
		if i, ok := r.(inheritor); ok && reflect.TypeOf(r) == reflect.TypeOf(f) {
			i.inherit(f)
		}
	}
}

// leaves iterates over the rules that a rule is made of, in their order: itself where it is not made of others.
func leaves(r rule) iter.Seq[rule] {
	return func(yield func(rule) bool) { eachLeaf(r, yield) }
}

func eachLeaf(r rule, yield func(rule) bool) bool {
	group, ok := r.(interface{ rules() []rule })
	if !ok {
		return yield(r)
	}
	for _, sub := range group.rules() {
		if !eachLeaf(sub, yield) {
			return false
		}
	}
	return true
}
