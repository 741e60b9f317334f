package sli

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// passing is the component between the traces pipelines: it passes spans on, and counts them when they were accepted.
type passing struct {
	*Connector
	next consumer.Traces
}

var _ connector.Traces = (*passing)(nil)

func (*passing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *passing) Start(_ context.Context, h component.Host) error { return p.start(h) }

func (p *passing) Shutdown(context.Context) error {
	p.stop()
	return nil
}

// ConsumeTraces returns the next component's error as it is, and then has counted nothing. On the wire path decoded spans
// go on as the request that they were scanned as, so that nobody marshals and scans them again.
func (p *passing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if p.counter == nil {
		return p.next.ConsumeTraces(ctx, td)
	}
	r, release, err := wire.Of(ctx, td) // before the next, which may change td
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	defer release()
	if p.cfg.WirePath && td.ResourceSpans().Len() > 0 {
		ctx, td = wire.NewContext(ctx, r), ptrace.NewTraces()
	}
	if err := p.next.ConsumeTraces(ctx, td); err != nil {
		return err
	}
	p.count(ctx, r)
	return nil
}
