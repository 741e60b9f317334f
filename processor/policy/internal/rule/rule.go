package rule

// Rule is one policy or sub-policy.
type Rule interface {
	// Match reports whether the policy is for the trace, and the threshold that the trace's randomness must then pass:
	// 0 if chance has no part in it. It must not look at the randomness itself, or thresholds would not be weights.
	Match(t *Trace) (threshold uint64, ok bool)
}

// Counting is a rule whose answers depend on earlier traces. Its methods are called with the set's state locked, and
// Match changes nothing.
type Counting interface {
	Rule
	// Count counts a decided trace that Match matched. sampled reports whether it passed the threshold.
	Count(t *Trace, sampled bool)
}

// Stateful is a Counting rule without parts.
type Stateful interface {
	Counting
	// Inherit continues from the state of from, a rule of the same configuration, without changing that.
	Inherit(from Rule)
}

// KeptObserver is a Stateful rule with the trait SeesKept.
type KeptObserver interface {
	Stateful
	// Kept counts a kept trace, whichever policy sampled it.
	Kept(t *Trace)
}

// Keyed is a Stateful rule with the trait HasKey.
type Keyed interface {
	Stateful
	// Key returns the trace's key in readable form. It is empty if the key has not been seen for long. own is false if
	// the key is not counted by itself.
	Key(t *Trace) (key string, own bool)
}

// Splitter is a rule whose parts share the sampled traces.
type Splitter interface {
	// Names returns the names of the parts.
	Names() []string
	// Sampler returns the part that samples a trace of this randomness, None if none does.
	Sampler(t *Trace, randomness uint64) int
}

// None stands for no part.
const None = -1
