// Package assemble puts traces together: a Batch turns the traces of a wire.Kept into trace.Traces, one at a time, with Options
// that say what the caller knows about the spans.
//
// The steps are listed in Batch.Trace, a file each: resources are numbered (headers.go), spans become nodes of package link,
// which finds parents, after copies were left out or merged (duplicates.go, content.go, merge.go), placeholders are put where a parent is
// missing, the forest is laid out (layout.go), links are resolved, clocks corrected (by package clocks), missing parents
// explained (causes.go), and siblings brought in order (emit.go). Between traces a Batch keeps what the resources and scopes
// of its Kept say, and memory; a memo keeps what headers say, which is always the same. The rules of package trace hold; there are no locks: one goroutine uses a Batch at a time.
package assemble
