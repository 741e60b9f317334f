package tailsampling

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// observe registers the metrics. All but the histograms are read when they are collected.
func (p *Sampler) observe(set component.TelemetrySettings) (err error) {
	if p.telemetry, err = metadata.NewTelemetryBuilder(set); err != nil {
		return err
	}
	t := p.telemetry
	one := func(value func() int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(value())
			return nil
		}
	}
	return errors.Join(
		t.RegisterProcessorTailSamplingCountTracesSampledCallback(p.byPolicy(func(a amount) int64 { return a.traces })),
		t.RegisterProcessorTailSamplingCountSpansSampledCallback(p.byPolicy(func(a amount) int64 { return a.spans })),
		t.RegisterProcessorTailSamplingCountBytesSampledCallback(p.byPolicy(func(a amount) int64 { return a.bytes })),
		t.RegisterProcessorTailSamplingGlobalCountTracesSampledCallback(p.byVerdict),
		t.RegisterProcessorTailSamplingTraceDecisionsCallback(p.byTrigger),
		t.RegisterProcessorTailSamplingEarlyReleasesFromCacheDecisionCallback(p.lateSpans),
		t.RegisterProcessorTailSamplingNewTraceIDReceivedCallback(one(func() int64 { return p.sum().traces })),
		t.RegisterProcessorTailSamplingSamplingPolicyEvaluationErrorCallback(one(func() int64 { return int64(p.rules.Load().evaluationErrors()) })),
		t.RegisterProcessorTailSamplingRefusedSpansCallback(p.byReason),
		p.observeLog(one),
		t.RegisterProcessorTailSamplingIgnoredLinksCallback(one(func() int64 { return p.sum().ignoredLinks })),
		p.observePolicies(one),
		t.RegisterProcessorTailSamplingInvalidSpansCallback(one(p.invalid.Load)),
		t.RegisterProcessorTailSamplingDeliveredSpansCallback(one(p.delivered.Load)),
		t.RegisterProcessorTailSamplingDeliveryRetriesCallback(one(p.retries.Load)),
		t.RegisterProcessorTailSamplingFailedSpansCallback(one(p.failed.Load)),
		t.RegisterProcessorTailSamplingLostSpansCallback(one(p.lostSpans)),
		t.RegisterProcessorTailSamplingUnknownFieldsSpansCallback(one(p.unknown.Load)),
		t.RegisterProcessorTailSamplingRepeatedSpansCallback(one(p.repeats.Load)),
		t.RegisterProcessorTailSamplingSpansWithoutThresholdCallback(one(p.withoutThreshold.Load)),
		t.RegisterProcessorTailSamplingSamplingTracesOnMemoryCallback(one(p.pending.Load)),
		t.RegisterProcessorTailSamplingTracesRevivableCallback(one(func() int64 { return p.sum().revivable })),
		t.RegisterProcessorTailSamplingBytesRevivableCallback(one(func() int64 { return p.sum().revivableBytes })),
		t.RegisterProcessorTailSamplingTracesUndeliveredCallback(one(func() int64 { return p.sum().undelivered })),
		t.RegisterProcessorTailSamplingSpansBufferedCallback(one(func() int64 { return p.sum().spans })),
		t.RegisterProcessorTailSamplingBytesBufferedCallback(one(p.pool.Used)),
		t.RegisterProcessorTailSamplingMemoryBudgetBytesCallback(one(p.pool.Limit)),
		t.RegisterProcessorTailSamplingOldestUndecidedAgeCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(p.oldest().Seconds())
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

// byPolicy observes what each policy decided, where it decided anything.
func (p *Sampler) byPolicy(of func(amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for policyName, counts := range p.countsByPolicy(p.sum()) {
			for v, decided := range counts.decided {
				if n := of(decided); n > 0 {
					o.Observe(n, metric.WithAttributes(append(decisionAttributes(policy.Verdict(v)),
						attribute.String("policy", policyName))...))
				}
			}
		}
		return nil
	}
}

func (p *Sampler) byVerdict(_ context.Context, o metric.Int64Observer) error {
	all := p.sum()
	for v := range policy.Verdict(verdicts) {
		o.Observe(all.verdict(v), metric.WithAttributes(decisionAttributes(v)...))
	}
	return nil
}

// String returns the trigger as it stands in metrics.
func (t trigger) String() string {
	return [triggers]string{"decision_wait", "root_received", "size", "num_traces", "memory", "shutdown", "revived", "linked", "ingest"}[t]
}

func (p *Sampler) byTrigger(_ context.Context, o metric.Int64Observer) error {
	all := p.sum()
	for t := range triggers {
		o.Observe(all.triggers[t], metric.WithAttributes(attribute.String("trigger", t.String())))
	}
	return nil
}

func (p *Sampler) lateSpans(_ context.Context, o metric.Int64Observer) error {
	all := p.sum()
	o.Observe(all.lateKept, metric.WithAttributes(attribute.Bool("sampled", true)))
	o.Observe(all.lateDropped, metric.WithAttributes(attribute.Bool("sampled", false)))
	return nil
}

// recordRun records how long a run of the decider took.
func (p *Sampler) recordRun(took time.Duration) {
	p.telemetry.ProcessorTailSamplingSamplingDecisionTimerLatency.Record(context.Background(), took.Milliseconds())
}

// recordLateness records how overdue the most overdue decision of a run was, if there was any.
func (p *Sampler) recordLateness(ns int64) {
	if ns >= 0 {
		p.telemetry.ProcessorTailSamplingDecisionLateness.Record(context.Background(), time.Duration(ns).Seconds())
	}
}

func (p *Sampler) recordAges(a ages) {
	for _, age := range a.removed {
		p.telemetry.ProcessorTailSamplingSamplingTraceRemovalAge.Record(context.Background(), age)
	}
	for _, age := range a.late {
		p.telemetry.ProcessorTailSamplingSamplingLateSpanAge.Record(context.Background(), age)
	}
}

// observeLog registers the metrics about the log itself.
func (p *Sampler) observeLog(one func(func() int64) metric.Int64Callback) error {
	t := p.telemetry
	onDisk := func(of func(*store) int64) metric.Int64Callback {
		return one(func() int64 {
			if p.store == nil {
				return 0
			}
			return of(p.store)
		})
	}
	return errors.Join(
		t.RegisterProcessorTailSamplingAppendedSpansCallback(one(p.appended.Load)),
		t.RegisterProcessorTailSamplingRecoveredSpansCallback(onDisk(func(s *store) int64 { return s.spans.Load() })),
		t.RegisterProcessorTailSamplingRecoveredDeliveriesCallback(onDisk(func(s *store) int64 { return s.repeated.Load() })),
		t.RegisterProcessorTailSamplingTornTailsCallback(onDisk(func(s *store) int64 { return s.tornTails.Load() })),
		t.RegisterProcessorTailSamplingDiskBytesCallback(one(p.pool.Disk)),
		t.RegisterProcessorTailSamplingDiskBudgetBytesCallback(one(p.pool.DiskLimit)),
		t.RegisterProcessorTailSamplingVolatileSegmentsCallback(one(p.pool.Volatile)),
		t.RegisterProcessorTailSamplingCompressionsCallback(one(p.shrinker.compressions.Load)),
		t.RegisterProcessorTailSamplingCompressionSavedBytesCallback(one(p.shrinker.saved.Load)),
		t.RegisterProcessorTailSamplingSegmentsLeftToDiskCallback(one(p.shrinker.dropped.Load)),
		t.RegisterProcessorTailSamplingTrimmedSpansCallback(one(func() int64 { return p.sum().trimmed })),
		t.RegisterProcessorTailSamplingSegmentsCallback(p.segmentsByPlace),
		t.RegisterProcessorTailSamplingStageCallsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for s := range stages {
				o.Observe(p.times[s].calls.Load(), metric.WithAttributes(attribute.String("stage", s.String())))
			}
			return nil
		}),
		t.RegisterProcessorTailSamplingStageTimeCallback(func(_ context.Context, o metric.Float64Observer) error {
			for s := range stages {
				seconds := time.Duration(p.times[s].nanoseconds.Load()).Seconds()
				o.Observe(seconds, metric.WithAttributes(attribute.String("stage", s.String())))
			}
			return nil
		}),
	)
}

func (p *Sampler) byReason(_ context.Context, o metric.Int64Observer) error {
	for r := range reasons {
		o.Observe(p.refusedFor[r].Load(), metric.WithAttributes(attribute.String("reason", r.String())))
	}
	return nil
}

func (p *Sampler) segmentsByPlace(_ context.Context, o metric.Int64Observer) error {
	u := p.usage()
	place := func(name string) metric.MeasurementOption {
		return metric.WithAttributes(attribute.String("place", name))
	}
	cold := 0
	if p.onDisk {
		cold = u.Cold
	}
	o.Observe(int64(u.Segments-cold), place("memory"))
	o.Observe(int64(cold), place("disk"))
	return nil
}
