package otlp

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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
	if points := req.Metrics().DataPointCount(); points > 0 {
		ctx := d.obs.StartMetricsOp(ctx)
		err := d.next.ConsumeMetrics(ctx, req.Metrics())
		d.obs.EndMetricsOp(ctx, enc.name, points, err)
		if err != nil {
			return nil, err
		}
	}
	return pmetricotlp.NewExportResponse(), nil
}
