package wire

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
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
	// Reconstructed says that what reconstruction finds is in the spans already.
	Reconstructed bool

	headers map[headerKey]int32 // numbers of resources and scopes
	added   []byte              // what is appended to spans: KeptSpan.added are its ranges
	taken   atomic.Bool
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
	// Found is what reconstruction found, for components behind it: a *trace.Trace of processor/trace. It is nil where
	// nothing was looked for.
	Found any
}

// KeptSpan is a span in a Kept. Its Resource and Scope are indexes into Kept.Resources and Kept.Scopes; its ranges are of
// Kept.Bytes.
type KeptSpan struct {
	Span
	// Left says that the span is left out: it is a copy of another, byte by byte.
	Left bool
	// Sent says that the destination has the span already: it was in a request before this one, which it accepted.
	Sent bool
	// cuts are fields of the body that are left out, cutBytes long together; added are fields that follow it.
	cuts     []Range // of Kept.Bytes, in no order
	cutBytes uint32
	added    Range // of Kept.added
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

// SpanBytes returns the body of a span as it came.
func (k *Kept) SpanBytes(i int) []byte { return k.Spans[i].Body.Of(k.Bytes) }

// ResourceBytes and ScopeBytes return the headers of a span.
func (k *Kept) ResourceBytes(i int) []byte { return k.Resources[k.Spans[i].Resource].Of(k.Bytes) }

// ScopeBytes returns the header of a span's scope, without marks.
func (k *Kept) ScopeBytes(i int) []byte { return k.Scopes[k.Spans[i].Scope].Of(k.Bytes) }

// Reset empties k and keeps its memory.
func (k *Kept) Reset() {
	clear(k.Traces)
	clear(k.Spans)
	clear(k.headers)
	*k = Kept{
		Bytes: k.Bytes[:0], Traces: k.Traces[:0], Spans: k.Spans[:0], Resources: k.Resources[:0], Scopes: k.Scopes[:0],
		headers: k.headers, added: k.added[:0],
	}
}

// SetTraceState replaces the tracestate of a span, or removes it where state is empty.
func (k *Kept) SetTraceState(i int, state []byte) {
	if k.Spans[i].TraceState.End != 0 {
		k.cut(i, schema.SpanFieldTraceState, nil)
	}
	if len(state) > 0 {
		k.add(i, func(dst []byte) []byte {
			return protobuf.AppendLen(dst, schema.SpanFieldTraceState<<3|byte(protobuf.TypeLen), state)
		})
	}
}

// SetAttribute gives a span an attribute, in place of what it has under that key. Calling it twice with one key of a span
// is a mistake.
func (k *Kept) SetAttribute(i int, a Attribute) {
	k.cut(i, schema.SpanFieldAttributes, func(kv []byte) bool {
		key, _ := keyValue(kv)
		return string(key) == a.Key
	})
	k.add(i, func(dst []byte) []byte { return a.append(dst, schema.AttributeTag) })
}

// cut leaves the fields with a number out of a span: all, or those whose content is chosen.
func (k *Kept) cut(i int, num int32, chosen func(content []byte) bool) {
	s := &k.Spans[i]
	body := k.SpanBytes(i)
	for pos := 0; pos < len(body); {
		f, err := schema.Span.Next(body, pos)
		if err != nil {
			return // not after a scan
		}
		if f.Num == num && (chosen == nil || chosen(body[f.Start:f.End])) {
			s.cuts = append(s.cuts, rangeOf(int(s.Body.Off)+pos, int(s.Body.Off)+f.End))
			s.cutBytes += uint32(f.End - pos)
		}
		pos = f.End
	}
}

// add appends to what follows a span's body.
func (k *Kept) add(i int, encode func(dst []byte) []byte) {
	s := &k.Spans[i]
	if int(s.added.End) != len(k.added) { // another span was added to since
		from := len(k.added)
		k.added = append(k.added, s.added.Of(k.added)...)
		s.added = rangeOf(from, len(k.added))
	}
	k.added = encode(k.added)
	s.added.End = uint32(len(k.added))
}

// Decode returns the traces as pdata, with what was added.
func (k *Kept) Decode() (ptrace.Traces, error) {
	var u ptrace.ProtoUnmarshaler
	return u.UnmarshalTraces(k.AppendRequest(nil, 0, len(k.Spans)))
}
