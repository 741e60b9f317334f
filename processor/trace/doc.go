// Package trace is what is known of a trace whose spans were put together: who called whom, what is missing, what came
// twice, and when each span really ran.
//
// A Trace is a forest of Span in preorder, its Resources and Clocks with the corrections found, and what was odd, as Flags on
// spans and as warnings; String is its canonical text. Package assemble makes Traces of a wire.Kept: spans are read where
// their bytes are, and decoded ones are brought into that form first (wire.Of, Kept.Fill), so that there is one way. Package
// internal/link finds parents, copies and roots, for assemble and for skeleton, which answers less, of many more traces;
// clocks corrects the clocks of the processes. A Trace travels down a pipeline as KeptTrace.Found.
//
// Rules, for all packages below. They are pure: no clock, no I/O, no state between calls, nothing written to the data that
// they read. The same spans in any order, batching and door give the same Trace, byte for byte. No span is lost: every span
// that came in is in the Trace, or is a copy of one that is. Nothing recurses, so a trace may be as deep as it is long, and
// all steps are O(n log n) in its spans. Raw times are never changed; corrected ones stand beside them. There are no locks: a
// Trace may be read concurrently once it is made, as long as the bytes live that it was made of.
package trace
