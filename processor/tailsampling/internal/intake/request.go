// Package intake prepares a request before the first shard is visited: what its spans share is computed once.
//
// Its type is Request, which one goroutine uses at a time.
package intake

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Request is a request, prepared for the visits to shards. Its memory is reused for the next.
type Request struct {
	wire    *wire.Request
	version *version.Version // the current one
	hashes  []uint64         // by span
	order   []uint32         // spans, grouped by shard, in their order
	ends    []int            // by shard: where its spans in order end
	origins []spanlog.Origin // by scope
	bits    []uint64         // by resource: the policies' bits of it, version.Words each
	headers []byte
	bounds  []int // in headers: the end of each resource's, then of each scope's
	tallies []tally.Amount
	view    policy.SpanView
	memo    policy.ResourceMemo // refers to headers
}

// A Request with room for more than this frees its memory at the next Prepare.
const (
	maxHeaders = 1 << 20 // bytes
	maxSpans   = 1 << 20
)

// Prepare computes what spans share, and groups the spans by shard. It returns the number of spans without a trace ID;
// these are left out.
func (in *Request) Prepare(r *wire.Request, v *version.Version, seed index.Seed, shards int) (invalid int) {
	if cap(in.headers) > maxHeaders || cap(in.order) > maxSpans {
		*in = Request{}
	}
	in.wire, in.version = r, v
	in.memo.Reset()
	in.readHeaders(r)
	in.bits = Resize(in.bits, len(r.Resources)*v.Words)
	clear(in.bits)
	for i := range r.Resources {
		v.ResourceBits(in.header(i), in.bitsOf(int32(i)))
	}
	return in.sort(r, seed, shards)
}

// Release drops its references to the request and the version.
func (in *Request) Release() {
	in.wire, in.version, in.view = nil, nil, policy.SpanView{}
	in.memo.Reset()
}

func (in *Request) readHeaders(r *wire.Request) {
	in.headers, in.bounds = in.headers[:0], in.bounds[:0]
	for i := range r.Resources {
		in.headers = wire.AppendResourceHeader(in.headers, r.Resources[i].Body.Of(r.Bytes))
		in.bounds = append(in.bounds, len(in.headers))
	}
	for i := range r.Scopes {
		in.headers = wire.AppendScopeHeader(in.headers, r.Scopes[i].Body.Of(r.Bytes))
		in.bounds = append(in.bounds, len(in.headers))
	}
	in.origins = Resize(in.origins, len(r.Scopes))
	for i := range r.Scopes {
		in.origins[i].Set(in.header(int(r.Scopes[i].Resource)), in.header(len(r.Resources)+i))
	}
}

func (in *Request) header(i int) []byte {
	from := 0
	if i > 0 {
		from = in.bounds[i-1]
	}
	return in.headers[from:in.bounds[i]]
}

func (in *Request) bitsOf(resource int32) []uint64 {
	words := in.version.Words
	return in.bits[int(resource)*words : (int(resource)+1)*words]
}

// sort groups the spans by shard, by counting.
func (in *Request) sort(r *wire.Request, seed index.Seed, shards int) (invalid int) {
	in.hashes = Resize(in.hashes, len(r.Spans))
	in.ends = Resize(in.ends, shards)
	clear(in.ends)
	valid := 0
	for i := range r.Spans {
		if r.Spans[i].TraceID.IsZero() {
			continue
		}
		in.hashes[i] = seed.Hash(r.Spans[i].TraceID)
		in.ends[index.ShardOf(in.hashes[i], shards)]++
		valid++
	}
	start := 0
	for i, n := range in.ends {
		in.ends[i] = start
		start += n
	}
	in.order = Resize(in.order, valid)
	for i := range r.Spans {
		if !r.Spans[i].TraceID.IsZero() {
			end := &in.ends[index.ShardOf(in.hashes[i], shards)]
			in.order[*end] = uint32(i)
			*end++
		}
	}
	return len(r.Spans) - valid
}

// ByShard yields the number of each shard that gets spans, with the indexes of these spans.
func (in *Request) ByShard(yield func(shard int, spans []uint32) bool) {
	from := 0
	for i, to := range in.ends {
		if from != to && !yield(i, in.order[from:to]) {
			return
		}
		from = to
	}
}

// ByResource yields the header of each resource that has spans in the request, with their amount.
func (in *Request) ByResource(yield func(resource []byte, a tally.Amount) bool) {
	r := in.wire
	in.tallies = Resize(in.tallies, len(r.Resources))
	clear(in.tallies)
	for i := range r.Spans {
		t := &in.tallies[r.Scopes[r.Spans[i].Scope].Resource]
		t.Spans++
		t.Bytes += int64(r.Spans[i].Body.Len())
	}
	for i, t := range in.tallies {
		if t.Spans > 0 && !yield(in.header(i), t) {
			return
		}
	}
}

// Span returns the i-th span.
func (in *Request) Span(i uint32) *wire.Span { return &in.wire.Spans[i] }

// Hash is the hash of the i-th span's trace ID; see index.Seed.
func (in *Request) Hash(i uint32) uint32 { return uint32(in.hashes[i]) }

// Body returns the message body of a span.
func (in *Request) Body(s *wire.Span) []byte { return s.Body.Of(in.wire.Bytes) }

// Origin returns the resource and scope of a span.
func (in *Request) Origin(s *wire.Span) *spanlog.Origin { return &in.origins[s.Scope] }

// View returns a span as the policies of version v see it, and the bits of its resource if v is the request's version,
// else nil. Both are valid until the next call.
func (in *Request) View(s *wire.Span, v *version.Version) (view *policy.SpanView, known []uint64) {
	scope := &in.wire.Scopes[s.Scope]
	if v == in.version {
		known = in.bitsOf(scope.Resource)
	}
	in.view = policy.SpanView{
		Span: s, Bytes: in.wire.Bytes, Body: s.Body.Of(in.wire.Bytes),
		Resource: in.header(int(scope.Resource)), Scope: in.header(len(in.wire.Resources) + int(s.Scope)),
		Memo: &in.memo, ResourceKnown: known != nil,
	}
	return &in.view, known
}

// Resize returns a slice of length n, in s if it has room. It does not clear it.
func Resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 2*cap(s)))
	}
	return s[:n]
}
