package admit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var (
	present = time.Unix(1_800_000_000, 0)
	window  = Window{Oldest: present.Add(-24 * time.Hour), Newest: present.Add(10 * time.Minute)}
	limits  = Limits{Labels: 12, Name: 64, Value: 256, Size: 1024, Buckets: 20, Samples: 1_000_000}
)

const spread = 5 * time.Minute

// request returns metrics of one resource and scope.
func request(attributes map[string]any) (pmetric.Metrics, pmetric.ScopeMetrics) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	if err := rm.Resource().Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	return md, rm.ScopeMetrics().AppendEmpty()
}

func gauge(sm pmetric.ScopeMetrics, name string, at time.Time) pmetric.NumberDataPoint {
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	return p
}

// passed is the result of a request at a gate.
type passed struct {
	parts    []Part
	rejected map[string]int // points by reason
	points   int            // of the parts
}

func pass1(t *testing.T, md pmetric.Metrics, limits Limits) passed {
	t.Helper()
	before := pmetric.NewMetrics()
	md.CopyTo(before)
	p := passed{rejected: map[string]int{}}
	require.NoError(t, New(limits, []string{"team"}, spread).Pass(md, window, func(r Rejection) {
		require.Error(t, r.Err)
		p.rejected[r.Reason] += max(r.Points, 1)
	}, func(part Part) error {
		p.parts = append(p.parts, part)
		p.points += part.DataPointCount()
		return nil
	}))
	require.Equal(t, before, md, "what is given is not changed")
	return p
}

