// Package reconstruct is the processor `reconstruct`: it writes on kept traces what processor/trace found about them.
//
// A Config, a factory, and one processor with two doors (doors.go): traces that come as bytes (wire.Kept in the context, beside
// an empty ptrace.Traces), and decoded ones, which are brought into that form. The annotator reconstructs each trace, and the
// finding of a span becomes attributes of it, appended to its bytes or put on it:
//
//	slowburn.span.flags            string array: orphan, duplicate, merged, cycle, own_parent, unfinished, …
//	slowburn.clock.offset_ns       what to add to the span's timestamps, on spans that need it only
//	slowburn.clock.uncertainty_ns  how far that may be off; absent where nothing bounds it
//	slowburn.clock.status          bounded, one_sided, step or residual
//
// Beside bytes, the trace.Trace travels on as KeptTrace.Found, and identical copies are marked KeptSpan.Omitted. A call with the
// same Kept, as of a sender that tries again, adds nothing.
//
// Rules: no timestamp is changed. Identical copies of a span are left out and counted; nothing else is. A trace in which
// nothing was found, is too large, or trips a bug here is passed on as it came. Both doors give the same spans. The processor
// keeps no state.
package reconstruct
