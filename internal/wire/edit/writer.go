package edit

import (
	"errors"
	"math"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Edit is what is to become of a request.
type Edit struct {
	// Spans and Resources change their attributes; nil leaves them as they are.
	Spans, Resources *Actions
	// Drop reports whether the span with the index is left out; nil leaves out none. It is called in the order of the spans.
	Drop func(r *wire.Request, span int) bool
}

// Writer writes requests again, one at a time. Get one, and Put it back once its request is not needed any more.
type Writer struct {
	out            wire.Request
	span, resource message
	merged         []byte // the resource before
	changed        []byte // and after
	drops          []bool // by span
}

// ErrTooLong says that a request would have more than 4 GiB - 1 bytes with what is added to it.
var ErrTooLong = errors.New("the request is longer than 4 GiB - 1 with the attributes that are added to it")

const (
	tagResourceSpans = 1<<3 | byte(protobuf.TypeLen)
	tagResource      = schema.ResourceSpansFieldResource<<3 | byte(protobuf.TypeLen)
	tagScopeSpans    = schema.ResourceSpansFieldScopeSpans<<3 | byte(protobuf.TypeLen)
	tagSpans         = schema.ScopeSpansFieldSpans<<3 | byte(protobuf.TypeLen)
)

// Size returns how many bytes Write takes for the request at most, and what the scanned parts take beside.
func (e *Edit) Size(r *wire.Request) int64 {
	n := int64(len(r.Bytes)) + wire.Elements{Resources: len(r.Resources), Scopes: len(r.Scopes), Spans: len(r.Spans)}.Bytes()
	frames := int64(len(r.Resources)+len(r.Scopes)+len(r.Spans)) * frame
	return n + frames + int64(len(r.Spans))*e.Spans.size() + int64(len(r.Resources))*e.Resources.size()
}

// size is how much longer a message gets by the actions at most.
func (a *Actions) size() (n int64) {
	if a == nil {
		return 0
	}
	for _, kv := range a.literals {
		n += int64(protobuf.LenSize(len(kv)))
	}
	return n
}

// Write returns r as e has it: a request that is scanned, whose ranges are parts of its own Bytes. Resources and scopes without a
// span are left out. It is valid until the next Write or Put, and as long as r: where nothing changes it is r. Span.Unknown may
// say that there are unknown fields where they were in an attribute that is gone.
func (w *Writer) Write(r *wire.Request, e *Edit) (*wire.Request, error) {
	if !w.find(r, e.Drop) && e.Spans == nil && e.Resources == nil {
		return r, nil
	}
	w.out.Bytes, w.out.Resources, w.out.Scopes, w.out.Spans = w.out.Bytes[:0], w.out.Resources[:0], w.out.Scopes[:0], w.out.Spans[:0]
	resource, scope := int32(-1), int32(-1) // of the span before, in r
	var resourceFrame, scopeFrame int       // where they begin in the output; 0 if there is none, as no frame ends there
	for i := range r.Spans {
		s := &r.Spans[i]
		if e.Drop != nil && w.drops[i] {
			continue
		}
		if s.Scope != scope || s.Resource != resource {
			w.endScope(scopeFrame)
			if s.Resource != resource {
				w.endResource(resourceFrame)
				resourceFrame = w.beginResource(r.Resources[s.Resource].Body.Of(r.Bytes), e.Resources)
			}
			scopeFrame = w.beginScope(r.Scopes[s.Scope].Body.Of(r.Bytes))
			resource, scope = s.Resource, s.Scope
		}
		w.addSpan(r, s, e.Spans)
	}
	w.endScope(scopeFrame)
	w.endResource(resourceFrame)
	if uint64(len(w.out.Bytes)) > math.MaxUint32 {
		return nil, ErrTooLong
	}
	return &w.out, nil
}

// find finds the spans to leave out, and reports whether there are any.
func (w *Writer) find(r *wire.Request, drop func(r *wire.Request, span int) bool) (found bool) {
	w.drops = w.drops[:0]
	if drop == nil {
		return false
	}
	for i := range r.Spans {
		d := drop(r, i)
		found = found || d
		w.drops = append(w.drops, d)
	}
	return found
}

// frame is how long the tag and the length are that begin writes.
const frame = 1 + 5

// begin writes a tag, and room for a length that is not known yet, and returns where the content begins. The length takes five
// bytes, whatever it is: protobuf allows that, and neither goes into the log, which has the headers and the spans.
func (w *Writer) begin(tag byte) int {
	w.out.Bytes = append(w.out.Bytes, tag, 0x80, 0x80, 0x80, 0x80, 0)
	return len(w.out.Bytes)
}

// end writes the length of what begins there, and returns its range.
func (w *Writer) end(start int) wire.Range {
	b, n := w.out.Bytes, len(w.out.Bytes)-start
	for i := range 4 {
		b[start-5+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	b[start-1] = byte(n >> 28)
	return wire.Range{Off: uint32(start), End: uint32(len(b))}
}

// beginResource begins a ResourceSpans with the header of another.
func (w *Writer) beginResource(body []byte, a *Actions) int {
	start := w.begin(tagResourceSpans)
	if a == nil {
		w.out.Bytes = wire.AppendResourceHeader(w.out.Bytes, body)
	} else {
		w.changeResource(body, a)
	}
	w.out.Resources = append(w.out.Resources, wire.Resource{Header: uint32(len(w.out.Bytes) - start)})
	return start
}

// changeResource writes the header of a ResourceSpans with the resource's attributes changed. Several resources are to be merged,
// which one behind the other are.
func (w *Writer) changeResource(body []byte, a *Actions) {
	w.merged = w.merged[:0]
	for pos := 0; pos < len(body); {
		f, err := schema.ResourceSpans.Next(body, pos)
		if err != nil {
			break // not after a scan
		}
		switch f.Num {
		case schema.ResourceSpansFieldResource:
			w.merged = append(w.merged, body[f.Start:f.End]...)
		case schema.ResourceSpansFieldScopeSpans, schema.ResourceSpansFieldDeprecatedScopeSpans:
		default:
			w.out.Bytes = append(w.out.Bytes, body[pos:f.End]...)
		}
		pos = f.End
	}
	w.resource.typ, w.resource.field = &schema.Resource, schema.ResourceFieldAttributes
	w.resource.read(a, w.merged)
	w.resource.apply(a)
	w.changed = w.resource.append(w.changed[:0], a, func(wire.Range, int) {})
	w.out.Bytes = protobuf.AppendLen(w.out.Bytes, tagResource, w.changed)
}

func (w *Writer) endResource(start int) {
	if start > 0 {
		w.out.Resources[len(w.out.Resources)-1].Body = w.end(start)
	}
}

func (w *Writer) beginScope(body []byte) int {
	start := w.begin(tagScopeSpans)
	w.out.Bytes = wire.AppendScopeHeader(w.out.Bytes, body)
	w.out.Scopes = append(w.out.Scopes, wire.Scope{Header: uint32(len(w.out.Bytes) - start), Resource: int32(len(w.out.Resources) - 1)})
	return start
}

func (w *Writer) endScope(start int) {
	if start > 0 {
		w.out.Scopes[len(w.out.Scopes)-1].Body = w.end(start)
	}
}

// addSpan writes a span with its attributes changed.
func (w *Writer) addSpan(r *wire.Request, s *wire.Span, a *Actions) {
	body := s.Body.Of(r.Bytes)
	w.out.Spans = append(w.out.Spans, *s)
	written := &w.out.Spans[len(w.out.Spans)-1]
	written.Resource, written.Scope = int32(len(w.out.Resources)-1), int32(len(w.out.Scopes)-1)
	if a != nil {
		w.span.typ, w.span.field = &schema.Span, schema.SpanFieldAttributes
		w.span.read(a, body)
		w.span.apply(a)
	}
	if a == nil || w.span.unchanged() {
		w.out.Bytes = protobuf.AppendLen(w.out.Bytes, tagSpans, body)
		end := len(w.out.Bytes)
		written.Body = wire.Range{Off: uint32(end - len(body)), End: uint32(end)}
		by := written.Body.Off - s.Body.Off
		written.Name, written.TraceState = moved(s.Name, by), moved(s.TraceState, by)
		return
	}
	start := w.begin(tagSpans)
	w.out.Bytes = w.span.append(w.out.Bytes, a, func(from wire.Range, to int) {
		by := uint32(to) - from.Off - s.Body.Off
		from.Off, from.End = from.Off+s.Body.Off, from.End+s.Body.Off
		if contains(from, s.Name) {
			written.Name = moved(s.Name, by)
		}
		if contains(from, s.TraceState) {
			written.TraceState = moved(s.TraceState, by)
		}
	})
	written.Body = w.end(start)
}

func contains(outer, inner wire.Range) bool { return outer.Off <= inner.Off && inner.End <= outer.End }

// moved returns the range by so much further on, which may be less than nothing. That of a field which is not there stays.
func moved(r wire.Range, by uint32) wire.Range {
	if r.End == 0 {
		return r
	}
	return wire.Range{Off: r.Off + by, End: r.End + by}
}

// Limits of what a Writer keeps for the next request.
const maxPooledBytes, maxPooledSpans = 4 << 20, 8192

var writers = sync.Pool{New: func() any { return new(Writer) }}

// Get returns a Writer, which may have memory from former use.
func Get() *Writer { return writers.Get().(*Writer) }

// Put takes back a Writer of Get. Neither it nor its request may be used any more.
func Put(w *Writer) {
	if cap(w.out.Bytes) <= maxPooledBytes && cap(w.out.Spans) <= maxPooledSpans && cap(w.changed) <= maxPooledBytes && cap(w.span.attributes) <= maxPooledSpans {
		w.span.body, w.resource.body = nil, nil
		writers.Put(w)
	}
}
