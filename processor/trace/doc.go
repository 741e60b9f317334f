// Package trace puts the spans of a trace together: who called whom, what is missing, what came twice, and when each
// span really ran.
//
// Group sorts what arrived into one Spans per trace ID. Reconstruct turns a Spans into a Trace: a forest of Span in
// preorder, its Clocks with the corrections found, and what was odd, as Flags on spans and as warnings. The steps are
// listed in Reconstruct, a file each.
//
// Skeleton answers less, of many more traces: how many orphans and retries, which FailureModes, what is on the critical
// path; it has no attributes and takes no memory that it cannot use again.
//
// Rules. The package is pure: no clock, no I/O, no state between calls, nothing written to the data that it reads. The
// same spans in any order give the same Trace, byte for byte (String is the canonical text). No span is lost: every
// span that came in is in the Trace, or is a copy of one that is. Nothing recurses, so a trace may be as deep as it is
// long, and all steps are O(n log n) in its spans. Raw times are never changed; corrected ones stand beside them.
package trace
