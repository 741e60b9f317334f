// Package policy decides which traces are kept, by policies with the names, keys and meaning of the contrib tail
// sampling processor's documentation.
//
// Config is one entry of tail_sampling::policies. Compile turns the entries into a Set. A Set is asked in two steps:
// Observe answers, span by span, what policies want to know of single spans, and remembers the answers as bits of the
// trace; Decide answers the policies from these bits and what else is known of the Trace, without looking at a span, and
// returns a Decision. RuleConfig is one entry of tail_sampling::rules, and CompileRules makes a Set of these, of which the first that
// matches decides.
//
// # The house
//
// Files lean on those below them:
//
//	set                      what is asked
//	compile, rules           a configuration made a Set
//	table                    the types of policies, a line each
//	and, not, drop, composite    those that have sub-policies
//	compiler, decode         sections made rules, and mistakes told
//	kind                     what a line of the table is
//	memory, ballot           what policies know of the traces before, and policies that vote
//	config, decision         what goes in and what comes out
//
// The types without sub-policies are in packages below internal, by what they look at: spanwise at single spans, whole at one
// trace, stateful at the traces before, conditions at spans by OTTL. They stand on ask (what is asked of spans, and its bits),
// rates (the arithmetic of limits, keys and periods), ordered (rules, of which the first decides), contrib (what only compat contrib needs) and rule (the vocabulary: what
// a rule, a trace and a trait is).
//
// To add a type write a file in the package that fits, with a configuration and its Compile; a line of table; and a file
// in that package's testdata, with spans and decisions.
//
// # Rules
//
// A trace that a drop policy names is dropped. Else it is sampled if any policy samples it, and the first of these in
// the order of the configuration is the one that is told. Else it is not sampled.
//
// A bit is only ever set, and says that some span or its resource met a predicate. Where that is not enough a policy has
// a word of the trace's to itself, which it fills as its observer sees spans, in any order. So the order, batching and
// grouping of spans do not matter, nor does seeing a span twice.
//
// Most policies know nothing of other traces. Those with a rate or a period do: Decide lets them count the traces that
// are decided, with memory locked, and how traces follow each other then matters.
//
// Some of these tell traces apart by a key, made of fields of the root span: see stateful.KeyConfig. dynamic gives each
// key a probability so that a target is met. There is a library that does, dynsampler-go; why it is not used here is in
// docs/adr/0003-dynamic.md.
//
// string_attribute looks at attributes of type string only, numeric_attribute at int64 and double, boolean_attribute at
// bool: a value of another type never meets a predicate. See package spanwise.
//
// # Resources once
//
// Many spans share a resource, so its part of the bits can be found once: call ResourceBits for a resource, keep what it
// set, and for each span of it OR these bits into the trace's and call Observe with a SpanView whose ResourceKnown is
// set. Else Observe does both.
//
// # Weights
//
// A probabilistic policy keeps a trace whose randomness R is at least T = 2^56 − p·2^56. All policies use the same R, so
// the traces that the policies of a Set keep at random are nested. The threshold of a Decision is the least of those
// policies that sampled the trace, 0 if one did for a reason other than chance; an and policy has the highest of its
// sub-policies, a composite policy the least of those that are for the trace. A drop policy with a probabilistic part
// drops the share p of what it names, the traces with R < p·2^56, and the rest has at least that as its threshold. A
// limit has a threshold too, which follows from the traces before. So the threshold depends on what a trace is, and R only says whether
// the trace passes it, which is what makes it usable as a weight.
//
// Percentages are of all traces there were, not of those that arrived: what an upstream sampler kept with th 0.9 passes
// every T up to that. Package tracestate finds R and writes thresholds into spans.
//
// # Concurrency
//
// A Set's methods may be called concurrently, but for the same bits one at a time. One lock guards what policies remember
// of the traces before: that of memory, which a decision takes if any policy counts. Neither Observe nor Decide
// allocates, but for what a policy says otherwise of itself.
//
// # Compatibility
//
// With Options.Contrib policies decide as contrib's processor does where that differs: see package contrib. A Decision that
// follows from a hash or a token bucket is Weightless.
package policy
