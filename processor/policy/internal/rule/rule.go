package rule

// Rule is one policy or sub-policy.
type Rule interface {
	// Match reports whether the trace is one that the policy is for, and the threshold that the trace's randomness must
	// then pass: 0 if chance has no part in it. Randomness itself must not be looked at, or thresholds would not be
	// weights.
	Match(t *Trace) (threshold uint64, ok bool)
}

// Counting is a rule whose answers depend on the traces before. Its methods are called with the set's state locked, and
// Match changes nothing.
type Counting interface {
	Rule
	// Count takes account of a trace that is decided and that Match was for. sampled says whether it passed the threshold.
	Count(t *Trace, sampled bool)
}

// Stateful is a Counting rule that is not made of others.
type Stateful interface {
	Counting
	// Inherit goes on where from is, a rule of the same configuration, which stays as it is.
	Inherit(from Rule)
}

// Keeper is a Stateful rule with the trait Keeps.
type Keeper interface {
	Stateful
	// Kept takes account of a trace that is kept, whichever policy sampled it.
	Kept(t *Trace)
}

// Keyed is a Stateful rule with the trait HasKey.
type Keyed interface {
	Stateful
	// Key returns the key by which it tells the trace from others, for people, or that the key is not counted by itself.
	// The key is empty where it has not been seen for long.
	Key(t *Trace) (key string, own bool)
}

// Splitter is a rule whose parts share what it samples among them.
type Splitter interface {
	// Names returns the names of the parts.
	Names() []string
	// Sampler returns which part samples a trace of this randomness, None if none does.
	Sampler(t *Trace, randomness uint64) int
}

// None is the part that samples a trace which no part does.
const None = -1
