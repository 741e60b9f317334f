// Package rule is the vocabulary of policies: what a policy is asked, of what, and what it answers.
//
//   - SpanView is a span where its bytes are, and Trace what a decision is made from.
//   - Rule answers for a trace. Counting, Stateful, Keeper and Keyed are rules that know other traces.
//   - Node is a compiled policy: its rule, its parts and its traits. The table of package policy gives a type its traits.
//
// Bits of a trace are in []uint64; see IsSet. Nothing here has a lock.
package rule
