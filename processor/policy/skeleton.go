package policy

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// maxSkeleton is the most spans of a trace whose skeleton is looked at. Policies that do match no larger one.
const maxSkeleton = 10_000

var skeletons = sync.Pool{New: func() any { return new(trace.Skeleton) }}

// NeedsSkeleton reports whether a policy reads Trace.Skeleton.
func (s *Set) NeedsSkeleton() bool { return s.skeleton }

// skeleton returns how the trace's spans hang together, nil if that cannot be had: because it is not known, or not of all
// spans, or because there are too many. It is read once for all policies.
func (t *Trace) skeleton() *trace.Skeleton {
	if t.linked != nil || t.Skeleton == nil || t.unlinked || t.Spans > maxSkeleton {
		return t.linked
	}
	k := skeletons.Get().(*trace.Skeleton)
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

// release lets the memory be used for another trace.
func (t *Trace) release() {
	if t.linked != nil {
		skeletons.Put(t.linked)
		t.linked = nil
	}
}

func skeletonSpan(v *SpanView) trace.SkeletonSpan {
	s := v.Span
	service, _ := wire.ResourceAttribute(v.Resource, serviceName)
	k := trace.SkeletonSpan{
		ID: spanID(s.ID), Parent: spanID(s.ParentID), Kind: s.Kind, Status: s.Status, Start: s.Start, End: s.End,
		Service: nameHash(service.Bytes()), Name: nameHash(v.Name()),
	}
	if s.Kind == kindClient {
		k.Failure = evidence(v)
	}
	return k
}

// OTLP's numbers of span kinds.
const kindServer, kindClient, kindConsumer = 2, 3, 5

func nameHash(name []byte) uint64 { return maphash.Bytes(keySeed, name) }

// operation stands for a span name of a service.
func operation(service, name uint64) uint64 {
	return max(bits.RotateLeft64(service, 32)*failedKey^name, otherOperation+1)
}

// evidence is what a client span tells of its call, by the attributes of the conventions for HTTP and RPC.
func evidence(v *SpanView) (e trace.Evidence) {
	if n, ok := wire.SpanAttribute(v.Body, "http.request.resend_count"); ok {
		e.Resends = int32(min(max(n.Int(), 0), 1000))
	}
	if v.Span.Status != statusError {
		return e
	}
	for _, key := range []string{"http.response.status_code", "http.status_code"} {
		if code, ok := wire.SpanAttribute(v.Body, key); ok && code.Int() > 0 && code.Int() < 1000 {
			e.Code = int32(code.Int())
			break
		}
	}
	for _, key := range []string{"network.peer.address", "net.sock.peer.addr"} {
		if _, ok := wire.SpanAttribute(v.Body, key); ok {
			e.Peer = true
			break
		}
	}
	if grpc, ok := wire.SpanAttribute(v.Body, "rpc.grpc.status_code"); ok && (grpc.Int() == 1 || grpc.Int() == 4) {
		e.Reason = trace.ReasonGaveUp // CANCELLED, DEADLINE_EXCEEDED
	}
	if what, ok := wire.SpanAttribute(v.Body, "error.type"); ok && e.Reason == trace.ReasonOther {
		e.Reason = reason(what.Bytes())
	}
	if e.Code == 504 {
		e.Reason = trace.ReasonGaveUp
	}
	return e
}

// What error.type says in the languages there are, in lower case.
var (
	notConnected = []string{
		"dns", "unknownhost", "name_resolution", "gaierror", "enotfound", "refused", "unreachable", "tls", "ssl", "certificate",
		"handshake", "circuitbreaker", "circuit_breaker", "callnotpermitted", "connectexception", "connecttimeout",
	}
	gaveUp = []string{"timeout", "timedout", "timed_out", "deadline", "cancel", "abort"}
)

func reason(errorType []byte) trace.Reason {
	lower := strings.ToLower(string(errorType[:min(len(errorType), maxKeyValue)]))
	for _, part := range notConnected {
		if strings.Contains(lower, part) {
			return trace.ReasonNotConnected
		}
	}
	for _, part := range gaveUp {
		if strings.Contains(lower, part) {
			return trace.ReasonGaveUp
		}
	}
	return trace.ReasonOther
}
