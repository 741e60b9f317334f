// Package skeleton answers what can be told of a trace from how its spans hang together: how many orphans and retries,
// how its calls failed, what is on its critical path. It is for questions that are asked of every trace, kept or not.
//
// A Skeleton holds a Span of fixed size for each span, and the Evidence of a failed call. FailureModes is what calls
// failed of. There are no attributes and no corrected clocks, and all memory is used again.
//
// A Skeleton is empty after Reset, filled by appending to Spans, and linked by Link; only a linked one answers. Parents, copies
// and roots are those that the tree of a kept trace has: package internal/link finds them for both. A Skeleton has no lock: one goroutine uses it at a time. What it answers depends neither on the order of the spans nor on copies of them.
// Nothing recurses.
package skeleton
