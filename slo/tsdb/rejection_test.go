package tsdb

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// measured starts an extension whose own metrics the test can read.
func measured(t *testing.T, config *Config) (*Extension, *componenttest.Telemetry) {
	t.Helper()
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	return startWith(t, config, extension.Settings{
		ID: component.NewID(componentType), TelemetrySettings: telemetry.NewTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo(),
	}), telemetry
}

// counts returns a counter by the value of its attribute, or under "" without one.
func counts(t *testing.T, telemetry *componenttest.Telemetry, name, attribute string) map[string]int64 {
	t.Helper()
	m, err := telemetry.GetMetric(name)
	if err != nil {
		return nil
	}
	counted := map[string]int64{}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("reason")
		if attribute == "outcome" {
			v, _ = p.Attributes.Value("outcome")
		}
		counted[v.AsString()] = p.Value
	}
	return counted
}

// TestRejections sends points that the database refuses among valid ones. Valid ones are stored, refused ones are counted by
// reason, and nothing is retried.
func TestRejections(t *testing.T) {
	at := now()
	type point struct {
		offset time.Duration
		value  int64
	}
	for name, test := range map[string]struct {
		change   func(*Config)
		requests [][]point // of one series
		want     map[string]int64
		stored   []point
	}{
		"in order": {
			requests: [][]point{{{-20 * time.Second, 1}}, {{-10 * time.Second, 2}, {0, 3}}},
			stored:   []point{{-20 * time.Second, 1}, {-10 * time.Second, 2}, {0, 3}},
		},
		"unordered in a request": {
			change:   func(c *Config) { c.OutOfOrderTimeWindow = 0 },
			requests: [][]point{{{0, 3}, {-20 * time.Second, 1}, {-10 * time.Second, 2}}},
			stored:   []point{{-20 * time.Second, 1}, {-10 * time.Second, 2}, {0, 3}},
		},
		"late by a retry": {
			requests: [][]point{{{0, 3}}, {{-4 * time.Minute, 1}}},
			stored:   []point{{-4 * time.Minute, 1}, {0, 3}},
		},
		"later than the window": {
			requests: [][]point{{{0, 3}}, {{-6 * time.Minute, 1}}},
			want:     map[string]int64{"too_old": 1},
			stored:   []point{{0, 3}},
		},
		"late without a window": {
			change:   func(c *Config) { c.OutOfOrderTimeWindow = 0 },
			requests: [][]point{{{0, 3}}, {{-time.Minute, 1}}, {{-3 * time.Hour, 1}}},
			want:     map[string]int64{"out_of_order": 1, "out_of_bounds": 1},
			stored:   []point{{0, 3}},
		},
		"the same again": {
			requests: [][]point{{{0, 3}, {0, 3}}, {{0, 3}}},
			stored:   []point{{0, 3}},
		},
		"another value for the same time": {
			requests: [][]point{{{0, 3}}, {{0, 4}}},
			want:     map[string]int64{"duplicate": 1},
			stored:   []point{{0, 3}},
		},
		"two streams in one series": {
			requests: [][]point{{{0, 3}, {0, 4}, {-time.Second, 1}, {-time.Second, 2}}},
			want:     map[string]int64{"duplicate": 2},
			stored:   []point{{-time.Second, 1}, {0, 3}},
		},
		"a clock ahead by an hour": {
			requests: [][]point{{{time.Hour, 1}, {0, 3}}, {{time.Second, 4}}},
			want:     map[string]int64{"future": 1},
			stored:   []point{{0, 3}, {time.Second, 4}},
		},
		"a clock that was never set": {
			requests: [][]point{{{-at.Sub(time.Unix(0, 0)), 1}, {0, 3}}},
			want:     map[string]int64{"too_old": 1},
			stored:   []point{{0, 3}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(t)
			if test.change != nil {
				test.change(config)
			}
			e, telemetry := measured(t, config)
			x := startExporter(t, e)
			for _, request := range test.requests {
				md, sm := resource(gateway)
				points := newSum(sm, "c", cumulative)
				for _, p := range request {
					addPoint(points, at.Add(p.offset), p.value)
				}
				require.NoError(t, x.ConsumeMetrics(t.Context(), md))
			}
			var want []model.SamplePair
			for _, p := range test.stored {
				want = append(want, pair(at.Add(p.offset), float64(p.value)))
			}
			assert.Equal(t, want, samples(t, e, `c_total[1h]`, at.Add(time.Second)))
			assert.Equal(t, test.want, counts(t, telemetry, "otelcol_extension_tsdb_rejected_samples", "reason"))
		})
	}
}

// TestInvalid sends metrics that have no translation and histograms that contradict themselves.
func TestInvalid(t *testing.T) {
	e, telemetry := measured(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	md, sm := resource(gateway)
	sm.Metrics().AppendEmpty().SetName("typeless")
	newSum(sm, "empty", cumulative)
	addPoint(newSum(sm, "temporality", pmetric.AggregationTemporalityUnspecified), at, 1)
	newExponential(sm, "h", at, 1, 2)
	sm.Metrics().At(3).ExponentialHistogram().DataPoints().At(0).SetCount(99)
	addPoint(newSum(sm, "good", cumulative), at, 1)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))

	assert.InDelta(t, 1, number(t, e, `good_total`, at), 0)
	assert.Equal(t, map[string]int64{"untranslatable": 3, "invalid": 1}, counts(t, telemetry, "otelcol_extension_tsdb_rejected_samples", "reason"))
	assert.Equal(t, map[string]int64{"": 1}, counts(t, telemetry, "otelcol_extension_tsdb_appended_samples", ""))
}

// Metrics with a doubtful translation are written and logged; the others are not logged.
func TestDoubtfulTranslations(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	settings := extensiontest.NewNopSettings(componentType)
	settings.Logger = zap.New(core)
	e := startWith(t, testConfig(t), settings)
	x := startExporter(t, e)
	md, sm := resource(gateway)
	addPoint(newSum(sm, "good", cumulative), now(), 1)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	assert.Empty(t, logs.All())

	newExponential(sm, "h", now())
	sm.Metrics().At(1).ExponentialHistogram().DataPoints().At(0).SetSum(5)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	assert.Equal(t, 1, logs.FilterMessage("some metrics were changed to be stored as Prometheus series").Len())
}

// TestStaleness: a series that its sender declares stale is gone at once.
func TestStaleness(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	for i, gone := range []bool{false, true, true} {
		md, sm := resource(gateway)
		points := newSum(sm, "c", cumulative)
		addPoint(points, at.Add(time.Duration(i/2-1)*time.Second), 1)
		if gone {
			points.At(0).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			points.At(0).SetTimestamp(pcommon.NewTimestampFromTime(at))
		}
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	}
	assert.InDelta(t, 1, number(t, e, `c_total`, at.Add(-time.Second)), 0)
	v, err := e.Query(t.Context(), `c_total`, at)
	require.NoError(t, err)
	assert.Empty(t, v)
}
