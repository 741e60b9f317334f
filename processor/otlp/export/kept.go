package export

import (
	"context"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/divide"
)

// sendKept sends kept traces, in several requests if necessary. It marks the spans of accepted requests as Sent: called
// again with the same Kept, it sends the others.
func (e *tracesExporter) sendKept(ctx context.Context, k *wire.Kept) *answer.Error {
	before := e.limit.get()
	requests := divide.Requests{Kept: k, Limit: before, Key: attr.SpanTrimmed}
	defer func() { e.trimmed(ctx, requests.Trimmed) }()
	for from, to, ok := requests.Next(); ok; from, to, ok = requests.Next() {
		size, refused := e.sendSpans(ctx, k, from, to)
		switch {
		case refused == nil:
			continue
		case refused.Class != answer.TooLarge:
			e.failed(ctx, k)
			return refused
		}
		// Only a span of which nothing more can be cut makes a request larger than the limit.
		if limit, halved := e.limit.halve(size); halved && size <= requests.Limit {
			e.telemetry.log.Warn("destination refuses requests of this size, sending smaller ones", zap.Error(refused),
				zap.Int("bytes", size), zap.Int("limit", limit))
			requests.Limit = min(limit, max(size/2, int(minRequest)))
			requests.Again()
			continue
		}
		e.failed(ctx, k)
		if refused.AboutSize() {
			return refused
		}
		// No destination has so low a limit: it is a quota, without a retry delay.
		e.limit.restore(before)
		quota := *refused
		quota.Class = answer.Retry
		return &quota
	}
	return nil
}

// sendSpans sends the spans from up to, but not including, to in one request. It returns the size of the
// request.
func (e *tracesExporter) sendSpans(ctx context.Context, k *wire.Kept, from, to int) (size int, refused *answer.Error) {
	b := newBody(func(dst []byte) []byte { return k.AppendRequest(dst, from, to) })
	defer b.Free()
	size = b.Len()
	if e.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.timeout)
		defer cancel()
	}
	partial, refused := e.client.send(ctx, b)
	if refused != nil {
		return size, refused
	}
	sent := 0
	for i := from; i < to; i++ {
		if s := &k.Spans[i]; !s.Omitted {
			s.Sent = true
			sent++
		}
	}
	e.telemetry.items.Sent(ctx, sent)
	if rejected := e.partial(ctx, partial); rejected > 0 {
		k.Rejected += rejected
		k.RejectedReason = answer.Words(partial.ErrorMessage())
	}
	return size, nil
}

// failed counts the spans that were not sent.
func (e *tracesExporter) failed(ctx context.Context, k *wire.Kept) {
	e.telemetry.items.Failed(ctx, items.Waiting(k))
}

// trimmed counts and logs trimmed spans.
func (e *tracesExporter) trimmed(ctx context.Context, spans int) {
	if spans == 0 {
		return
	}
	e.telemetry.ExporterOtlpTrimmedSpans.Add(ctx, int64(spans), e.telemetry.exporter)
	e.telemetry.seldom.Warn("spans trimmed to the largest request", zap.Int("spans", spans),
		zap.Stringer("limit", units.Size(e.limit.get())))
}
