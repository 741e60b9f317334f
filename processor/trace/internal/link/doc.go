// Package link finds the structure of a trace: which spans are copies, which span is whose parent, and which have none. It is
// the only place that does; assemble builds the tree of a kept trace with it, and skeleton answers questions about every
// trace.
//
// A Node has the fields of a span that this depends on, of fixed size and without pointers. A Forest holds the nodes of one
// trace, in these steps: append to Nodes; Collapse keeps one node of each span; Link judges times, sorts the nodes
// canonically, finds parents and cuts cycles; Group lists children and roots, after nodes were added for missing parents.
// Reset prepares it for the next trace, and keeps its memory.
//
// The rules of package trace hold. A Forest has no lock: one goroutine uses it at a time.
package link
