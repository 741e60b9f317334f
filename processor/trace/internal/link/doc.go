// Package link finds how the spans of a trace hang together: which came more than once, which is whose parent, and which have
// none. It is the one place that does; assemble puts the tree of a kept trace together with it, and skeleton answers
// what is asked of every trace.
//
// A Node is what is looked at of a span, of fixed size and without pointers. A Forest holds the nodes of one trace, in these
// steps: append to Nodes; Collapse leaves one node of those that are one span; Link judges times, brings the nodes into
// canonical order, finds parents and cuts cycles; Group lists children and roots, after nodes were added for parents that are
// missing. Reset makes it ready for the next trace, and keeps its memory.
//
// The rules of package trace hold. A Forest has no lock: one goroutine uses it at a time.
package link
