// Package reconstruct is the processor `reconstruct`: it writes on kept traces what processor/trace found about them.
//
// A Config, a factory, and one processor: each call's spans are grouped by trace, each trace is reconstructed, and what
// was found becomes attributes of the spans concerned:
//
//	slowburn.span.flags            string array: orphan, duplicate, merged, cycle, own_parent, unfinished, …
//	slowburn.clock.offset_ns       what to add to the span's timestamps, on spans that need it only
//	slowburn.clock.uncertainty_ns  how far that may be off; absent where nothing bounds it
//	slowburn.clock.status          bounded, one_sided, step or residual
//
// Rules: no timestamp is changed. Identical copies of a span are left out and counted; nothing else is. A trace in which
// nothing was found, is too large, or trips a bug here is passed on as it came. The processor keeps no state.
package reconstruct
