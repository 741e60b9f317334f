package rule

import (
	"encoding/binary"
	"hash/maphash"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// MaxSkeleton is the most spans of a trace whose skeleton is looked at. Policies that do match no larger one.
const MaxSkeleton = 10_000

var skeletons = sync.Pool{New: func() any { return new(skeleton.Skeleton) }}

// Linked returns how the trace's spans hang together, nil if that cannot be had: because it is not known, or not of all
// spans, or because there are too many. It is read once for all policies.
func (t *Trace) Linked() *skeleton.Skeleton {
	if t.linked != nil || t.Skeleton == nil || t.unlinked || t.Spans > MaxSkeleton {
		return t.linked
	}
	k := skeletons.Get().(*skeleton.Skeleton)
	k.Reset()
	for v := range t.Skeleton() {
		k.Spans = append(k.Spans, skeletonSpan(&v))
	}
	if len(k.Spans) < t.Spans {
		t.unlinked = true
		skeletons.Put(k)
		return nil
	}
	k.Link()
	t.linked = k
	return k
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

func skeletonSpan(v *SpanView) skeleton.Span {
	s := v.Span
	service, _ := wire.ResourceAttribute(v.Resource, ServiceName)
	k := skeleton.Span{
		ID: spanID(s.ID), Parent: spanID(s.ParentID), Kind: s.Kind, Status: s.Status, Start: s.Start, End: s.End,
		Service: NameHash(service.Bytes()), Name: NameHash(v.Name()),
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
