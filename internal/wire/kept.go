package wire

import (
	"context"
	"slices"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Kept holds kept traces on their way to one destination, in the context beside an empty ptrace.Traces: the bytes of
// their spans, and additions. If the destination takes decoded spans it has no traces, and the ptrace.Traces is not
// empty.
//
// One goroutine uses a Kept at a time: the callee of the last call with its context. It is valid until the ConsumeTraces
// of its creator returns; the creator may call again with the same Kept, as after a failure of the destination.
type Kept struct {
	// To is the destination: the ID of the component that takes the traces, or of a pipeline whose components that take
	// decoded spans are one destination. Exporters with another ID ignore the traces.
	To string
	// Bytes holds all ranges.
	Bytes []byte
	// Traces are in the order of their decisions.
	Traces []KeptTrace
	// Spans are grouped by trace. A trace's spans are sorted by Resource and then Scope, and within a scope by start, ID
	// and body.
	Spans []KeptSpan
	// Resources and Scopes are headers (AppendResourceHeader, AppendScopeHeader), as ranges of Bytes. Within a trace
	// no two resources have equal bytes, nor two scopes of one resource; different traces may share them or not.
	Resources, Scopes []Range
	// Rejected is the number of spans that the destination rejected although it accepted the request (OTLP's partial
	// success), and RejectedReason its message. The component that takes the traces sets them.
	Rejected       int64
	RejectedReason string
	// Room is the memory of what is Found, for the component that finds it. When k is filled again, Room is Reset and reused.
	Room Room

	headers   headerNumbers // of Resources and Scopes, during filling
	copies    headerCopies  // of the last Kept from which traces were copied
	placement placement     // of a trace's spans; kept for its memory
	added     additions     // fields added to spans: KeptSpan.added are its ranges
	writer    keptWriter    // of requests; kept for its memory
	taken     atomic.Bool
}

// KeptTrace is a trace in a Kept, or a part of one.
type KeptTrace struct {
	ID TraceID
	// From and To are the range of its spans in Kept.Spans, without To.
	From, To int
	// Late reports whether it is a part that came after the trace was decided: the rest was sent before.
	Late bool
	// Marks are attributes of the whole trace. They are written on its scopes, replacing attributes with their names.
	Marks []Attribute
	// Reconstructed reports whether the findings of reconstruction are in the spans already.
	Reconstructed bool
	// Found is the result of reconstruction, for the components behind it: a *trace.Trace of processor/trace. It is
	// nil without reconstruction.
	Found any
}

// Room is reusable memory.
type Room interface {
	// Reset invalidates what is in it.
	Reset()
	// Memory is the number of bytes of heap that it keeps.
	Memory() int
}

type keptKey struct{}

// NewKeptContext returns a context that carries k.
func NewKeptContext(ctx context.Context, k *Kept) context.Context {
	return context.WithValue(ctx, keptKey{}, k)
}

// KeptOf returns the Kept of NewKeptContext, nil if there is none.
func KeptOf(ctx context.Context) *Kept {
	k, _ := ctx.Value(keptKey{}).(*Kept)
	return k
}

// For reports whether a component with this ID is the destination. It is for exporters: another one returns nil at
// once. A nil Kept is for all.
func (k *Kept) For(id string) bool { return k == nil || k.To == id }

// Take marks the traces as taken: the caller's result is then the destination's answer. If no component takes them, one on
// the way does not know Kept.
func (k *Kept) Take() { k.taken.Store(true) }

// Taken reports whether somebody called Take.
func (k *Kept) Taken() bool { return k.taken.Load() }

// ResourceBytes returns the header of a span's resource.
func (k *Kept) ResourceBytes(i int) []byte { return k.Resources[k.Spans[i].Resource].Of(k.Bytes) }

// Reset empties k and keeps its memory. It invalidates the traces' Found.
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

// Decode returns the traces as pdata, additions included.
func (k *Kept) Decode() (ptrace.Traces, error) {
	var u ptrace.ProtoUnmarshaler
	return u.UnmarshalTraces(k.AppendRequest(nil, 0, len(k.Spans)))
}

// Part returns the traces from, up to but not including, to, as a Kept that is not taken. It shares the memory of k:
// additions to its spans are additions to those of k. One part is used at a time, until Rejoin. Its Traces are copies, so
// that changes to them stay in the part until then.
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

// Rejoin merges a part back that began with the trace from.
func (k *Kept) Rejoin(p *Kept, from int) {
	k.Bytes, k.added = p.Bytes, p.added
	for i := range p.Traces {
		t := &k.Traces[from+i]
		t.Marks, t.Reconstructed, t.Found = p.Traces[i].Marks, p.Traces[i].Reconstructed, p.Traces[i].Found
	}
}

// Memory is the number of bytes of heap that k keeps.
func (k *Kept) Memory() int {
	room := 0
	if k.Room != nil {
		room = k.Room.Memory()
	}
	return room + cap(k.Bytes) + cap(k.added) + (cap(k.Spans)+cap(k.placement.sorted))*int(unsafe.Sizeof(KeptSpan{})) + cap(k.Traces)*int(unsafe.Sizeof(KeptTrace{})) +
		(cap(k.Resources)+cap(k.Scopes))*int(unsafe.Sizeof(Range{}))
}
