package policy

import "sync"

// Set is a list of compiled policies. Its methods may be called concurrently, but for the bits of the same trace one at a
// time.
type Set struct {
	policies   []policy
	warnings   []string
	words      int
	status     [statusCodes]int
	attributes []keys
	questions  []spanQuestion
	observers  []observer
	skeleton   bool     // a policy reads it
	drops      []int    // policies of type drop
	samplers   []int    // the others
	counting   []int    // those of both whose answers depend on the traces before
	keepers    []keeper // of the policies that count
	steady     *Set     // the set without them, for Revise
	firstMatch bool

	weightlessDrop bool // one of the drops is weightless, and so is what it leaves

	conditions            []conditions
	conditionBits         bitSet
	resourceConditions    []conditions // those that a resource answers
	resourceConditionBits bitSet
	values                int // of attributes that conditions read
	contexts              contextPool
	errors                *evaluationErrors

	state sync.Mutex // of the counting ones
}

type policy struct {
	name string
	kind Type
	rule rule
	// weightless says that what it samples is not sampled by what the trace is and its randomness alone.
	weightless bool
	config     Config
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

// Subs returns the names of the sub-policies that Decision.Sub numbers: those of a composite policy, and none of others.
func (s *Set) Subs(policy int) []string {
	if group, ok := s.policies[policy].rule.(interface{ subs() []string }); ok {
		return group.subs()
	}
	return nil
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

// EvaluationErrors returns how often a condition could not be evaluated so far.
func (s *Set) EvaluationErrors() uint64 { return s.errors.count.Load() }

// Certain reports whether the trace as it is known so far would be kept whatever its randomness were. Traces for which it
// is false go first when memory is short.
func (s *Set) Certain(t *Trace) bool {
	if len(s.counting) > 0 {
		s.state.Lock()
		defer s.state.Unlock()
	}
	// A shard that is short of memory asks this of many traces, so that their spans are not read for it.
	skeleton := t.Skeleton
	t.Skeleton = nil
	defer func() { t.Skeleton = skeleton }()
	return s.decide(t, 0, nil).Verdict == Sampled // no randomness is less lucky
}

func isSet(bits []uint64, bit int) bool { return bits[bit>>6]&(1<<(bit&63)) != 0 }

func set(bits []uint64, bit int) { bits[bit>>6] |= 1 << (bit & 63) }
