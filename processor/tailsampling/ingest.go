package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// ConsumeTraces takes all spans of td, or of the wire request in ctx, or none of them. It keeps no reference to either.
// If ctx ends while the spans are flushed, it returns the error of ctx and the spans stay.
func (p *Sampler) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	began := clock.Now()
	defer p.view.Stages.Since(tally.Append, began)
	if err := ctx.Err(); err != nil {
		return err // the client is gone and will send the spans again
	}
	request, release, err := wire.Of(ctx, td)
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("read spans: %w", err))
	}
	defer release()
	p.life.gate.RLock()
	defer p.life.gate.RUnlock()
	if p.life.closed {
		return consumererror.NewRetryableError(errors.New("tail_sampling is shut down: send again"))
	}
	if len(request.Spans) == 0 {
		return nil
	}
	if p.Draining() {
		return p.refusals.Refuse(len(request.Spans), refuse.ErrDraining)
	}
	if !p.buffer.Ready() {
		return p.refusals.Refuse(len(request.Spans), refuse.ErrRecovering)
	}
	if err := p.take(ctx, request, began.Add(requestTime)); err != nil {
		if errors.Is(err, ctx.Err()) {
			return err // the client is gone; the disk refused nothing
		}
		return p.refusals.Refuse(len(request.Spans), err)
	}
	if p.cfg.ObjectiveExemplars > 0 {
		exemplars.Accept(ctx, &p.life.keeper)
	}
	p.refusals.Accepted()
	p.view.Appended.Add(int64(len(request.Spans)))
	return nil
}

// requestTime is how long a request waits for the disk and for shards, all waits together, before it is
// refused.
const requestTime = 900 * time.Millisecond

// take appends the spans of a request if there is room.
func (p *Sampler) take(ctx context.Context, r *wire.Request, deadline time.Time) error {
	if p.backlogs.Full() {
		return refuse.ErrDeliveryBudget
	}
	need, large := p.budget.Size(r)
	if p.policies.versions.Current().Skeleton {
		need += p.budget.FactsSize(r)
	}
	if err := p.budget.Reserve(need, large); err != nil {
		return err
	}
	defer p.buffer.Pool.Cancel(need)

	in := p.scratch.Get().(*intake.Request)
	if invalid := in.Prepare(r, p.policies.versions.Current(), p.buffer.Seed, len(p.buffer.Members)); invalid > 0 {
		p.view.Invalid.Add(int64(invalid))
	}
	err := p.buffer.Add(in, deadline)
	if err == nil {
		countServices(in, p.view.Services)
	}
	in.Release()
	p.scratch.Put(in)
	if err != nil {
		return err
	}
	return p.view.Syncer.Load().Wait(ctx, deadline)
}

// countServices counts an accepted request by service.
func countServices(in *intake.Request, services *tally.Services) {
	for resource, amount := range in.ByResource {
		s := services.Of(resource)
		s.In.Spans.Add(amount.Spans)
		s.In.Bytes.Add(amount.Bytes)
	}
}
