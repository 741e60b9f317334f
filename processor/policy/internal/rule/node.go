package rule

import "iter"

// Traits are the properties of a policy, apart from which traces it matches.
type Traits uint16

// The traits. A policy with parts has each trait that one of its parts has, except Monotone: it has that if its type and
// all of its parts have it.
const (
	// Monotone: once it matches a trace, it keeps matching it with the same threshold, whatever spans follow.
	Monotone Traits = 1 << iota
	// Bounded: it has an upper bound.
	Bounded
	// Counts: its answers depend on earlier traces. Its rule is Stateful, or Counting if it has parts.
	Counts
	// SeesKept: it sees every trace that is kept. Its rule is a KeptObserver.
	SeesKept
	// HasKey: it distinguishes traces by a key. Its rule is Keyed.
	HasKey
	// Links: it reads the tree of a trace's spans.
	Links
	// Weightless: something other than the trace and its randomness decides.
	Weightless
	// ContribWeightless: it is Weightless with compat contrib.
	ContribWeightless
	// Samples: it selects traces to keep, so that no drop policy can contain it.
	Samples
	// TopLevel: it cannot be a sub-policy.
	TopLevel
	// Probabilistic: its threshold, which is the same for all traces, is not 0.
	Probabilistic
)

// Has reports whether all of these traits are set.
func (t Traits) Has(wanted Traits) bool { return t&wanted == wanted }

// Node is a compiled policy or sub-policy.
type Node struct {
	Rule Rule
	// Parts are its sub-policies.
	Parts []Node
	// Split is set if the parts share the sampled traces.
	Split Splitter
	// Not are traits of its type that this policy does not have, because of its configuration.
	Not Traits
	// Traits are set by SetTraits.
	Traits Traits
}

// SetTraits sets the node's traits from its type's and its parts'.
func (n *Node) SetTraits(ofType Traits, contrib bool) {
	n.Traits = ofType &^ n.Not
	if contrib && n.Traits.Has(ContribWeightless) {
		n.Traits |= Weightless
	}
	for i := range n.Parts {
		part := n.Parts[i].Traits
		n.Traits |= part &^ Monotone
		if !part.Has(Monotone) {
			n.Traits &^= Monotone
		}
	}
}

// Counting returns the rule if it counts, otherwise nil.
func (n *Node) Counting() Counting {
	if !n.Traits.Has(Counts) {
		return nil
	}
	return n.Rule.(Counting)
}

// Leaves iterates over the node's leaves in order: the node itself if it has no parts.
func (n *Node) Leaves() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.eachLeaf(yield) }
}

func (n *Node) eachLeaf(yield func(*Node) bool) bool {
	if len(n.Parts) == 0 {
		return yield(n)
	}
	for i := range n.Parts {
		if !n.Parts[i].eachLeaf(yield) {
			return false
		}
	}
	return true
}
