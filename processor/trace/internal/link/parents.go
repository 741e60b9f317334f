package link

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// parentOf finds a node's parent, and flags anomalies.
func (f *Forest) parentOf(i int32) int32 {
	n := &f.Nodes[i]
	if caller := f.callerOf(n); caller >= 0 {
		n.Flags |= trace.FlagSharedID
		f.Nodes[caller].Flags |= trace.FlagSharedID
		return caller
	}
	switch n.Parent {
	case 0:
		return None
	case n.ID:
		n.Flags |= trace.FlagOwnParent
		return None
	}
	best, bestFit := int32(None), -1
	for _, e := range f.with(n.Parent) {
		if !f.repeated {
			return e.node
		}
		if fit := fitOf(&f.Nodes[e.node], n); fit > bestFit {
			best, bestFit = e.node, fit
		}
	}
	if best < 0 {
		n.Flags |= trace.FlagOrphan
	}
	return best
}

// callerOf returns the client span that shares its ID with a server span, None if there is none: in Zipkin's model both
// ends of a call have one ID.
func (f *Forest) callerOf(n *Node) int32 {
	if !f.repeated || !n.receives() {
		return None
	}
	want := int32(wire.KindClient)
	if n.Kind == wire.KindConsumer {
		want = wire.KindProducer
	}
	for _, e := range f.with(n.ID) {
		if f.Nodes[e.node].Kind == want {
			return e.node
		}
	}
	return None
}

// fitOf rates a span as the child's parent, if several have the parent's ID: first by the equality of resources, then by
// kind, since a server span's parent is its client span and any other's is the server span.
func fitOf(parent, child *Node) int {
	fit := 0
	switch {
	case parent.Resource == child.Resource:
		fit = 6
	case parent.Clock != 0 && parent.Clock == child.Clock:
		fit = 4
	case parent.Service == child.Service:
		fit = 2
	}
	if child.receives() == parent.calls() {
		fit++
	}
	return fit
}

// cutCycles makes the span that starts first in each cycle a root. Each span has at most one parent, so a walk up
// from any span ends at a root or meets itself.
func (f *Forest) cutCycles() {
	f.order = sized(f.order, len(f.Nodes))
	seen := f.order // the number of the walk that visited the node, from 1
	clear(seen)
	for i := range f.Nodes {
		walk, at := int32(i+1), int32(i)
		for at >= 0 && seen[at] == 0 {
			seen[at] = walk
			at = f.Parents[at]
		}
		if at < 0 || seen[at] != walk {
			continue
		}
		cut := at
		for j := f.Parents[at]; j != at; j = f.Parents[j] {
			if f.startsBefore(j, cut) {
				cut = j
			}
		}
		f.Parents[cut] = None
		f.Nodes[cut].Flags |= trace.FlagCycle
	}
}

// startsBefore reports whether a span starts before another in canonical order. A span without a start of its own
// starts before none that has one.
func (f *Forest) startsBefore(i, j int32) bool {
	iOwn, jOwn := f.Nodes[i].Flags.OwnStart(), f.Nodes[j].Flags.OwnStart()
	if iOwn != jOwn {
		return iOwn
	}
	return i < j
}

// Group groups the children by node, in the order of the nodes, and appends the nodes without a parent to roots. Afterwards
// Children returns the groups.
func (f *Forest) Group(roots []int32) []int32 {
	f.ends = sized(f.ends, len(f.Nodes))
	clear(f.ends)
	for i, p := range f.Parents {
		if p >= 0 {
			f.ends[p]++
		} else {
			roots = append(roots, int32(i))
		}
	}
	at := int32(0)
	for i, n := range f.ends {
		f.ends[i] = at
		at += n
	}
	f.children = sized(f.children, int(at))
	for i, p := range f.Parents {
		if p >= 0 {
			f.children[f.ends[p]] = int32(i)
			f.ends[p]++
		}
	}
	return roots
}

// Children returns the children of a node from Group. The caller may sort them.
func (f *Forest) Children(i int32) []int32 {
	from := int32(0)
	if i > 0 {
		from = f.ends[i-1]
	}
	return f.children[from:f.ends[i]]
}
