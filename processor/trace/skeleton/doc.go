// Package skeleton answers questions about the structure of a trace: how many orphans and retries it has, how its calls failed, what is on
// its critical path. It is for questions that are asked about every trace, kept or not.
//
// A Skeleton holds a Span of fixed size for each span, and the Evidence of a failed call. FailureModes are the ways in which its calls
// failed. It has no attributes and no corrected clocks, and reuses all memory.
//
// A Skeleton is empty after Reset, filled by appending to Spans, and linked by Link; only a linked one answers. Package internal/link finds
// parents, copies and roots, for it as for the tree of a kept trace. A Skeleton has no lock: one goroutine uses it at a time. Its answers
// depend neither on the order of the spans nor on copies of them. Nothing recurses.
package skeleton
