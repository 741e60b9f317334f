package otlp

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/internal/cost"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// tracesDoor handles trace requests of one protocol. It may be used concurrently.
type tracesDoor struct {
	next     consumer.Traces
	obs      *receiverhelper.ObsReport
	wirePath bool
	untaken  *untaken
	refusals *refusals
	// maxResource limits the attributes and names of a resource in bytes of protobuf, and those of a scope.
	maxResource int
}

// tracesDoor returns the door of one protocol.
func (r *otlpReceiver) tracesDoor(obs *receiverhelper.ObsReport) *tracesDoor {
	return &tracesDoor{
		next: r.traces, obs: obs, wirePath: r.cfg.wirePath(), untaken: r.untaken, refusals: r.refusals, maxResource: int(r.cfg.MaxResourceSize),
	}
}

// Export handles an ExportTraceServiceRequest in an encoding. The caller may reuse the body when it returns.
func (d *tracesDoor) Export(ctx context.Context, enc *encoding, q *intake.Request) (response, error) {
	body := q.Body()
	if enc == jsonEncoding {
		td, err := d.unmarshalJSON(q)
		if err != nil {
			return nil, err
		}
		if !d.wirePath {
			return d.decoded(ctx, enc, td)
		}
		q.Drop() // td holds its contents
		if body, err = ptraceotlp.NewExportRequestFromTraces(td).MarshalProto(); err != nil {
			return nil, fmt.Errorf("marshal traces: %w", err)
		}
		if err := q.Borrow(body); err != nil {
			return nil, err
		}
	}
	if err := q.Hold(wire.Count(body).Bytes()); err != nil {
		return nil, err
	}
	r := wire.Get()
	defer wire.Put(r)
	rejected, err := r.Accept(body, d.maxResource)
	if err != nil {
		return nil, malformed(err.Error())
	}
	if d.wirePath {
		return d.consume(ctx, enc, len(r.Spans), rejected, func(ctx context.Context) error {
			return d.carry(ctx, r, q)
		})
	}
	td, err := decode(q)
	if err != nil {
		return nil, err
	}
	return d.decoded(ctx, enc, td)
}

// unmarshalJSON returns the traces of a request in JSON and reserves their memory in q.
func (*tracesDoor) unmarshalJSON(q *intake.Request) (ptrace.Traces, error) {
	if tooDeepJSON(q.Body()) {
		return ptrace.Traces{}, malformed("malformed OTLP trace request: " + errTooDeep.Error())
	}
	if err := afford(q, usual, cost.JSON); err != nil {
		return ptrace.Traces{}, err
	}
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalJSON(q.Body()); err != nil {
		return ptrace.Traces{}, malformed("malformed OTLP trace request: " + err.Error())
	}
	return req.Traces(), nil
}

// decode returns the traces of a scanned request and reserves their memory in q.
func decode(q *intake.Request) (ptrace.Traces, error) {
	if err := afford(q, usual, cost.Traces); err != nil {
		return ptrace.Traces{}, err
	}
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(q.Body()); err != nil {
		return ptrace.Traces{}, malformed("malformed OTLP trace request: " + err.Error())
	}
	return req.Traces(), nil
}

// carry passes a request on as bytes. If no pipeline takes them, it passes it on again, decoded.
func (d *tracesDoor) carry(ctx context.Context, r *wire.Request, q *intake.Request) error {
	carried := wire.NewLimitedContext(ctx, r, q.Hold)
	if err := d.next.ConsumeTraces(carried, ptrace.NewTraces()); err != nil || wire.Taken(carried) {
		return err
	}
	d.untaken.report(ctx, len(r.Spans))
	td, err := decode(q)
	if err != nil {
		return err
	}
	dropRejected(td, d.maxResource)
	return d.next.ConsumeTraces(ctx, td)
}

// decoded handles a decoded request.
func (d *tracesDoor) decoded(ctx context.Context, enc *encoding, td ptrace.Traces) (response, error) {
	rejected := dropRejected(td, d.maxResource)
	return d.consume(ctx, enc, td.SpanCount(), rejected, func(ctx context.Context) error {
		return d.next.ConsumeTraces(ctx, td)
	})
}

// consume passes the spans on, counts them, and answers.
func (d *tracesDoor) consume(ctx context.Context, enc *encoding, spans int, rejected wire.Rejected, next func(context.Context) error) (response, error) {
	if spans > 0 {
		ctx := d.obs.StartTracesOp(ctx)
		err := next(ctx)
		d.obs.EndTracesOp(ctx, enc.name, spans, err)
		if err != nil {
			return nil, err
		}
	}
	n := rejected.Spans()
	if n == 0 {
		return acceptedAll, nil
	}
	resp := ptraceotlp.NewExportResponse()
	resp.PartialSuccess().SetRejectedSpans(int64(n))
	resp.PartialSuccess().SetErrorMessage(d.reject(ctx, enc, rejected))
	return resp, nil
}

// acceptedAll is the response to a request of which nothing was rejected. It is only read.
var acceptedAll response = ptraceotlp.NewExportResponse()
