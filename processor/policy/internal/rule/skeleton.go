package rule

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// MaxSkeleton is the largest number of spans of which a skeleton is made. Policies that need it do not match
// larger traces.
const MaxSkeleton = 10_000

// linked is a skeleton, and the memory to build it.
type linked struct {
	skeleton.Skeleton
	from    resource            // of the last span read
	origins map[uint64]resource // by SpanView.Origin; without bodies
}

var skeletons = sync.Pool{New: func() any { return new(linked) }}

// Linked returns the skeleton of the trace, nil if there is none: its spans cannot be read, some are missing, or there
// are too many. It is built once for all policies.
func (t *Trace) Linked() *skeleton.Skeleton {
	switch {
	case t.linked != nil:
		return &t.linked.Skeleton
	case t.Skeleton == nil || t.unlinked || t.Spans > MaxSkeleton:
		return nil
	}
	k := skeletons.Get().(*linked)
	k.Reset()
	if clear(k.origins); k.from.origin != 0 {
		k.from = resource{} // it may belong to another trace, with other numbers
	}
	if t.Facts == nil || !t.Facts(&k.Skeleton) || len(k.Spans) != t.Spans {
		k.Reset()
		for v := range t.Skeleton() {
			k.readOrigin(&v)
			k.Spans = append(k.Spans, k.from.complete(SkeletonSpan(&v)))
		}
	}
	if len(k.Spans) < t.Spans {
		t.unlinked = true
		skeletons.Put(k)
		return nil
	}
	k.Link()
	t.linked = k
	return &k.Skeleton
}

// IsLinked reports whether Linked has read the trace's spans.
func (t *Trace) IsLinked() bool { return t.linked != nil }

// Release frees the memory for another trace.
func (t *Trace) Release() {
	if t.linked != nil {
		skeletons.Put(t.linked)
		t.linked = nil
	}
}

// readOrigin reads the resource of a span, unless it read that of another span with the same origin. A resource may be as
// large as a request, and all spans of a trace may have it.
func (k *linked) readOrigin(v *SpanView) {
	switch v.Origin {
	case 0:
		k.from.read(v.Resource)
		return
	case k.from.origin:
		return
	}
	known, ok := k.origins[v.Origin]
	if !ok {
		known.read(v.Resource)
		known.body, known.origin = nil, v.Origin
		if k.origins == nil {
			k.origins = make(map[uint64]resource)
		}
		k.origins[v.Origin] = known
	}
	k.from = known
}

// resource holds the skeleton's facts of a resource.
type resource struct {
	origin uint64
	body   []byte // a copy; nil if the origin identifies it
	Identity
}

// Identity has the fields of a skeleton.Span that are those of its resource.
type Identity struct{ Service, Resource, Clock uint64 }

// Identify returns the identity of the body of a ResourceSpans or of its header.
func Identify(body []byte) (id Identity) {
	service, _ := wire.ResourceAttribute(body, ServiceName)
	id.Service = NameHash(service.Bytes())
	id.Resource, id.Clock = skeleton.Identify(body)
	return id
}

// complete returns a span with the fields of its resource.
func (id *Identity) complete(s skeleton.Span) skeleton.Span {
	s.Service, s.Resource, s.Clock = id.Service, id.Resource, id.Clock
	return s
}

// read reads the body of a ResourceSpans or its header, unless it was the last one read: spans of one resource come
// together.
func (r *resource) read(body []byte) {
	if r.Resource != 0 && r.origin == 0 && bytes.Equal(r.body, body) {
		return
	}
	r.origin, r.body, r.Identity = 0, append(r.body[:0], body...), Identify(body)
}

// SkeletonSpan returns a span as a skeleton has it, without the fields of its resource.
func SkeletonSpan(v *SpanView) skeleton.Span {
	s := v.Span
	k := skeleton.Span{
		ID: spanID(s.ID), Parent: spanID(s.ParentID), Kind: s.Kind, Status: s.Status, Start: s.Start, End: s.End, Name: NameHash(v.Name()),
	}
	if s.Kind == wire.KindClient {
		k.Failure = evidence(v)
	}
	return k
}

func spanID(id wire.SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// hashSeed is the same for all sets, so that a set can inherit another's coverage.
var hashSeed = maphash.MakeSeed()

// NameHash returns the hash of the name of a service or span.
func NameHash(name []byte) uint64 { return maphash.Bytes(hashSeed, name) }