// TestLimits exceeds one limit at a time, beside a valid point.
func TestLimits(t *testing.T) {
	long := strings.Repeat("x", 2000)
	resource := map[string]any{"service.name": "s", "host.name": "h"}
	for name, test := range map[string]struct {
		resource map[string]any
		violate  func(pmetric.ScopeMetrics)
		want     map[string]int
		points   int
	}{
		"nothing": {violate: func(pmetric.ScopeMetrics) {}, points: 1},
		"a long value": {violate: func(sm pmetric.ScopeMetrics) { gauge(sm, "bad", present).Attributes().PutStr("a", long) },
			want: map[string]int{LabelValue: 1}, points: 1},
		"a long nested value": {violate: func(sm pmetric.ScopeMetrics) {
			v := gauge(sm, "bad", present).Attributes().PutEmptySlice("a")
			for range 300 {
				v = v.AppendEmpty().SetEmptySlice()
			}
		}, want: map[string]int{LabelValue: 1}, points: 1},
		"a value that JSON makes long": {violate: func(sm pmetric.ScopeMetrics) {
			gauge(sm, "bad", present).Attributes().PutEmptyMap("a").PutStr("k", strings.Repeat("\x01", 200))
		}, want: map[string]int{LabelValue: 1}, points: 1},
		"long bytes": {violate: func(sm pmetric.ScopeMetrics) {
			gauge(sm, "bad", present).Attributes().PutEmptyBytes("a").FromRaw(make([]byte, 200))
		}, want: map[string]int{LabelValue: 1}, points: 1},
		"a long name": {violate: func(sm pmetric.ScopeMetrics) { gauge(sm, "bad", present).Attributes().PutInt(long[:100], 1) },
			want: map[string]int{LabelName: 1}, points: 1},
		"a long name of a metric": {violate: func(sm pmetric.ScopeMetrics) { gauge(sm, long, present) },
			want: map[string]int{LabelValue: 1}, points: 1},
		"many labels": {violate: func(sm pmetric.ScopeMetrics) {
			p := gauge(sm, "bad", present)
			for i := range 12 {
				p.Attributes().PutInt(fmt.Sprint(i), 1)
			}
		}, want: map[string]int{Labels: 1}, points: 1},
		"large labels": {violate: func(sm pmetric.ScopeMetrics) {
			p := gauge(sm, "bad", present)
			for i := range 5 {
				p.Attributes().PutStr(fmt.Sprint(i), long[:250])
			}
		}, want: map[string]int{LabelsSize: 1}, points: 1},
		"a resource's label": {resource: map[string]any{"service.name": long}, violate: func(pmetric.ScopeMetrics) {},
			want: map[string]int{LabelValue: 1}},
		"a promoted label": {resource: map[string]any{"team": long}, violate: func(pmetric.ScopeMetrics) {},
			want: map[string]int{LabelValue: 1}},
		"many buckets": {violate: func(sm pmetric.ScopeMetrics) {
			m := sm.Metrics().AppendEmpty()
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			p := h.DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(present))
			p.ExplicitBounds().FromRaw(make([]float64, 21))
		}, want: map[string]int{Buckets: 1}, points: 1},
		"many exponential buckets": {violate: func(sm pmetric.ScopeMetrics) {
			m := sm.Metrics().AppendEmpty()
			h := m.SetEmptyExponentialHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			p := h.DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(present))
			p.Positive().BucketCounts().FromRaw(make([]uint64, 11))
			p.Negative().BucketCounts().FromRaw(make([]uint64, 10))
		}, want: map[string]int{Buckets: 1}, points: 1},
		"many quantiles": {violate: func(sm pmetric.ScopeMetrics) {
			m := sm.Metrics().AppendEmpty()
			p := m.SetEmptySummary().DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(present))
			for range 21 {
				p.QuantileValues().AppendEmpty()
			}
		}, want: map[string]int{Buckets: 1}, points: 1},
		"another time": {violate: func(sm pmetric.ScopeMetrics) {
			gauge(sm, "bad", present.Add(time.Hour))
			gauge(sm, "bad", present.Add(-25*time.Hour))
			gauge(sm, "bad", time.Unix(0, 0))
			gauge(sm, "bad", present).SetTimestamp(1<<64 - 1)
		}, want: map[string]int{Future: 2, TooOld: 2}, points: 1},
		"no translation": {violate: func(sm pmetric.ScopeMetrics) {
			sm.Metrics().AppendEmpty().SetName("typeless")
			sm.Metrics().AppendEmpty().SetEmptyGauge()
			sm.Metrics().AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
			sm.Metrics().AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
			sm.Metrics().AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		}, want: map[string]int{Untranslatable: 5}, points: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if test.resource == nil {
				test.resource = resource
			}
			md, sm := request(test.resource)
			test.violate(sm)
			gauge(sm, "good", present)
			got := pass1(t, md, limits)
			if test.want == nil {
				test.want = map[string]int{}
			}
			assert.Equal(t, test.want, got.rejected)
			assert.Equal(t, test.points, got.points)
			if len(test.want) == 0 {
				assert.False(t, got.parts[0].Own, "what is fine is not copied")
			}
		})
	}
}

