package otlp

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/slowburn/slowburn/internal/partial"
	"github.com/slowburn/slowburn/processor/otlp/internal/cost"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// metricsDoor handles metric requests of one protocol. It may be used concurrently.
type metricsDoor struct {
	next consumer.Metrics
	obs  *receiverhelper.ObsReport
}

// Export handles an ExportMetricsServiceRequest in an encoding. The caller may reuse the body when it returns.
func (d *metricsDoor) Export(ctx context.Context, enc *encoding, q *intake.Request) (response, error) {
	if enc.tooDeep(q.Body()) {
		return nil, malformed("malformed OTLP metric request: " + errTooDeep.Error())
	}
	req := pmetricotlp.NewExportRequest()
	unmarshal, price, most := req.UnmarshalProto, cost.Metrics, ofMetrics
	if enc == jsonEncoding {
		unmarshal, price, most = req.UnmarshalJSON, cost.JSON, usual
	}
	if err := afford(q, most, price); err != nil {
		return nil, err
	}
	if err := unmarshal(q.Body()); err != nil {
		return nil, malformed("malformed OTLP metric request: " + err.Error())
	}
	q.Drop() // req holds its contents
	resp := pmetricotlp.NewExportResponse()
	if points := req.Metrics().DataPointCount(); points > 0 {
		ctx, rejected := partial.NewContext(d.obs.StartMetricsOp(ctx))
		err := d.next.ConsumeMetrics(ctx, req.Metrics())
		d.obs.EndMetricsOp(ctx, enc.name, points, err)
		if err != nil {
			return nil, err
		}
		if items, why := rejected.Items(); items > 0 {
			// A pipeline may count one data point as several rejected samples.
			resp.PartialSuccess().SetRejectedDataPoints(min(items, int64(points)))
			resp.PartialSuccess().SetErrorMessage(why)
		}
	}
	return resp, nil
}
