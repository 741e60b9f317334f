package wire

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// AppendRequest appends an ExportTraceServiceRequest of the spans from, up to but without to, in their order: with what was
// added to them, and without those that are left out. A trace may be cut anywhere. It copies each byte once.
func (k *Kept) AppendRequest(dst []byte, from, to int) []byte {
	var w keptWriter
	w.measure(k, from, to)
	dst = slices.Grow(dst, w.size)
	for r := range w.resources {
		dst = w.appendResource(dst, &w.resources[r])
	}
	return dst
}

// RequestSize is how long the request of AppendRequest is.
func (k *Kept) RequestSize(from, to int) int {
	var w keptWriter
	w.measure(k, from, to)
	return w.size
}

// SpanSize is how much a span takes of a request, its resource and scope aside. It is 0 for one that is left out.
func (k *Kept) SpanSize(i int) int {
	if k.Spans[i].Left {
		return 0
	}
	return protobuf.LenSize(k.bodySize(i))
}

func (k *Kept) bodySize(i int) int {
	s := &k.Spans[i]
	return s.Body.Len() - int(s.cutBytes) + s.added.Len()
}

// appendBody appends the body of a span, with what was added.
func (k *Kept) appendBody(dst []byte, i int) []byte {
	s := &k.Spans[i]
	at := s.Body.Off
	slices.SortFunc(s.cuts, func(a, b Range) int { return cmp.Compare(a.Off, b.Off) })
	for _, c := range s.cuts {
		dst = append(dst, k.Bytes[at:c.Off]...)
		at = c.End
	}
	dst = append(dst, k.Bytes[at:s.Body.End]...)
	return append(dst, s.added.Of(k.added)...)
}

// keptWriter is a request that is about to be written, measured.
type keptWriter struct {
	kept      *Kept
	resources []keptGroup
	scopes    []keptGroup
	size      int
}

// keptGroup is a ResourceSpans or a ScopeSpans: what it begins with, where its members are, and how long it is.
type keptGroup struct {
	header   []byte
	from, to int // of keptWriter.scopes, or of Kept.Spans
	size     int
}

// measure finds the groups of spans, and how long each is: lengths come before contents.
func (w *keptWriter) measure(k *Kept, from, to int) {
	w.kept = k
	trace, resource, scope := -1, int32(-1), int32(-1)
	at := k.traceOf(from)
	for i := from; i < to; i++ {
		s := &k.Spans[i]
		if s.Left {
			continue
		}
		for i >= k.Traces[at].To {
			at++
		}
		if at != trace || s.Resource != resource {
			w.endResource()
			w.resources = append(w.resources, keptGroup{header: k.Resources[s.Resource].Of(k.Bytes), from: len(w.scopes), to: len(w.scopes)})
			scope = -1
		}
		if s.Scope != scope || at != trace {
			w.endScope()
			w.scopes = append(w.scopes, keptGroup{header: k.markedScope(s.Scope, k.Traces[at].Marks), from: i})
		}
		trace, resource, scope = at, s.Resource, s.Scope
		g := &w.scopes[len(w.scopes)-1]
		g.to = i + 1
		g.size += protobuf.LenSize(k.bodySize(i))
	}
	w.endResource()
}

// endScope adds the last scope to its resource, once it is complete.
func (w *keptWriter) endScope() {
	if len(w.resources) == 0 {
		return
	}
	r := &w.resources[len(w.resources)-1]
	if r.from <= r.to && r.to < len(w.scopes) {
		s := &w.scopes[r.to]
		s.size += len(s.header)
		r.size += protobuf.LenSize(s.size)
		r.to++
	}
}

// endResource adds the last resource to the request, once it is complete.
func (w *keptWriter) endResource() {
	if len(w.resources) == 0 {
		return
	}
	w.endScope()
	r := &w.resources[len(w.resources)-1]
	r.size += len(r.header)
	w.size += protobuf.LenSize(r.size)
}

func (w *keptWriter) appendResource(dst []byte, r *keptGroup) []byte {
	dst = protobuf.AppendHead(dst, tagResourceSpans, r.size)
	dst = append(dst, r.header...)
	for i := r.from; i < r.to; i++ {
		s := &w.scopes[i]
		dst = protobuf.AppendHead(dst, tagScopeSpans, s.size)
		dst = append(dst, s.header...)
		for span := s.from; span < s.to; span++ {
			if w.kept.Spans[span].Left {
				continue
			}
			dst = protobuf.AppendHead(dst, tagSpans, w.kept.bodySize(span))
			dst = w.kept.appendBody(dst, span)
		}
	}
	return dst
}

// traceOf returns the index of the trace that a span is of.
func (k *Kept) traceOf(span int) int {
	n, _ := slices.BinarySearchFunc(k.Traces, span, func(t KeptTrace, span int) int {
		if t.To <= span {
			return -1
		}
		return 1
	})
	return n
}
