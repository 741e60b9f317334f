package otlp

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/slowburn/slowburn/internal/partial"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// TestPartialMetrics: the number of data points that components reject is returned to the sender, and is at most the number sent.
func TestPartialMetrics(t *testing.T) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverCreateSettings: receiver.Settings{TelemetrySettings: componenttest.NewNopTelemetrySettings()}, Transport: "http",
	})
	require.NoError(t, err)
	for _, test := range []struct{ samples, want int64 }{{0, 0}, {1, 1}, {9, 2}} {
		next, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error {
			partial.Add(ctx, test.samples, "max_series is reached")
			return nil
		})
		require.NoError(t, err)
		md := pmetric.NewMetrics()
		points := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
		points.AppendEmpty()
		points.AppendEmpty()
		body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
		require.NoError(t, err)
		q := intake.NewBudget(1 << 20).Begin()
		require.NoError(t, q.Borrow(body))
		resp, err := (&metricsDoor{next: next, obs: obs}).Export(t.Context(), protobufEncoding, q)
		q.End()
		require.NoError(t, err)
		told := resp.(pmetricotlp.ExportResponse).PartialSuccess()
		assert.Equal(t, test.want, told.RejectedDataPoints())
		assert.Equal(t, test.want > 0, told.ErrorMessage() == "max_series is reached")
	}
}
