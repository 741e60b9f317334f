package rule

import "iter"

// Traits say what there is to know of a policy but whom it matches.
type Traits uint16

// The traits. Those of a policy that is made of others follow from theirs: it has each that one of its parts has, and
// Lasts only if it is of a type that has it and all of its parts have.
const (
	// Lasts: once it matches a trace it goes on to match it with the same threshold, whatever spans follow.
	Lasts Traits = 1 << iota
	// Bounded: it has an upper bound.
	Bounded
	// Counts: its answers depend on the traces before. Its rule is Stateful, or Counting if it has parts.
	Counts
	// Keeps: it must know of every trace that is kept. Its rule is a Keeper.
	Keeps
	// HasKey: it tells traces apart by a key. Its rule is Keyed.
	HasKey
	// Links: it reads how the spans of a trace hang together.
	Links
	// Weightless: it decides by something other than what the trace is and its randomness.
	Weightless
	// ContribWeightless: so it does with compat contrib.
	ContribWeightless
	// Wants: it is for what is to be kept, so that no drop policy can have it.
	Wants
	// Outermost: it cannot be a sub-policy.
	Outermost
	// Chance: its threshold, which is the same for all traces, is not 0.
	Chance
)

// Has reports whether all of these traits are there.
func (t Traits) Has(these Traits) bool { return t&these == these }

// Node is a compiled policy or sub-policy.
type Node struct {
	Rule Rule
	// Parts are those that it is made of.
	Parts []Node
	// Split is not nil if the parts share what it samples.
	Split Splitter
	// Not are the traits of the type that this policy does not have, as it is configured.
	Not Traits
	// Traits are set by Give.
	Traits Traits
}

// Give gives a node the traits that follow from its type's and from its parts.
func (n *Node) Give(ofType Traits, contrib bool) {
	n.Traits = ofType &^ n.Not
	if contrib && n.Traits.Has(ContribWeightless) {
		n.Traits |= Weightless
	}
	for i := range n.Parts {
		part := n.Parts[i].Traits
		n.Traits |= part &^ Lasts
		if !part.Has(Lasts) {
			n.Traits &^= Lasts
		}
	}
}

// Counting returns the rule if it counts, else nil.
func (n *Node) Counting() Counting {
	if !n.Traits.Has(Counts) {
		return nil
	}
	return n.Rule.(Counting)
}

// Leaves iterates over the nodes that a node is made of, in their order: itself where it has no parts.
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
