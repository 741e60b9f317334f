// Package trace describes an assembled trace: who called whom, which spans are missing or repeated, and when each span really
// ran.
//
// A Trace is a forest of Span in preorder, with its Resources, its Clocks and their corrections, and anomalies as Flags on
// spans and as warnings; String is its canonical text. Package assemble makes Traces from a wire.Kept: spans are read in
// their encoded form, and decoded ones are converted to that form first (wire.Of, Kept.Fill), so that there is one way.
// Package internal/link finds parents, copies and roots, for assemble and for skeleton, which answers fewer questions about
// many more traces; clocks corrects the clocks of the processes. A Trace travels down a pipeline as KeptTrace.Found.
//
// Rules for all packages below: they are pure, with no clock, no I/O and no state between calls, and they do not write to
// their input. The same spans in any order, batching and door give the same Trace, byte for byte. No span is lost: each one
// is in the Trace, or is a copy of one that is. Nothing recurses, so a trace may be as deep as it is long, and all steps are
// O(n log n) in its spans. Raw times never change; corrected ones stand beside them. There are no locks: a finished Trace may
// be read concurrently while its bytes are valid.
package trace
