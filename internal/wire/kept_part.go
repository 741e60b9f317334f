package wire

import (
	"slices"
	"unsafe"
)

// Part returns the traces from, up to but without to, as a Kept of their own that nobody took yet. It shares the memory of k:
// what is written on its spans is on those of k. One part is used at a time, and given back by Rejoin. Traces copies of
// KeptTrace, so that what is written there stays with the part until then.
func (k *Kept) Part(from, to int) *Kept {
	p := &Kept{To: k.To, Bytes: k.Bytes, Resources: k.Resources, Scopes: k.Scopes, added: k.added}
	if from == to {
		return p
	}
	first, last := k.Traces[from].From, k.Traces[to-1].To
	p.Spans = k.Spans[first:last:last]
	p.Traces = slices.Clone(k.Traces[from:to])
	for i := range p.Traces {
		p.Traces[i].From -= first
		p.Traces[i].To -= first
	}
	return p
}

// Rejoin takes back a part that began with the trace from.
func (k *Kept) Rejoin(p *Kept, from int) {
	k.Bytes, k.added = p.Bytes, p.added
	for i := range p.Traces {
		t := &k.Traces[from+i]
		t.Marks, t.Found = p.Traces[i].Marks, p.Traces[i].Found
	}
}

// Memory is how many bytes k keeps of the heap, what components hang on its traces aside.
func (k *Kept) Memory() int {
	return cap(k.Bytes) + cap(k.added) + cap(k.Spans)*int(unsafe.Sizeof(KeptSpan{})) + cap(k.Traces)*int(unsafe.Sizeof(KeptTrace{})) +
		(cap(k.Resources)+cap(k.Scopes))*int(unsafe.Sizeof(Range{}))
}
