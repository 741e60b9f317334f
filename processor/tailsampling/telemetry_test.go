package tailsampling

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// point returns the value of a metric's data point with these attributes, summed over others.
func point(t *testing.T, tel *componenttest.Telemetry, name string, attrs ...attribute.KeyValue) int64 {
	t.Helper()
	m, err := tel.GetMetric("otelcol_processor_tail_sampling_" + name)
	require.NoError(t, err)
	var sum int64
	add := func(set attribute.Set, value int64) {
		for _, want := range attrs {
			if got, ok := set.Value(want.Key); !ok || got != want.Value {
				return
			}
		}
		sum += value
	}
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, int64(p.Count))
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, int64(p.Count))
		}
	case metricdata.Sum[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, int64(p.Value*1e9))
		}
	default:
		t.Fatalf("%s is a %T", name, d)
	}
	return sum
}

func TestTelemetry(t *testing.T) { withEitherStorage(t, testTelemetry) }

func testTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		next := sink{accept: func(_ context.Context, call int, _ ptrace.Traces) error {
			if call == 0 {
				return errors.New("once")
			}
			return nil
		}}
		set := processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: tel.NewTelemetrySettings()}
		p, err := newSampler(set, cfg, &next, nil)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		for n := range 10 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n == 0)...)))
		}
		assert.Equal(t, int64(10), point(t, tel, "sampling_traces_on_memory"))
		assert.Equal(t, int64(30), point(t, tel, "buffered_spans"))
		assert.Positive(t, point(t, tel, "buffered_bytes"))
		assert.Equal(t, int64(cfg.MemoryBudget), point(t, tel, "memory_budget_bytes"))
		time.Sleep(time.Minute)
		require.NoError(t, wireDoor(t, p, request(newSpan(0, 7), newSpan(1, 7), newSpan(2, 7))))
		time.Sleep(time.Minute)
		require.NoError(t, wireDoor(t, p, request(newSpan(77, 1))))
		time.Sleep(time.Minute)

		sampled, policyName := attribute.Bool("sampled", true), attribute.String("policy", "errors")
		assert.Equal(t, int64(1), point(t, tel, "count_traces_sampled", sampled, policyName, attribute.String("decision", "sampled")))
		assert.Equal(t, int64(3), point(t, tel, "count_spans_sampled", sampled, policyName))
		assert.Equal(t, int64(1), point(t, tel, "global_count_traces_sampled", sampled))
		assert.Equal(t, int64(10), point(t, tel, "global_count_traces_sampled", attribute.String("decision", "not_sampled")))
		assert.Equal(t, int64(11), point(t, tel, "trace_decisions", attribute.String("trigger", "decision_wait")))
		assert.Equal(t, int64(11), point(t, tel, "new_trace_id_received"))
		assert.Equal(t, int64(1), point(t, tel, "early_releases_from_cache_decision", sampled))
		assert.Equal(t, int64(2), point(t, tel, "early_releases_from_cache_decision", attribute.Bool("sampled", false)))
		assert.Equal(t, int64(4), point(t, tel, "delivered_spans"))
		assert.Equal(t, int64(1), point(t, tel, "delivery_retries"))
		assert.Equal(t, int64(34), point(t, tel, "appended_spans"))
		assert.Equal(t, int64(12), point(t, tel, "stage_calls", attribute.String("stage", "append")))
		assert.Positive(t, point(t, tel, "stage_calls", attribute.String("stage", "decide")))
		assert.Equal(t, int64(3), point(t, tel, "stage_calls", attribute.String("stage", "deliver")))
		assert.Positive(t, point(t, tel, "segments")+1)
		if p.store != nil {
			assert.Positive(t, point(t, tel, "disk_bytes"))
			assert.Positive(t, point(t, tel, "disk_budget_bytes"))
		}
		for _, zero := range []string{"recovered_spans", "redelivered_spans", "torn_tails", "volatile_segments", "compressed_segments",
			"compression_saved_bytes", "evicted_segments", "trimmed_spans",
			"failed_spans", "lost_spans", "refused_spans", "invalid_spans", "unknown_fields_spans", "repeated_spans",
			"spans_without_threshold", "undelivered_traces", "buffered_spans", "sampling_traces_on_memory"} {
			assert.Zero(t, point(t, tel, zero), zero)
		}
		assert.Equal(t, int64(3), point(t, tel, "sampling_late_span_age"), "one for each late part and dropped span")
		assert.Equal(t, int64(11), point(t, tel, "sampling_trace_removal_age"), "recorded at the next run")
		assert.Positive(t, point(t, tel, "sampling_decision_timer_latency"))
		assert.Positive(t, point(t, tel, "decision_lateness_seconds"))
		shutdown(t, p)
	})
}

