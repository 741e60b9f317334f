package status

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// collected returns every data point, one per line, without those that depend on GOGC or on the compression.
func collected(t *testing.T, tel *componenttest.Telemetry) string {
	var all metricdata.ResourceMetrics
	require.NoError(t, tel.Reader.Collect(context.Background(), &all))
	var lines []string
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := strings.TrimPrefix(m.Name, "otelcol_processor_tail_sampling_")
			if name == "buffered_bytes" || name == "compression_saved_bytes" {
				continue
			}
			lines = append(lines, points(t, name, m.Data)...)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func points(t *testing.T, name string, data metricdata.Aggregation) (lines []string) {
	add := func(attributes fmt.Stringer, value string) {
		lines = append(lines, fmt.Sprintf("%s %s", name+attributes.String(), value))
	}
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprint(p.Value))
		}
	case metricdata.Sum[float64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprint(p.Value))
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprint(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprint(p.Value))
		}
	case metricdata.Histogram[int64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprintf("count=%d sum=%d", p.Count, p.Sum))
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			add(setOf(p.Attributes.MarshalLog()), fmt.Sprintf("count=%d sum=%v", p.Count, p.Sum))
		}
	default:
		t.Fatalf("%s is a %T", name, d)
	}
	return lines
}

// value returns the value of a metric without attributes.
func value(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	m, err := tel.GetMetric("otelcol_processor_tail_sampling_" + name)
	require.NoError(t, err)
	if d, ok := m.Data.(metricdata.Sum[int64]); ok {
		return d.DataPoints[0].Value
	}
	return m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
}

// set is attributes by name.
type set string

func (s set) String() string { return string(s) }

func setOf(attributes any) set {
	byName, _ := attributes.(map[string]string)
	var list []string
	for name, value := range byName {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return set("{" + strings.Join(list, ",") + "}")
}

// Every metric has the value that it should, in memory and on disk.
func TestMetrics(t *testing.T) {
	for _, onDisk := range []bool{false, true} {
		t.Run(fmt.Sprint(onDisk), func(t *testing.T) {
			tel := componenttest.NewTelemetry()
			defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Second)
				s := newScene(t, true)
				m, err := NewMetrics(s.View, tel.NewTelemetrySettings())
				require.NoError(t, err)
				s.play()
				if onDisk {
					s.Store = recovery.NewStore("", s.Buffer, s.Versions.Names, nil)
					s.Store.Spans.Add(31)
					s.Store.Repeated.Add(32)
					s.Store.TornTails.Add(33)
					s.Store.Lost.Add(34)
				}
				s.fillCounts(m)
				require.Equal(t, s.Buffer.Pool.Used(), value(t, tel, "buffered_bytes"))
				_, saved, _ := s.Budget.Shrunk()
				require.Positive(t, saved)
				require.Equal(t, saved, value(t, tel, "compression_saved_bytes"))
				golden(t, map[bool]string{false: "metrics.txt", true: "metrics_on_disk.txt"}[onDisk], collected(t, tel))
				s.Buffer.Close()
			})
		})
	}
}

// Without a shadow its metrics are absent.
func TestMetricsWithoutAShadow(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	s := newScene(t, false)
	_, err := NewMetrics(s.View, tel.NewTelemetrySettings())
	require.NoError(t, err)
	require.NotContains(t, collected(t, tel), "shadow")
	s.Buffer.Close()
}

// fillCounts gives every counter a different value.
func (s *scene) fillCounts(m *Metrics) {
	s.Invalid.Add(41)
	o := s.Output
	o.Lost.Add(44)
	o.Repeated.Add(45)
	o.Unknown.Add(46)
	o.WithoutThreshold.Add(47)
	for i, d := range o.Destinations {
		n := int64(100 * i)
		d.DeliveredSpans.Add(n + 42)
		d.RefusedSpans.Add(n + 43)
		d.Retries.Add(n + 48)
		d.UndeliveredSpans.Add(n + 49)
		d.Rejected.Add(n + 50)
		d.Repaired.Add(n + 54)
		d.Apart.Add(n + 55)
	}
	for i := range Outcomes {
		s.Reloads[i].Add(51 + int64(i))
	}
	for i, err := range []error{spanlog.ErrMemoryBudget, spanlog.ErrDiskBudget, errBroken, refuse.ErrRecovering, refuse.ErrDeliveryBudget, refuse.ErrDraining} {
		require.Error(s.t, s.Refusals.Refuse(61+i, err))
	}
	s.Stages.Add(tally.Append, 71*time.Second)
	s.Stages.Add(tally.Deliver, 72*time.Second)
	counts := &s.Buffer.Members[0].Tally().Stats
	counts.Trimmed, counts.IgnoredLinks = counts.Trimmed+81, counts.IgnoredLinks+82
	counts.LateErrors += 83
	for i := range counts.Triggers {
		counts.Triggers[i] += 91 + int64(i)
	}
	s.compress()
	m.Run(1500 * time.Millisecond)
	m.Run(2 * time.Second)
	m.Lateness(250 * time.Millisecond)
	m.Ages(tally.Ages{Removed: []time.Duration{1999 * time.Millisecond, 5 * time.Second}, Late: []time.Duration{3 * time.Second}})
}

// compress compresses one segment.
func (s *scene) compress() {
	s.add(testSpan{trace: 13, name: strings.Repeat("x", 100_000)})
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		s.Budget.Shrink(stop)
		close(done)
	}()
	synctest.Wait()
	close(stop)
	<-done
}
