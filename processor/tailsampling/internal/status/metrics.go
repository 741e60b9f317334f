package status

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Metrics are the instruments of a sampler. All except the histograms read a View when they are collected.
type Metrics struct {
	*View
	builder *metadata.TelemetryBuilder
}

// NewMetrics registers the metrics of a View.
func NewMetrics(w *View, set component.TelemetrySettings) (*Metrics, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	m := &Metrics{View: w, builder: builder}
	return m, m.register()
}

func (m *Metrics) register() error {
	t := m.builder
	callback := func(value func() int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(value())
			return nil
		}
	}
	sum := func(read func(*tally.Stats) int64) metric.Int64Callback {
		return callback(func() int64 {
			all := m.Buffer.Sum()
			return read(&all)
		})
	}
	return errors.Join(
		t.RegisterProcessorTailSamplingCountTracesSampledCallback(m.byPolicy(func(a Amount) int64 { return a.Traces })),
		t.RegisterProcessorTailSamplingCountSpansSampledCallback(m.byPolicy(func(a Amount) int64 { return a.Spans })),
		t.RegisterProcessorTailSamplingCountBytesSampledCallback(m.byPolicy(func(a Amount) int64 { return a.Bytes })),
		t.RegisterProcessorTailSamplingGlobalCountTracesSampledCallback(m.byVerdict),
		t.RegisterProcessorTailSamplingTraceDecisionsCallback(m.byTrigger),
		t.RegisterProcessorTailSamplingEarlyReleasesFromCacheDecisionCallback(m.lateSpans),
		t.RegisterProcessorTailSamplingLateErrorSpansCallback(sum(func(s *tally.Stats) int64 { return s.LateErrors })),
		t.RegisterProcessorTailSamplingNewTraceIDReceivedCallback(sum(func(s *tally.Stats) int64 { return s.Traces })),
		t.RegisterProcessorTailSamplingSamplingPolicyEvaluationErrorCallback(callback(func() int64 { return int64(m.Versions.Current().EvaluationErrors()) })),
		t.RegisterProcessorTailSamplingRefusedSpansCallback(m.byReason),
		m.registerLog(callback, sum),
		t.RegisterProcessorTailSamplingIgnoredLinksCallback(sum(func(s *tally.Stats) int64 { return s.IgnoredLinks })),
		m.registerPolicies(callback),
		m.registerDelivery(callback, sum),
		t.RegisterProcessorTailSamplingInvalidSpansCallback(callback(m.Invalid.Load)),
		t.RegisterProcessorTailSamplingSamplingTracesOnMemoryCallback(callback(m.Buffer.Pending.Load)),
		t.RegisterProcessorTailSamplingRevivableTracesCallback(sum(func(s *tally.Stats) int64 { return s.Revivable })),
		t.RegisterProcessorTailSamplingRevivableBytesCallback(sum(func(s *tally.Stats) int64 { return s.RevivableBytes })),
		t.RegisterProcessorTailSamplingBufferedSpansCallback(sum(func(s *tally.Stats) int64 { return s.Spans })),
		t.RegisterProcessorTailSamplingBufferedBytesCallback(callback(m.Buffer.Pool.Used)),
		t.RegisterProcessorTailSamplingMemoryBudgetBytesCallback(callback(m.Buffer.Pool.Limit)),
		t.RegisterProcessorTailSamplingOldestUndecidedAgeSecondsCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(m.Buffer.OldestAge().Seconds())
			return nil
		}),
	)
}

func decisionAttributes(v policy.Verdict) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Bool("sampled", v == policy.Sampled),
		attribute.String("decision", v.String()),
	}
}

// byPolicy observes an amount of each policy that has decided any trace.
func (m *Metrics) byPolicy(amount func(Amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		all := m.Buffer.Sum()
		for policyName, counts := range m.countsByPolicy(&all) {
			for v, decided := range counts.Decided {
				if n := amount(decided); n > 0 {
					o.Observe(n, metric.WithAttributes(append(decisionAttributes(policy.Verdict(v)),
						attribute.String("policy", policyName))...))
				}
			}
		}
		return nil
	}
}

func (m *Metrics) byVerdict(_ context.Context, o metric.Int64Observer) error {
	all := m.Buffer.Sum()
	for v := range policy.Verdict(tally.Verdicts) {
		o.Observe(all.Verdict(v), metric.WithAttributes(decisionAttributes(v)...))
	}
	return nil
}

func (m *Metrics) byTrigger(_ context.Context, o metric.Int64Observer) error {
	all := m.Buffer.Sum()
	for t := range decision.Triggers {
		o.Observe(all.Triggers[t], metric.WithAttributes(attribute.String("trigger", t.String())))
	}
	return nil
}