// Metrics show revivable traces and policies that cannot be evaluated, and survive a reload.
func TestTelemetryOfLateAndFailing(t *testing.T) { withEitherStorage(t, testTelemetryOfLateAndFailing) }

func testTelemetryOfLateAndFailing(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	synctest.Test(t, func(t *testing.T) {
		cfg := linking(testConfig())
		cfg.Policies = append(cfg.Policies, policy.Config{Name: "fails", Type: policy.OTTLCondition,
			Section: &policy.OTTLConditionConfig{ErrorMode: "ignore", Span: []string{`Int(ParseJSON(name)["a"]) > 1`}}})
		set := processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: tel.NewTelemetrySettings()}
		p, err := newSampler(set, cfg, &sink{}, nil)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).linkedTo(), newSpan(1, 1).linkedTo())))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.Equal(t, int64(1), point(t, tel, "revivable_traces"))
		bytes := point(t, tel, "revivable_bytes")
		require.Equal(t, bytes, point(t, tel, "count_bytes_sampled", attribute.Bool("sampled", false)))
		failed := point(t, tel, "sampling_policy_evaluation_error")
		require.Positive(t, failed)
		_, err = swapTo(p, cfg)
		require.NoError(t, err)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 2).linkedTo(3, 4, 5, 6, 7, 8, 9, 10, 11, 12).fail(), newSpan(2, 0).linkedTo())))
		time.Sleep(time.Second)
		require.Zero(t, point(t, tel, "revivable_traces"))
		require.Zero(t, point(t, tel, "revivable_bytes"))
		require.Greater(t, point(t, tel, "count_bytes_sampled", attribute.String("policy", "errors")), bytes)
		require.Equal(t, int64(1), point(t, tel, "trace_decisions", attribute.String("trigger", "revived")))
		require.Equal(t, int64(1), point(t, tel, "ignored_links"))
		require.Greater(t, point(t, tel, "sampling_policy_evaluation_error"), failed)
		shutdown(t, p)
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, testConfig(), &sink{})
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, true)...)))
		time.Sleep(1500 * time.Millisecond)
		st := p.Status()
		assert.Equal(t, int64(1), st.TracesPending)
		assert.InDelta(t, 1.5, st.OldestUndecidedSeconds, 0.01)
		time.Sleep(time.Minute)
		st = p.Status()
		st.BytesBuffered, st.DiskBytes, st.Segments = 0, 0, 0
		st.Storage, st.DiskBudgetBytes = "", 0
		want := Status{
			Decided: Decided{Sampled: 1},
			Policies: []PolicyStatus{
				{Name: "errors", Type: "status_code", SampledTraces: 1, SampledSpans: 3}, {Name: "slow", Type: "latency"}, {Name: "rest", Type: "probabilistic"},
			},
		}
		want.MemoryBudgetBytes = 16777216
		assert.Equal(t, want, st)
		shutdown(t, p)
	})
}

// listening is a host whose one extension watches components.
type listening struct {
	component.StartFunc
	component.ShutdownFunc
	seen map[component.ID]any
}

