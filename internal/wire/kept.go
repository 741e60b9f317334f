package wire

import (
	"context"
	"slices"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Kept is kept traces on their way to one destination, in the context beside an empty ptrace.Traces: the bytes that their
// spans came as, and what is added to them. Where the destination takes decoded spans it has no traces, and the
// ptrace.Traces is not empty.
//
// One goroutine uses a Kept at a time: whoever was called last with its context. It is valid until the ConsumeTraces of
// who made it has returned; that may call again with the same Kept, as when the destination failed.
type Kept struct {
	// To is the destination: the ID of the component that is to take the traces. Other exporters pass them over. It is that
	// of a pipeline where all components of it that take decoded spans are one destination.
	To string
	// Bytes is what ranges are of.
	Bytes []byte
	// Traces are in the order in which they were decided.
	Traces []KeptTrace
	// Spans are those of one trace after the other. Within a trace they are in the order of Resource and then Scope, within
	// a scope in that of start, ID and body.
	Spans []KeptSpan
	// Resources and Scopes are headers (AppendResourceHeader, AppendScopeHeader), as ranges of Bytes. No trace has two
	// resources with equal bytes, nor a resource two scopes; two traces may have.
	Resources, Scopes []Range
	// Rejected is how many spans the destination did not store although it accepted the request (OTLP's partial success),
	// and RejectedWhy what it said. Whoever takes the traces sets them.
	Rejected    int64
	RejectedWhy string
	// Room is the memory that what is Found is in, for whoever looks for it. Where k is filled again it is Reset and used again.
	Room Room

	headers   headerNumbers // of Resources and Scopes, while k is filled
	copies    headerCopies  // of those of the Kept that traces were copied from last
	placement placement     // of the spans of a trace, for its memory
	added     additions     // to spans: KeptSpan.added are its ranges
	writer    keptWriter    // of requests, for its memory
	taken     atomic.Bool
}

// KeptTrace is a trace in a Kept, or a part of one.
type KeptTrace struct {
	ID TraceID
	// From and To are the indexes of its spans in Kept.Spans, without To.
	From, To int
	// Late says that it is a part that came after the trace was decided: the rest of it is elsewhere.
	Late bool
	// Marks are facts that hold for the whole trace. They are written on its scopes, in place of what has their names there.
	Marks []Attribute
	// Reconstructed says that what reconstruction finds is in the spans already.
	Reconstructed bool
	// Found is what reconstruction found, for components behind it: a *trace.Trace of processor/trace. It is nil where
	// nothing was looked for.
	Found any
}

// Room is memory that is used again.
type Room interface {
	// Reset gives up all that is in it.
	Reset()
	// Memory is how many bytes it keeps of the heap.
	Memory() int
}

type keptKey struct{}

// NewKeptContext returns a context in which k travels.
func NewKeptContext(ctx context.Context, k *Kept) context.Context {
	return context.WithValue(ctx, keptKey{}, k)
}

// KeptOf returns what NewKeptContext put into the context, nil if that is nothing.
func KeptOf(ctx context.Context) *Kept {
	k, _ := ctx.Value(keptKey{}).(*Kept)
	return k
}

// For reports whether a component with this ID is the destination. It is for exporters: one that is not returns nil at
// once. A nil Kept is for everybody.
func (k *Kept) For(id string) bool { return k == nil || k.To == id }

// Take marks the traces as taken: what is returned then is the destination's answer. Taken reports whether they are: where
// nobody took them, a component on the way did not know of them.
func (k *Kept) Take() { k.taken.Store(true) }

// Taken reports whether somebody called Take.
func (k *Kept) Taken() bool { return k.taken.Load() }

// ResourceBytes returns the header of the resource of a span.
func (k *Kept) ResourceBytes(i int) []byte { return k.Resources[k.Spans[i].Resource].Of(k.Bytes) }

// Reset empties k and keeps its memory. What was found of its traces is gone, too.
func (k *Kept) Reset() {
	if k.Room != nil {
		k.Room.Reset()
	}
	clear(k.Traces)
	clear(k.Spans)
	clear(k.headers.known)
	*k = Kept{
		Bytes: k.Bytes[:0], Traces: k.Traces[:0], Spans: k.Spans[:0], Resources: k.Resources[:0], Scopes: k.Scopes[:0],
		headers: k.headers, added: k.added[:0], writer: k.writer, Room: k.Room,
		placement: k.placement,
		copies:    headerCopies{resources: k.copies.resources, scopes: k.copies.scopes},
	}
	clear(k.writer.marked)
}

// Decode returns the traces as pdata, with what was added.
func (k *Kept) Decode() (ptrace.Traces, error) {
	var u ptrace.ProtoUnmarshaler
	return u.UnmarshalTraces(k.AppendRequest(nil, 0, len(k.Spans)))
}

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
		t.Marks, t.Reconstructed, t.Found = p.Traces[i].Marks, p.Traces[i].Reconstructed, p.Traces[i].Found
	}
}

// Memory is how many bytes k keeps of the heap.
func (k *Kept) Memory() int {
	room := 0
	if k.Room != nil {
		room = k.Room.Memory()
	}
	return room + cap(k.Bytes) + cap(k.added) + (cap(k.Spans)+cap(k.placement.sorted))*int(unsafe.Sizeof(KeptSpan{})) + cap(k.Traces)*int(unsafe.Sizeof(KeptTrace{})) +
		(cap(k.Resources)+cap(k.Scopes))*int(unsafe.Sizeof(Range{}))
}
