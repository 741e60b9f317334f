// Package assemble puts the spans of a trace together: Trace turns a trace.Spans into a trace.Trace, with Options that say
// what the caller knows about the spans.
//
// The steps are listed in Trace, a file each: resources are numbered (resources.go), copies left out or merged
// (duplicates.go, merge.go), impossible times flagged (times.go), parents found by their IDs (ids.go, parents.go), cycles
// cut, placeholders put where a parent is missing, the forest laid out (layout.go), links resolved, clocks corrected (by
// package clocks), missing parents explained (causes.go), and the spans numbered in preorder (emit.go). A builder carries
// the trace from step to step, and lives as long as the call. The rules of package trace hold; there are no locks.
package assemble
