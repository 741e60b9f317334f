package rule

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// MaxSkeleton is the most spans of a trace whose skeleton is looked at. Policies that do match no larger one.
const MaxSkeleton = 10_000

// linked is a skeleton, and memory to make it with.
type linked struct {
	skeleton.Skeleton
	from    resource            // of the span that was read last
	origins map[uint64]resource // by SpanView.Origin; without bodies
}

var skeletons = sync.Pool{New: func() any { return new(linked) }}

// Linked returns how the trace's spans hang together, nil if that cannot be had: because it is not known, or not of all
// spans, or because there are too many. It is read once for all policies.
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
		k.from = resource{} // of another trace, whose numbers mean nothing here
	}
	for v := range t.Skeleton() {
		k.readOrigin(&v)
		k.Spans = append(k.Spans, skeletonSpan(&v, &k.from))
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

// Release lets the memory be used for another trace.
func (t *Trace) Release() {
	if t.linked != nil {
		skeletons.Put(t.linked)
		t.linked = nil
	}
}

// readOrigin reads the resource of a span, unless another span of its origin was read before. A resource may be as large as a
// request, and all spans of a trace may have it.
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

// resource is what a skeleton knows of a resource.
type resource struct {
	origin                   uint64
	body                     []byte // a copy; nil where the origin tells
	service, resource, clock uint64
}

// read reads the body of a ResourceSpans or its header, unless it is the one that was read last: spans of one resource come
// together.
func (r *resource) read(body []byte) {
	if r.resource != 0 && r.origin == 0 && bytes.Equal(r.body, body) {
		return
	}
	service, _ := wire.ResourceAttribute(body, ServiceName)
	r.origin, r.body, r.service = 0, append(r.body[:0], body...), NameHash(service.Bytes())
	r.resource, r.clock = skeleton.Identify(body)
}

func skeletonSpan(v *SpanView, from *resource) skeleton.Span {
	s := v.Span
	k := skeleton.Span{
		ID: spanID(s.ID), Parent: spanID(s.ParentID), Kind: s.Kind, Status: s.Status, Start: s.Start, End: s.End,
		Service: from.service, Name: NameHash(v.Name()), Resource: from.resource, Clock: from.clock,
	}
	if s.Kind == wire.KindClient {
		k.Failure = evidence(v)
	}
	return k
}

func spanID(id wire.SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// hashSeed is one for all sets, so that a set can go on with what another covered.
var hashSeed = maphash.MakeSeed()

// NameHash returns what stands for the name of a service or span.
func NameHash(name []byte) uint64 { return maphash.Bytes(hashSeed, name) }