// Only attributes that do not fit into target_info are dropped.
func TestResource(t *testing.T) {
	attributes := map[string]any{"service.name": "s", "team": "t", "process.command_line": strings.Repeat("x", 2000), "host.name": "h"}
	md, sm := request(attributes)
	gauge(sm, "good", present)
	got := pass1(t, md, limits)
	require.Len(t, got.parts, 1)
	assert.Equal(t, map[string]any{"service.name": "s", "team": "t", "host.name": "h"}, got.parts[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw())
	assert.Equal(t, 1, got.points)

	for i := range 20 {
		attributes[fmt.Sprint("k", i)] = i
	}
	md, sm = request(attributes)
	gauge(sm, "good", present)
	got = pass1(t, md, limits)
	assert.LessOrEqual(t, got.parts[0].ResourceMetrics().At(0).Resource().Attributes().Len(), limits.Labels)
	assert.Equal(t, 1, got.points)
}

// TestParts: a large request is split into bounded parts that together equal it.
func TestParts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	md := pmetric.NewMetrics()
	want := 0
	for r := range 20 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutInt("service.name", int64(r))
		for range 1 + random.IntN(3) {
			sm := rm.ScopeMetrics().AppendEmpty()
			for range 1 + random.IntN(20) {
				m := sm.Metrics().AppendEmpty()
				m.SetName("m")
				m.SetDescription(strings.Repeat("é", 2000))
				h := m.SetEmptyHistogram()
				h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				for range random.IntN(30) + 1 {
					want++
					p := h.DataPoints().AppendEmpty()
					p.SetCount(uint64(want))
					p.SetTimestamp(pcommon.NewTimestampFromTime(present))
					p.ExplicitBounds().FromRaw(make([]float64, random.IntN(20)))
					p.Attributes().PutStr("a", strings.Repeat("v", random.IntN(250)))
				}
			}
		}
	}
	got := pass1(t, md, limits)
	require.Greater(t, len(got.parts), 3)
	assert.Empty(t, got.rejected)
	seen := uint64(0)
	for _, part := range got.parts {
		assert.True(t, part.Own)
		assert.False(t, part.Wide)
		samples := 0
		for _, rm := range part.ResourceMetrics().All() {
			samples++
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					assert.LessOrEqual(t, len(m.Description()), maxHelp)
					for _, p := range m.Histogram().DataPoints().All() {
						samples += 3 + p.ExplicitBounds().Len()
						seen++
						assert.Equal(t, seen, p.Count(), "points stay in their order")
					}
				}
			}
		}
		assert.LessOrEqual(t, samples, partSamples+1)
	}
	assert.EqualValues(t, want, seen)

	few := limits
	few.Samples = 1000
	got = pass1(t, md, few)
	assert.Equal(t, want, got.points+got.rejected[Requests])
	assert.Positive(t, got.rejected[Requests])
}

// The times within one resource decide whether a part is wide; those of several do not.
func TestWide(t *testing.T) {
	md, sm := request(map[string]any{"service.name": "s"})
	gauge(sm, "a", present)
	other, osm := request(map[string]any{"service.name": "o"})
	gauge(osm, "a", present.Add(-time.Hour))
	other.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	assert.False(t, pass1(t, md, limits).parts[0].Wide)
	gauge(sm, "b", present.Add(-time.Hour))
	assert.True(t, pass1(t, md, limits).parts[0].Wide)
	gauge(sm, "c", present.Add(time.Hour)) // copied then
	got := pass1(t, md, limits)
	assert.True(t, got.parts[0].Own)
	assert.True(t, got.parts[0].Wide)
}

func TestExemplars(t *testing.T) {
	md, sm := request(nil)
	p := gauge(sm, "a", present)
	p.Exemplars().AppendEmpty().SetIntValue(1)
	p.Exemplars().AppendEmpty() // has no value
	e := p.Exemplars().AppendEmpty()
	e.SetIntValue(2)
	e.FilteredAttributes().PutStr("k", strings.Repeat("x", 1000))
	for range 50 {
		p.Exemplars().AppendEmpty().SetIntValue(3)
	}
	got := pass1(t, md, limits).parts[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Exemplars()
	assert.Equal(t, limits.Buckets+1-2, got.Len())
	assert.EqualValues(t, 1, got.At(0).IntValue())
	assert.EqualValues(t, 3, got.At(1).IntValue())
}

func TestErrorEnds(t *testing.T) {
	md, sm := request(nil)
	for range 3 * partSamples {
		gauge(sm, "a", present)
	}
	broken := errors.New("broken")
	calls := 0
	err := New(limits, nil, spread).Pass(md, window, func(Rejection) {}, func(Part) error { calls++; return broken })
	require.ErrorIs(t, err, broken)
	assert.Equal(t, 1, calls)
}

func TestCut(t *testing.T) {
	assert.Equal(t, "abc", Cut("abc", 3))
	assert.Equal(t, "a…", Cut("aéb€", 5))
	assert.Len(t, Cut(strings.Repeat("€", 100), 20), 18)
}
