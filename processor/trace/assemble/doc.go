// Package assemble assembles traces: a Batch turns the traces of a wire.Kept into trace.Traces, one at a time, with Options.
//
// Batch.Trace lists the steps, each in a file: resources are numbered (headers.go), spans become nodes of package link, which finds
// parents, after copies were left out or merged (duplicates.go, content.go, merge.go), placeholders stand for missing parents, the forest
// is laid out (layout.go), links are resolved, clocks corrected (by package clocks), missing parents explained (causes.go), and siblings
// sorted (emit.go). Between traces a Batch keeps its knowledge of the Kept's resources and scopes, and its memory; a memo keeps what does
// not depend on the Kept. The rules of package trace hold. There are no locks: one goroutine uses a Batch at a time.
package assemble
