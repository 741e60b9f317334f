package admit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// FuzzGate checks that each data point of any request is passed on or rejected, that passed points are within the limits, and
// that a gate passes a part it has passed before unchanged.
func FuzzGate(f *testing.F) {
	add := func(fill func(sm pmetric.ScopeMetrics)) {
		md, sm := request(map[string]any{"service.name": "s", "host.name": "h"})
		fill(sm)
		b, err := new(pmetric.ProtoMarshaler).MarshalMetrics(md)
		require.NoError(f, err)
		f.Add(b)
	}
	add(func(sm pmetric.ScopeMetrics) { gauge(sm, "a", present).Attributes().PutStr("k", "v") })
	add(func(sm pmetric.ScopeMetrics) {
		gauge(sm, "a", present).Exemplars().AppendEmpty().SetIntValue(1)
		p := sm.Metrics().AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(present.Add(-time.Hour)))
		p.QuantileValues().AppendEmpty()
		h := sm.Metrics().AppendEmpty().SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		e := h.DataPoints().AppendEmpty()
		e.SetTimestamp(pcommon.NewTimestampFromTime(present))
		e.Positive().BucketCounts().FromRaw([]uint64{1, 2, 3})
		e.Attributes().PutEmptyMap("m").PutEmptySlice("s").AppendEmpty().SetDouble(1)
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		md, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(b)
		if err != nil {
			return
		}
		gate := New(limits, []string{"team"}, spread)
		points, rejected := 0, 0
		require.NoError(t, gate.Pass(md, window, func(r Rejection) { rejected += r.Points }, func(part Part) error {
			points += part.DataPointCount()
			again := 0
			return gate.Pass(part.Metrics, window, func(r Rejection) { t.Errorf("%+v", r) }, func(second Part) error {
				again++
				require.Equal(t, 1, again, "a part is one part")
				return nil
			})
		}))
		require.Equal(t, md.DataPointCount(), points+rejected)
	})
}
