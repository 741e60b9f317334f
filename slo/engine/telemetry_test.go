package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/slowburn/slowburn/slo/engine/internal/metadatatest"
	"github.com/slowburn/slowburn/slo/notify"
)

func TestTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := componenttest.NewTelemetry()
		c := parse(t, twoObjectives)
		e, err := newExtension(metadatatest.NewSettings(tel), c)
		require.NoError(t, err)
		db := newFakeTSDB()
		require.NoError(t, e.Start(t.Context(), hostWith(db)))
		time.Sleep(2*time.Minute + 20*time.Second)
		synctest.Wait()
		db.fail(errors.New("down"))
		time.Sleep(time.Minute)
		synctest.Wait()
		e.attempted(t.Context(), "oncall", notify.OutcomeRetried)

		ignore := metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualExtensionSloEvaluations(t, tel, []metricdata.DataPoint[int64]{{Value: 5}}, ignore)
		metadatatest.AssertEqualExtensionSloFailedQueries(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, ignore)
		metadatatest.AssertEqualExtensionSloEvaluationLagSeconds(t, tel, []metricdata.DataPoint[float64]{{Value: 80}}, ignore)
		metadatatest.AssertEqualExtensionSloPendingDeliveries(t, tel, []metricdata.DataPoint[int64]{{Value: 0}}, ignore)
		metadatatest.AssertEqualExtensionSloDeliveries(t, tel, []metricdata.DataPoint[int64]{{Value: 1, Attributes: attribute.NewSet(
			attribute.String("receiver", "oncall"), attribute.String("outcome", "retried"))}}, ignore)
		closeIt(t, e)
		require.NoError(t, tel.Shutdown(context.Background()))
	})
}
