package otlp

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/partial"
)

// metricsDoor takes metric requests of one protocol. It may be used concurrently.
type metricsDoor struct {
	next consumer.Metrics
	obs  *receiverhelper.ObsReport
}

// Export takes an ExportMetricsServiceRequest in the encoding. The body is the caller's again when it returns.
func (d *metricsDoor) Export(ctx context.Context, enc *encoding, body []byte) (response, error) {
	if enc.tooDeep(body) {
		return nil, status.Error(codes.InvalidArgument, "malformed OTLP metric request: "+errTooDeep.Error())
	}
	req := pmetricotlp.NewExportRequest()
	unmarshal := req.UnmarshalProto
	if enc == jsonEncoding {
		unmarshal = req.UnmarshalJSON
	}
	if err := unmarshal(body); err != nil {
		return nil, status.Error(codes.InvalidArgument, "malformed OTLP metric request: "+err.Error())
	}
	resp := pmetricotlp.NewExportResponse()
	if points := req.Metrics().DataPointCount(); points > 0 {
		ctx, rejected := partial.NewContext(d.obs.StartMetricsOp(ctx))
		err := d.next.ConsumeMetrics(ctx, req.Metrics())
		d.obs.EndMetricsOp(ctx, enc.name, points, err)
		if err != nil {
			return nil, err
		}
		if items, why := rejected.Items(); items > 0 {
			// A data point is several samples for some who reject them.
			resp.PartialSuccess().SetRejectedDataPoints(min(items, int64(points)))
			resp.PartialSuccess().SetErrorMessage(why)
		}
	}
	return resp, nil
}