func (l *listening) ComponentStarted(id component.ID, c any) { l.seen[id] = c }
func (l *listening) ComponentStopped(id component.ID, _ any) { delete(l.seen, id) }
func (l *listening) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("web"): l}
}

func TestSamplerIsAnnounced(t *testing.T) { withEitherStorage(t, testSamplerIsAnnounced) }

func testSamplerIsAnnounced(t *testing.T) {
	l := &listening{seen: map[component.ID]any{}}
	id := component.NewIDWithName(metadata.Type, "x")
	set := processor.Settings{ID: id, TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.Directory = newDirectory()
	cfg.Policies = []policy.Config{{Name: "all", Type: policy.AlwaysSample}}
	p, err := f.CreateTraces(t.Context(), set, cfg, &sink{})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), l))
	found, ok := l.seen[id].(interface{ Status() Status })
	require.True(t, ok)
	assert.Zero(t, found.Status().TracesPending)
	_, ok = l.seen[id].(host.Prober)
	assert.True(t, ok)
	require.NoError(t, p.Shutdown(t.Context()))
	assert.Empty(t, l.seen)
}

func TestPolicyTelemetry(t *testing.T) { withEitherStorage(t, testPolicyTelemetry) }

func testPolicyTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	synctest.Test(t, func(t *testing.T) {
		cfg := with(testConfig(), testConfig().Policies[0], serviceIs("three", "service-3"))
		cfg.Shadow = &ShadowConfig{Policies: cfg.Policies[1:]}
		var next sink
		set := processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: tel.NewTelemetrySettings()}
		p, err := newSampler(set, cfg, &next, nil)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 4, true)...)))  // both
		require.NoError(t, wireDoor(t, p, request(newTrace(2, 3, true)...)))  // errors
		require.NoError(t, wireDoor(t, p, request(newTrace(3, 2, false)...))) // none
		time.Sleep(time.Minute)

		by := func(kv ...string) (list []attribute.KeyValue) {
			for i := 0; i < len(kv); i += 2 {
				list = append(list, attribute.String(kv[i], kv[i+1]))
			}
			return list
		}
		assert.Equal(t, int64(2), point(t, tel, "policy_traces", by("policy", "errors", "contribution", "matched")...))
		assert.Equal(t, int64(1), point(t, tel, "policy_traces", by("policy", "errors", "contribution", "alone")...))
		assert.Equal(t, int64(4), point(t, tel, "policy_spans", by("policy", "three", "contribution", "matched")...))
		assert.Equal(t, int64(0), point(t, tel, "policy_spans", by("policy", "three", "contribution", "alone")...))
		assert.Positive(t, point(t, tel, "policy_bytes", by("policy", "errors", "contribution", "alone")...))
		assert.Equal(t, int64(3), point(t, tel, "service_spans", by("service", "service-0", "way", "in")...))
		assert.Equal(t, int64(2), point(t, tel, "service_spans", by("service", "service-0", "way", "kept")...))
		assert.Positive(t, point(t, tel, "service_bytes", by("service", "service-3", "way", "kept")...))
		assert.Equal(t, int64(1), point(t, tel, "shadow_traces", by("decision", "sampled")...))
		assert.Equal(t, int64(5), point(t, tel, "shadow_spans", by("decision", "not_sampled")...))
		assert.Positive(t, point(t, tel, "shadow_bytes", by("decision", "sampled")...))
		assert.Equal(t, int64(1), point(t, tel, "shadow_differences", by("kept_by", "real")...))
		assert.Equal(t, int64(0), point(t, tel, "shadow_differences", by("kept_by", "shadow")...))
		assert.Equal(t, int64(1), point(t, tel, "policy_version"))
		_, err = p.Reload(t.Context())
		require.Error(t, err)
		assert.Equal(t, int64(1), point(t, tel, "policy_reloads", by("outcome", "failed")...))
		shutdown(t, p)
	})
}
