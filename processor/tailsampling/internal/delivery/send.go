package delivery

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// send passes a piece to the next component.
func (s *Sender) send(ctx context.Context, p *piece) error {
	o := s.d.out
	defer o.Stages.Since(tally.Deliver, clock.Now())
	p.sent = true
	k := &p.kept
	if p.from > 0 || p.to < len(p.traces) || k.Taken() {
		k = p.kept.Part(p.from, p.to)
		defer p.kept.Rejoin(k, p.from)
	}
	k.To = s.d.ID
	s.calling.Store(int64(max(o.Buffer.Now(), 1)))
	defer s.calling.Store(0)
	if !s.d.Bytes {
		if !s.d.alone { // other components must know that the spans are not for them
			ctx = wire.NewKeptContext(ctx, &wire.Kept{To: s.d.ID})
		}
		return s.d.passDecoded(ctx, k)
	}
	err := o.Next.ConsumeTraces(wire.NewKeptContext(ctx, k), ptrace.NewTraces())
	s.d.countRejected(k)
	if err == nil && !k.Taken() {
		o.Logger.Error("no component took kept traces as bytes, they are passed on decoded; a component "+
			"between tail_sampling and the exporter does not pass its context on", s.d.field())
		return s.d.passDecoded(ctx, k)
	}
	return err
}

// passDecoded passes decoded spans on.
func (d *Destination) passDecoded(ctx context.Context, k *wire.Kept) error {
	td, err := k.Decode()
	if err != nil { // a defect: the log only has scanned spans
		return &answer.Error{Class: answer.Data, Text: "decode kept spans: " + err.Error(), Cause: err}
	}
	return d.out.Next.ConsumeTraces(ctx, td)
}

// countRejected counts the spans that a destination rejected from an accepted request.
func (d *Destination) countRejected(k *wire.Kept) {
	if k.Rejected == 0 && k.RejectedReason == "" {
		return
	}
	d.Rejected.Add(k.Rejected)
	why := k.RejectedReason // k is reused
	d.rejected.Store(&why)
	if k.Rejected > 0 {
		d.warn("destination accepted kept traces but rejected some of their spans", errors.New(why))
	}
}
