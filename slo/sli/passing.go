package sli

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
)

// passing is the component between traces pipelines: it passes spans on, and counts them once they were accepted.
type passing struct {
	*Connector
	next consumer.Traces
	// logged is when untaken spans were last logged, in Unix ns.
	logged atomic.Int64
}

var _ connector.Traces = (*passing)(nil)

func (*passing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *passing) Start(_ context.Context, h component.Host) error { return p.start(h) }

func (p *passing) Shutdown(context.Context) error {
	p.stop()
	return nil
}

// ConsumeTraces returns the next component's error unchanged, and then has counted nothing. On the wire path decoded spans are
// passed on as the scanned request, so that they are not marshalled and scanned again.
func (p *passing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if wire.KeptOf(ctx) != nil { // behind a sampler, with its exporters beside this connector
		if td.ResourceSpans().Len() == 0 {
			return nil // it is for one of those
		}
		ctx = wire.NewKeptContext(ctx, nil) // the exporters behind this connector are none of them
	}
	if p.keeper == nil {
		return p.next.ConsumeTraces(ctx, td)
	}
	r, release, err := wire.Peek(ctx, td) // before the next, which may change td
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	defer release()
	decoded := td.ResourceSpans().Len() > 0
	ctx, offer := exemplars.NewContext(ctx)
	return p.once(ctx, r, offer, func() (taken bool, err error) {
		switch {
		case decoded && p.cfg.WirePath:
			return true, p.handOn(ctx, r, td)
		case decoded:
			return true, p.next.ConsumeTraces(ctx, td)
		default:
			err = p.next.ConsumeTraces(ctx, td)
			return wire.Taken(ctx), err // the sender of r sends it again, decoded, if no component took it: it is counted then
		}
	})
}

// handOn passes decoded spans on as the scanned request, and passes td on if nobody took that.
func (p *passing) handOn(ctx context.Context, r *wire.Request, td ptrace.Traces) error {
	carried := wire.NewContext(ctx, r)
	if err := p.next.ConsumeTraces(carried, ptrace.NewTraces()); err != nil || wire.Taken(carried) {
		return err
	}
	p.untaken(ctx, len(r.Spans))
	return p.next.ConsumeTraces(ctx, td)
}

// untaken counts spans that nobody took as bytes, and logs that at most once per logEvery.
func (p *passing) untaken(ctx context.Context, spans int) {
	p.telemetry.ConnectorSliUntakenSpans.Add(ctx, int64(spans))
	now, last := clock.Now().UnixNano(), p.logged.Load()
	if now-last < int64(logEvery) || !p.logged.CompareAndSwap(last, now) {
		return
	}
	p.set.Logger.Error("spans were passed on a second time, decoded: a component behind this connector, such as batch, "+
		"acknowledged spans that came as bytes without taking them; remove wire_path, which only the confmap converter of "+
		"processor/otlp/wirepath knows where to set", zap.Int("spans", spans))
}
