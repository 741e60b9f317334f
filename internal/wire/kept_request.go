package wire

import (
	"slices"
	"sort"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// AppendRequest appends an ExportTraceServiceRequest of the spans from, up to but not including, to, in their order: with
// additions, and without those that are left out. Traces may be cut anywhere. It copies each byte once.
func (k *Kept) AppendRequest(dst []byte, from, to int) []byte {
	w := &k.writer
	w.measure(k, from, to)
	dst = slices.Grow(dst, w.size)
	for r := range w.resources {
		dst = w.appendResource(k, dst, &w.resources[r])
	}
	return dst
}

// keptWriter measures a request before it is written. Its memory is reused for the next.
type keptWriter struct {
	resources []keptGroup
	scopes    []keptGroup
	size      int
	marked    map[scopeMarks][]byte // scope headers with marks
}

// scopeMarks identifies a scope's header and the marks on it: traces that share a slice of marks have the same.
type scopeMarks struct {
	scope Range
	marks *Attribute
	count int
}

// keptGroup is a ResourceSpans or a ScopeSpans: its header, its members, and its length.
type keptGroup struct {
	header   []byte
	from, to int // range of keptWriter.scopes, or of Kept.Spans
	size     int
}

// measure finds the groups of spans and their lengths, because protobuf writes lengths before contents.
func (w *keptWriter) measure(k *Kept, from, to int) {
	w.resources, w.scopes, w.size = w.resources[:0], w.scopes[:0], 0
	trace, resource, scope := -1, int32(-1), int32(-1)
	at := sort.Search(len(k.Traces), func(n int) bool { return k.Traces[n].To > from })
	for i := from; i < to; i++ {
		s := &k.Spans[i]
		if s.Omitted {
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
			w.scopes = append(w.scopes, keptGroup{header: w.markedScope(k, s.Scope, k.Traces[at].Marks), from: i})
		}
		trace, resource, scope = at, s.Resource, s.Scope
		g := &w.scopes[len(w.scopes)-1]
		g.to = i + 1
		g.size += s.Size()
	}
	w.endResource()
}

// endScope adds the completed scope to its resource.
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

// endResource adds the completed resource to the request.
func (w *keptWriter) endResource() {
	if len(w.resources) == 0 {
		return
	}
	w.endScope()
	r := &w.resources[len(w.resources)-1]
	r.size += len(r.header)
	w.size += protobuf.LenSize(r.size)
}

func (w *keptWriter) appendResource(k *Kept, dst []byte, r *keptGroup) []byte {
	dst = protobuf.AppendHead(dst, tagResourceSpans, r.size)
	dst = append(dst, r.header...)
	for i := r.from; i < r.to; i++ {
		s := &w.scopes[i]
		dst = protobuf.AppendHead(dst, tagScopeSpans, s.size)
		dst = append(dst, s.header...)
		for span := s.from; span < s.to; span++ {
			if k.Spans[span].Omitted {
				continue
			}
			dst = protobuf.AppendHead(dst, tagSpans, k.Spans[span].BodySize())
			dst = k.AppendBody(dst, span)
		}
	}
	return dst
}

// markedScope returns the header of a scope with marks. Nearly all traces of a Kept share their marks.
func (w *keptWriter) markedScope(k *Kept, scope int32, marks []Attribute) []byte {
	header := k.Scopes[scope].Of(k.Bytes)
	if len(marks) == 0 {
		return header
	}
	key := scopeMarks{k.Scopes[scope], &marks[0], len(marks)} // the range changes when a header is replaced
	done, known := w.marked[key]
	if !known {
		done = markedHeader(header, marks)
		if w.marked == nil {
			w.marked = map[scopeMarks][]byte{}
		}
		w.marked[key] = done
	}
	return done
}

// markedHeader returns a scope's header with marks: attributes of the scope, replacing those with their keys.
func markedHeader(header []byte, marks []Attribute) []byte {
	var shared []byte // the InstrumentationScope; if there are several, they are to be merged
	rest := make([]byte, 0, len(header)+64)
	for pos := 0; pos < len(header); {
		f, err := schema.ScopeSpans.Next(header, pos)
		if err != nil {
			break // cannot happen after a scan
		}
		if f.Num == schema.ScopeSpansFieldScope {
			shared = appendUnmarked(shared, header[f.Start:f.End], marks)
		} else {
			rest = append(rest, header[pos:f.End]...)
		}
		pos = f.End
	}
	for _, m := range marks {
		shared = m.AppendField(shared, schema.ScopeFieldAttributes<<3|byte(protobuf.TypeLen))
	}
	return append(protobuf.AppendLen(make([]byte, 0, len(shared)+len(rest)+8), schema.ScopeSpansFieldScope<<3|byte(protobuf.TypeLen), shared), rest...)
}

// appendUnmarked appends an InstrumentationScope without the attributes that marks replace.
func appendUnmarked(dst, scope []byte, marks []Attribute) []byte {
	for pos := 0; pos < len(scope); {
		f, err := schema.Scope.Next(scope, pos)
		if err != nil {
			break // cannot happen after a scan
		}
		if f.Num != schema.ScopeFieldAttributes || !marked(scope[f.Start:f.End], marks) {
			dst = append(dst, scope[pos:f.End]...)
		}
		pos = f.End
	}
	return dst
}

func marked(kv []byte, marks []Attribute) bool {
	key, _ := KeyValue(kv)
	for i := range marks {
		if string(key) == marks[i].Key {
			return true
		}
	}
	return false
}
