// Package rule is the vocabulary of policies: their inputs, their interface, and their properties.
//
//   - SpanView is a span in its encoded form, and Trace the evidence for a decision.
//   - Rule answers for a trace. Counting, Stateful, KeptObserver and Keyed are rules that depend on other traces.
//   - Node is a compiled policy: its rule, its parts and its traits. The table of package policy gives a type its traits.
//
// Bits of a trace are in []uint64; see IsSet. There are no locks.
package rule
