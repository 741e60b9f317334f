package policy

// Set is a list of compiled policies.
type Set struct {
	policies   []policy
	warnings   []string
	words      int
	status     [statusCodes]int
	attributes []attributes
}

type policy struct {
	name string
	kind Type
	rule rule
}

// Len returns the number of policies. They are numbered in the order of the configuration, from 0.
func (s *Set) Len() int { return len(s.policies) }

// Name returns the policy's name, and that of None is empty.
func (s *Set) Name(policy int) string {
	if policy == None {
		return ""
	}
	return s.policies[policy].name
}

// Type returns the policy's type.
func (s *Set) Type(policy int) Type { return s.policies[policy].kind }

// Warnings are what a user should be told of policies that are valid but may not do what they seem to.
func (s *Set) Warnings() []string { return s.warnings }

// Words returns how many uint64 hold the bits of a trace; at least 1.
func (s *Set) Words() int { return s.words }

// Errors reports whether the trace has a span whose status is ERROR, which Observe always looks for. It is the strongest
// reason not to lose a trace under pressure, whatever the policies say.
func (s *Set) Errors(bits []uint64) bool { return isSet(bits, errorBit) }

// Interesting reports whether, by what is known from its bits, the trace would be kept for a reason other than chance.
// Traces for which this is false go first when memory is short. Certain knows more: it looks at durations too.
func (s *Set) Interesting(bits []uint64) bool { return s.Certain(Trace{Bits: bits}) }

// Certain reports whether the trace as it is known so far would be kept whatever its randomness were.
func (s *Set) Certain(t Trace) bool {
	t.Randomness = 0 // passes only the threshold 0
	return s.Decide(t).Verdict == Sampled
}

func isSet(bits []uint64, bit int) bool { return bits[bit>>6]&(1<<(bit&63)) != 0 }

func set(bits []uint64, bit int) { bits[bit>>6] |= 1 << (bit & 63) }
