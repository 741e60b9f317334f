package wire

import (
	"slices"
	"sync"
	"unsafe"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Span has the fields of a span that sampling and counting need. Body has the others.
type Span struct {
	TraceID      TraceID
	ID, ParentID SpanID
	// Start and End are in nanoseconds since the Unix epoch, as sent: End may be before Start.
	Start, End uint64
	// Kind and Status are OTLP's numbers, including unknown ones.
	Kind, Status int32
	// Flags are OTLP's: the low 8 bits are W3C trace flags.
	Flags uint32
	// Resource and Scope are indexes into Request.Resources and Request.Scopes; -1 without a request.
	Resource, Scope int32
	// Body is the Span message, without tag and length.
	Body, Name, TraceState Range
	// Unknown reports whether the span, or a message nested in it, has unknown protobuf fields.
	Unknown bool
	// Linked reports whether the span has links. Links reads them.
	Linked bool
}

// Resource is one ResourceSpans message.
type Resource struct {
	// Body is the whole message, its scope_spans included.
	Body Range
	// Header is the length of the result of AppendResourceHeader.
	Header uint32
}

// Scope is one ScopeSpans message.
type Scope struct {
	// Body is the whole message, its spans included.
	Body Range
	// Header is the length of the result of AppendScopeHeader.
	Header uint32
	// Resource is an index into Request.Resources.
	Resource int32
}

// Request is a scanned ExportTraceServiceRequest. Its zero value is an empty one. Ranges are parts of Bytes.
type Request struct {
	Bytes     []byte
	Resources []Resource
	Scopes    []Scope
	Spans     []Span

	strict    bool // set while Accept scans
	maxHeader int  // used by Accept
	rejected  Rejected
}

// Accept is Scan for a request from outside. It leaves out spans with a zero trace or span ID, which OTLP declares invalid,
// spans whose resource or scope has a header (AppendResourceHeader, AppendScopeHeader) of more than maxHeader bytes, and then
// scopes and resources without spans. It returns counts of the spans it left out. It allocates at most Count(b).Bytes(). The
// error is a *ScanError, and r is then empty.
func (r *Request) Accept(b []byte, maxHeader int) (Rejected, error) {
	n := Count(b)
	r.Resources, r.Scopes, r.Spans = slices.Grow(r.Resources[:0], n.Resources), slices.Grow(r.Scopes[:0], n.Scopes), slices.Grow(r.Spans[:0], n.Spans)
	r.strict, r.maxHeader, r.rejected = true, maxHeader, Rejected{}
	err := r.Scan(b)
	r.strict = false
	if err != nil {
		return Rejected{}, err
	}
	return r.rejected, nil
}

// Rejected counts the spans that Accept leaves out, by reason.
type Rejected struct {
	// InvalidIDs have a trace or span ID of zero.
	InvalidIDs int
	// LargeHeaders have valid IDs, and a resource or scope whose header is too large.
	LargeHeaders int
	// Largest is the length of the largest such header in bytes, 0 if there is none.
	Largest int
}

// Spans returns the number of spans left out.
func (r Rejected) Spans() int { return r.InvalidIDs + r.LargeHeaders }

// large reports whether spans are left out because their shared header exceeds the limit, and counts them.
func (r *Rejected) large(header, limit, spans int) bool {
	if header <= limit || spans == 0 {
		return false
	}
	r.LargeHeaders += spans
	r.Largest = max(r.Largest, header)
	return true
}

// Elements are the largest numbers of parts of a request that Accept needs room for at once.
type Elements struct{ Resources, Scopes, Spans int }

// Bytes returns the size of that room.
func (n Elements) Bytes() int64 {
	return int64(n.Resources)*int64(unsafe.Sizeof(Resource{})) + int64(n.Scopes)*int64(unsafe.Sizeof(Scope{})) + int64(n.Spans)*int64(unsafe.Sizeof(Span{}))
}

// minSpan is the length of the shortest Span with a trace ID and a span ID: two tags, two lengths, and 24 bytes.
const minSpan = 2 + len(TraceID{}) + 2 + len(SpanID{})

// Count counts the resources, scopes and spans of b, an ExportTraceServiceRequest, without reading the spans: it takes a
// fraction of the time of Scan and no memory. It does not count spans that are too short for their IDs, so that a request
// of d bytes needs room for at most 4·d and one element of each kind. It stops where b is malformed; Scan reports the
// error.
func Count(b []byte) Elements {
	n := Elements{1, 1, 1} // an element takes room during its scan even if it is left out
	for resource, end := 0, 0; ; {
		if resource, end = nextOf(b, end, 1, 1); end < 0 {
			return n
		}
		scopes := n.Scopes
		for scope, pos := 0, resource; ; {
			scope, pos = nextOf(b[:end], pos, schema.ResourceSpansFieldScopeSpans, schema.ResourceSpansFieldDeprecatedScopeSpans)
			if pos < 0 {
				break
			}
			spans := n.Spans
			for span, at := 0, scope; ; {
				if span, at = nextOf(b[:pos], at, schema.ScopeSpansFieldSpans, schema.ScopeSpansFieldSpans); at < 0 {
					break
				}
				if at-span >= minSpan {
					n.Spans++
				}
			}
			if n.Spans > spans {
				n.Scopes++
			}
		}
		if n.Scopes > scopes {
			n.Resources++
		}
	}
}

// nextOf returns the content's range of the next field of bytes with either number, from pos on; end is negative if
// there is none.
func nextOf(b []byte, pos int, num, or int32) (start, end int) {
	for pos < len(b) {
		tag, typ, next := protobuf.Tag(b, pos)
		if next < 0 {
			return 0, -1
		}
		if typ != protobuf.TypeLen {
			if pos = protobuf.Skip(b, next, typ); pos < 0 {
				return 0, -1
			}
			continue
		}
		if start, end = protobuf.Length(b, next); start < 0 {
			return 0, -1
		}
		if tag == num || tag == or {
			return start, end
		}
		pos = end
	}
	return 0, -1
}

// Range is a part of a request's bytes: from Off up to, but not including, End.
type Range struct{ Off, End uint32 }

// Len returns the number of bytes.
func (r Range) Len() int { return int(r.End - r.Off) }

// Of returns the part of b, without copying. Appending to it does not overwrite what follows in b.
func (r Range) Of(b []byte) []byte { return b[r.Off:r.End:r.End] }

func rangeOf(start, end int) Range { return Range{Off: uint32(start), End: uint32(end)} }

func (r *Request) reset() {
	r.Bytes, r.Resources, r.Scopes, r.Spans = nil, r.Resources[:0], r.Scopes[:0], r.Spans[:0]
}

// maxPooled is the largest number of spans (about 0.8 MB) that a pooled Request keeps room for: one huge request
// must not cost its memory for good.
const maxPooled = 8192

var pool = sync.Pool{New: func() any { return new(Request) }}

// Get returns an empty Request, whose slices may have room from earlier use.
func Get() *Request { return pool.Get().(*Request) }

// Put takes back a Request of Get, which must not be used any more; its Bytes stay the caller's.
func Put(r *Request) {
	if cap(r.Spans) > maxPooled || cap(r.Scopes) > maxPooled || cap(r.Resources) > maxPooled {
		return
	}
	r.reset()
	pool.Put(r)
}
