// Package policy decides which traces are kept, by policies with the names, keys and meaning of the contrib tail
// sampling processor's documentation.
//
// Config is one entry of tail_sampling::policies. Compile turns the entries into a Set. A Set works in two steps:
// Observe answers the policies' questions about single spans, span by span, and stores the answers as bits of the
// trace; Decide evaluates the policies from these bits and the other facts of the Trace, without looking at a span, and
// returns a Decision. RuleConfig is one entry of tail_sampling::rules; CompileRules turns these into a Set in which the
// first rule that matches decides.
//
// # The house
//
// Each file uses only those below it:
//
//	set                      the API of compiled policies
//	compile, rules           from a configuration to a Set
//	table                    the types of policies, a line each
//	and, not, drop, composite    the types with sub-policies
//	compiler, decode         from sections to rules, and their mistakes
//	kind                     a line of the table
//	memory, ballot           what policies remember of earlier traces, and the vote
//	config, decision         input and output
//
// The types without sub-policies are in packages below internal, by what they look at: spanwise at single spans, whole at one
// trace, stateful at earlier traces, conditions at spans by OTTL. They use ask (questions about spans, and their bits),
// rates (the arithmetic of limits, keys and periods), ordered (rules in order), contrib (for compat
// contrib only) and rule (the vocabulary: rule, trace, trait).
//
// To add a type write a file in the package that fits, with a configuration and its Compile; a line of table; and a file
// in that package's testdata, with spans and decisions.
//
// # Rules
//
// A trace that a drop policy drops is dropped. Otherwise it is sampled if any policy samples it. Otherwise it is not
// sampled. Decision.Policy names the deciding policy.
//
// A set bit means that some span or its resource met a predicate; bits are never cleared. A policy that needs more has
// words of the trace's to itself, which its observer fills from spans in any order. So the order, batching and
// grouping of spans do not matter, nor does seeing a span twice.
//
// Most policies know nothing of other traces. Those with a rate or a period do: Decide makes them count the traces that
// are decided, with memory locked, so that the order of traces matters.
//
// Some of these distinguish traces by a key of fields of the root span: see stateful.KeyConfig. dynamic gives each
// key a probability that meets a target. docs/adr/0003-dynamic.md says why it does not use dynsampler-go.
//
// string_attribute looks at attributes of type string only, numeric_attribute at int64 and double, boolean_attribute at
// bool: a value of another type never meets a predicate. See package spanwise.
//
// # Resources once
//
// Many spans share a resource, so its bits can be computed once: call ResourceBits for the resource and keep the bits.
// For each of its spans OR them into the trace's bits and call Observe with a SpanView whose ResourceKnown is
// set. Otherwise Observe does both.
//
// # Weights
//
// A probabilistic policy keeps a trace whose randomness R is at least T = 2^56 − p·2^56. All policies use the same R, so
// the sets of traces that the policies of a Set keep at random are nested. The threshold of a Decision is the lowest of
// the policies that sampled the trace, 0 if one did so regardless of chance; an and policy has the highest of its
// sub-policies, a composite policy the lowest of those that match the trace. A drop policy with a probabilistic part
// drops the share p of the traces that it matches, those with R < p·2^56, and the others have at least that threshold. A
// limit has a threshold too, which follows from earlier traces. So the threshold depends only on the trace and its
// predecessors, and R only decides whether the trace passes it: that makes it usable as a weight.
//
// Percentages are of all traces, not of those that arrived: a trace that an upstream sampler kept with th 0.9 passes
// every T up to that. Package tracestate finds R and writes thresholds into spans.
//
// # Concurrency
//
// A Set's methods may be called concurrently, but one at a time for the same bits. One lock, that of memory, guards what
// policies remember of earlier traces; a decision takes it if any policy counts. Observe and Decide do not allocate,
// except as a policy documents.
//
// # Compatibility
//
// With Options.Contrib policies decide as contrib's processor does: see package contrib for the differences. A Decision
// by a hash or a token bucket is Weightless.
package policy
