package wire

import "sync"

// Span is what sampling and counting need to know of a span. The rest is found in its Body.
type Span struct {
	TraceID      TraceID
	ID, ParentID SpanID
	// Start and End are in nanoseconds since the Unix epoch, as sent: End may be before Start.
	Start, End uint64
	// Kind and Status are OTLP's numbers, which need not be ones that this version knows.
	Kind, Status int32
	// Flags are OTLP's: the low 8 bits are W3C trace flags.
	Flags uint32
	// Resource and Scope are indexes into Request.Resources and Request.Scopes; -1 where there is no request.
	Resource, Scope int32
	// Body is the Span message, without tag and length.
	Body, Name, TraceState Range
	// Unknown says that there are protobuf fields in the span, or nested in it, that this version does not know.
	Unknown bool
	// Linked says that the span has links. Links reads them.
	Linked bool
}

// Resource is one ResourceSpans message.
type Resource struct {
	// Body is the whole message, its scope_spans included.
	Body Range
}

// Scope is one ScopeSpans message.
type Scope struct {
	// Body is the whole message, its spans included.
	Body Range
	// Resource is an index into Request.Resources.
	Resource int32
}

// Request is a scanned ExportTraceServiceRequest. Its zero value is an empty one. Ranges are parts of Bytes.
type Request struct {
	Bytes     []byte
	Resources []Resource
	Scopes    []Scope
	Spans     []Span
}

// DropInvalidIDs removes the spans whose trace or span ID is zero, which OTLP declares invalid, from Spans, and returns
// how many they were. Bytes stay as they are.
func (r *Request) DropInvalidIDs() int {
	kept := r.Spans[:0]
	for i := range r.Spans {
		if s := &r.Spans[i]; !s.TraceID.IsZero() && !s.ID.IsZero() {
			if len(kept) != i {
				r.Spans[len(kept)] = *s
			}
			kept = r.Spans[:len(kept)+1]
		}
	}
	dropped := len(r.Spans) - len(kept)
	r.Spans = kept
	return dropped
}

// Range is a part of a request's bytes: those from Off up to, but without, End.
type Range struct{ Off, End uint32 }

// Len returns the number of bytes.
func (r Range) Len() int { return int(r.End - r.Off) }

// Of returns the part of b, without copying. Appending to it does not overwrite what follows in b.
func (r Range) Of(b []byte) []byte { return b[r.Off:r.End:r.End] }

func rangeOf(start, end int) Range { return Range{Off: uint32(start), End: uint32(end)} }

func (r *Request) reset() {
	r.Bytes, r.Resources, r.Scopes, r.Spans = nil, r.Resources[:0], r.Scopes[:0], r.Spans[:0]
}

// maxPooled is the most spans (about 0.8 MB of them) that a pooled Request keeps room for: one huge request must not
// cost its memory for good.
const maxPooled = 8192

var pool = sync.Pool{New: func() any { return new(Request) }}

// Get returns an empty Request, whose slices may have room from former use.
func Get() *Request { return pool.Get().(*Request) }

// Put takes back a Request of Get. It must not be used any more; its Bytes stay the caller's.
func Put(r *Request) {
	if cap(r.Spans) > maxPooled || cap(r.Scopes) > maxPooled || cap(r.Resources) > maxPooled {
		return
	}
	r.reset()
	pool.Put(r)
}