func (m *Metrics) lateSpans(_ context.Context, o metric.Int64Observer) error {
	all := m.Buffer.Sum()
	o.Observe(all.LateKept, metric.WithAttributes(attribute.Bool("sampled", true)))
	o.Observe(all.LateDropped, metric.WithAttributes(attribute.Bool("sampled", false)))
	return nil
}

var _ buffer.Recorder = (*Metrics)(nil)

// Run records how long a run of the decider took.
func (m *Metrics) Run(took time.Duration) {
	m.Stages.Add(tally.Decide, took)
	m.builder.ProcessorTailSamplingSamplingDecisionTimerLatency.Record(context.Background(), took.Milliseconds())
}

// Lateness records the delay of the most overdue decision of a run.
func (m *Metrics) Lateness(overdue time.Duration) {
	m.builder.ProcessorTailSamplingDecisionLatenessSeconds.Record(context.Background(), overdue.Seconds())
}

// Ages records the ages of traces that left, and of decisions that late spans followed, in whole seconds.
func (m *Metrics) Ages(a tally.Ages) {
	for _, age := range a.Removed {
		m.builder.ProcessorTailSamplingSamplingTraceRemovalAge.Record(context.Background(), int64(age/time.Second))
	}
	for _, age := range a.Late {
		m.builder.ProcessorTailSamplingSamplingLateSpanAge.Record(context.Background(), int64(age/time.Second))
	}
}

// registerLog registers the metrics of the span log.
func (m *Metrics) registerLog(callback func(func() int64) metric.Int64Callback, sum func(func(*tally.Stats) int64) metric.Int64Callback) error {
	t := m.builder
	onDisk := func(read func(*recovery.Counts) int64) metric.Int64Callback {
		return callback(func() int64 {
			if m.Store == nil {
				return 0
			}
			return read(&m.Store.Counts)
		})
	}
	return errors.Join(
		t.RegisterProcessorTailSamplingAppendedSpansCallback(callback(m.Appended.Load)),
		t.RegisterProcessorTailSamplingRecoveredSpansCallback(onDisk(func(c *recovery.Counts) int64 { return c.Spans.Load() })),
		t.RegisterProcessorTailSamplingRedeliveredSpansCallback(onDisk(func(c *recovery.Counts) int64 { return c.Repeated.Load() })),
		t.RegisterProcessorTailSamplingTornTailsCallback(onDisk(func(c *recovery.Counts) int64 { return c.TornTails.Load() })),
		t.RegisterProcessorTailSamplingDiskBytesCallback(callback(m.Buffer.Pool.Disk)),
		t.RegisterProcessorTailSamplingDiskBudgetBytesCallback(callback(m.Buffer.Pool.DiskLimit)),
		t.RegisterProcessorTailSamplingVolatileSegmentsCallback(callback(m.Buffer.Pool.Volatile)),
		t.RegisterProcessorTailSamplingCompressedSegmentsCallback(callback(func() int64 { n, _, _ := m.Budget.Shrunk(); return n })),
		t.RegisterProcessorTailSamplingCompressionSavedBytesCallback(callback(func() int64 { _, n, _ := m.Budget.Shrunk(); return n })),
		t.RegisterProcessorTailSamplingEvictedSegmentsCallback(callback(func() int64 { _, _, n := m.Budget.Shrunk(); return n })),
		t.RegisterProcessorTailSamplingTrimmedSpansCallback(sum(func(s *tally.Stats) int64 { return s.Trimmed })),
		t.RegisterProcessorTailSamplingSegmentsCallback(m.segmentsByPlace),
		t.RegisterProcessorTailSamplingStageCallsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for s := range tally.StageCount {
				calls, _ := m.Stages.Of(s)
				o.Observe(calls, metric.WithAttributes(attribute.String("stage", s.String())))
			}
			return nil
		}),
		t.RegisterProcessorTailSamplingStageTimeSecondsCallback(func(_ context.Context, o metric.Float64Observer) error {
			for s := range tally.StageCount {
				_, took := m.Stages.Of(s)
				o.Observe(took.Seconds(), metric.WithAttributes(attribute.String("stage", s.String())))
			}
			return nil
		}),
	)
}

func (m *Metrics) byReason(_ context.Context, o metric.Int64Observer) error {
	for r := range refuse.Reasons {
		o.Observe(m.Refusals.For(r), metric.WithAttributes(attribute.String("reason", r.String())))
	}
	return nil
}

func (m *Metrics) segmentsByPlace(_ context.Context, o metric.Int64Observer) error {
	u := m.Buffer.Usage()
	place := func(name string) metric.MeasurementOption {
		return metric.WithAttributes(attribute.String("place", name))
	}
	cold := 0
	if m.Store != nil {
		cold = u.Cold
	}
	o.Observe(int64(u.Segments-cold), place("memory"))
	o.Observe(int64(cold), place("disk"))
	return nil
}
