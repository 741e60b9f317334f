package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// ConsumeTraces takes the spans of td, or those of the wire request in ctx, or none of them. It keeps nothing of either.
func (p *Sampler) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	defer p.times.since(stageAppend, time.Now())
	if err := ctx.Err(); err != nil {
		return err // nobody waits for the answer, so the spans will be sent again
	}
	request, release, err := wire.Of(ctx, td)
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("read spans: %w", err))
	}
	defer release()
	p.gate.RLock()
	defer p.gate.RUnlock()
	if p.closed {
		return consumererror.NewRetryableError(errors.New("tail_sampling is shut down: send again"))
	}
	if len(request.Spans) == 0 {
		return nil
	}
	if !p.ready.Load() {
		return p.refuse(len(request.Spans), errRecovering)
	}
	need, large := p.size(request)
	if err := p.reserve(need, large); err != nil {
		return p.refuse(len(request.Spans), err)
	}
	defer p.pool.Cancel(need)

	in := p.scratch.Get().(*ingest)
	in.prepare(p, request)
	if err = p.distribute(in); err == nil {
		p.services.accepted(in)
	}
	in.request, in.rules, in.view = nil, nil, policy.SpanView{}
	p.scratch.Put(in)
	if err == nil {
		err = p.fsync.wait(ctx)
	}
	if err != nil {
		return p.refuse(len(request.Spans), err)
	}
	p.appended.Add(int64(len(request.Spans)))
	return nil
}

// size estimates how much memory a request will take, and how much of that is for spans that are very large. Its bytes
// hold what is stored; the index comes on top.
func (p *Sampler) size(r *wire.Request) (all, large int64) {
	const perSpan = 56
	for i := range r.Spans {
		if n := r.Spans[i].Body.Len(); p.pool.IsLarge(n) {
			large += int64(n)
		}
	}
	return int64(len(r.Bytes)) + perSpan*int64(len(r.Spans)), large
}

// reserve sets memory and disk aside, deciding traces early where they are short.
func (p *Sampler) reserve(bytes, large int64) error {
	if p.pool.Over(bytes, highWater) > 0 {
		p.relieve(bytes, false)
	}
	err := p.pool.Reserve(bytes, large)
	if errors.Is(err, spanlog.ErrMemoryBudget) || errors.Is(err, spanlog.ErrDiskBudget) {
		p.relieve(bytes, true)
		err = p.pool.Reserve(bytes, large)
	}
	return err
}

// ingest is what is worked out about a request before the first shard is visited.
type ingest struct {
	request *wire.Request
	hashes  []uint64         // by span
	order   []uint32         // spans, grouped by shard, in their order
	ends    []int            // by shard: where its spans in order end
	origins []spanlog.Origin // by scope
	rules   *rules           // the current ones
	bits    []uint64         // by resource: what these find of it, rules.words each
	headers []byte
	bounds  []int // in headers: end of each resource's, then of each scope's
	tallies []tally
	view    policy.SpanView
}

// maxScratch is the most bytes of headers, and spans, that are kept room for.
const maxScratch = 1 << 20

// prepare reads what spans share, and sorts the spans by shard.
func (in *ingest) prepare(p *Sampler, r *wire.Request) {
	if cap(in.headers) > maxScratch || cap(in.order) > maxScratch {
		*in = ingest{}
	}
	in.request, in.rules = r, p.rules.Load()
	in.readHeaders(r)
	in.bits = resize(in.bits, len(r.Resources)*in.rules.words)
	clear(in.bits)
	for i := range r.Resources {
		in.rules.resourceBits(in.header(i), in.bitsOf(int32(i)))
	}
	in.sort(p, r)
}

func (in *ingest) readHeaders(r *wire.Request) {
	in.headers, in.bounds = in.headers[:0], in.bounds[:0]
	for i := range r.Resources {
		in.headers = wire.AppendResourceHeader(in.headers, r.Resources[i].Body.Of(r.Bytes))
		in.bounds = append(in.bounds, len(in.headers))
	}
	for i := range r.Scopes {
		in.headers = wire.AppendScopeHeader(in.headers, r.Scopes[i].Body.Of(r.Bytes))
		in.bounds = append(in.bounds, len(in.headers))
	}
	in.origins = resize(in.origins, len(r.Scopes))
	for i := range r.Scopes {
		in.origins[i].Set(in.header(int(r.Scopes[i].Resource)), in.header(len(r.Resources)+i))
	}
}

func (in *ingest) header(i int) []byte {
	from := 0
	if i > 0 {
		from = in.bounds[i-1]
	}
	return in.headers[from:in.bounds[i]]
}

func (in *ingest) bitsOf(resource int32) []uint64 {
	return in.bits[int(resource)*in.rules.words : (int(resource)+1)*in.rules.words]
}

// sort orders the spans by shard, counting first. Spans without a trace ID belong nowhere.
func (in *ingest) sort(p *Sampler, r *wire.Request) {
	shards := len(p.shards)
	in.hashes = resize(in.hashes, len(r.Spans))
	in.ends = resize(in.ends, shards)
	clear(in.ends)
	valid := 0
	for i := range r.Spans {
		if r.Spans[i].TraceID.IsZero() {
			continue
		}
		in.hashes[i] = p.seed.hash(r.Spans[i].TraceID)
		in.ends[shardOf(in.hashes[i], shards)]++
		valid++
	}
	if valid < len(r.Spans) {
		p.invalid.Add(int64(len(r.Spans) - valid))
	}
	start := 0
	for i, n := range in.ends {
		in.ends[i] = start
		start += n
	}
	in.order = resize(in.order, valid)
	for i := range r.Spans {
		if !r.Spans[i].TraceID.IsZero() {
			end := &in.ends[shardOf(in.hashes[i], shards)]
			in.order[*end] = uint32(i)
			*end++
		}
	}
}

// distribute visits each shard that has spans in the request, once.
func (p *Sampler) distribute(in *ingest) error {
	from := 0
	for i, to := range in.ends {
		if from == to {
			continue
		}
		if err := p.visit(p.shards[i], in, in.order[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// visit appends a request's spans of one shard. Where the disk fails under a store, which the kernel tells by a fault, it
// returns an error, and what was appended before that stays.
func (p *Sampler) visit(s *shard, in *ingest, spans []uint32) (err error) {
	now := p.now()
	s.mu.Lock()
	defer p.unlock(s)
	defer func() {
		if err != nil {
			s.log.Interrupt()
		}
	}()
	if p.onDisk {
		defer spanlog.Guard(&err)()
	}
	s.log.SetTime(s.unixMilli(now))
	for _, span := range spans {
		s.add(in, span, now)
	}
	s.review(now)
	s.decideOverCount(now)
	return nil
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 2*cap(s)))
	}
	return s[:n]
}
