package tailsampling

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/processor/policy"
)

// reloadOutcome is what became of a reload of the policies.
type reloadOutcome uint8

const (
	reloadChanged reloadOutcome = iota
	reloadUnchanged
	reloadFailed
	reloadOutcomes
)

// String returns the outcome as it stands in metrics.
func (o reloadOutcome) String() string {
	return [reloadOutcomes]string{"changed", "unchanged", "failed"}[o]
}

// observePolicies registers the metrics about what policies bring, what their shadow would, and how they change.
func (p *Sampler) observePolicies(one func(func() int64) metric.Int64Callback) error {
	t := p.telemetry
	traces, spans, bytes := func(a Amount) int64 { return a.Traces }, func(a Amount) int64 { return a.Spans }, func(a Amount) int64 { return a.Bytes }
	return errors.Join(
		t.RegisterProcessorTailSamplingPolicyTracesCallback(p.contributions(traces)),
		t.RegisterProcessorTailSamplingPolicySpansCallback(p.contributions(spans)),
		t.RegisterProcessorTailSamplingPolicyBytesCallback(p.contributions(bytes)),
		t.RegisterProcessorTailSamplingServiceSpansCallback(p.byService(func(s *service) (int64, int64) {
			return s.inSpans.Load(), s.keptSpans.Load()
		})),
		t.RegisterProcessorTailSamplingServiceBytesCallback(p.byService(func(s *service) (int64, int64) {
			return s.inBytes.Load(), s.keptBytes.Load()
		})),
		t.RegisterProcessorTailSamplingShadowTracesCallback(p.byShadow(traces)),
		t.RegisterProcessorTailSamplingShadowSpansCallback(p.byShadow(spans)),
		t.RegisterProcessorTailSamplingShadowBytesCallback(p.byShadow(bytes)),
		t.RegisterProcessorTailSamplingShadowDifferencesCallback(func(_ context.Context, o metric.Int64Observer) error {
			if s, there := p.Shadow(); there {
				o.Observe(s.OnlyShadow.Traces, metric.WithAttributes(attribute.String("kept_by", "shadow")))
				o.Observe(s.OnlyReal.Traces, metric.WithAttributes(attribute.String("kept_by", "real")))
			}
			return nil
		}),
		t.RegisterProcessorTailSamplingPolicyVersionCallback(one(func() int64 { return int64(p.rules.Load().version) })),
		t.RegisterProcessorTailSamplingPolicyReloadsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for outcome := range reloadOutcomes {
				o.Observe(p.reloads[outcome].Load(), metric.WithAttributes(attribute.String("outcome", outcome.String())))
			}
			return nil
		}),
	)
}

// contributions observes what the current policies matched, and alone sampled.
func (p *Sampler) contributions(of func(Amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, c := range p.Cost().Policies {
			by := attribute.String("policy", c.Name)
			o.Observe(of(c.Matched), metric.WithAttributes(by, attribute.String("contribution", "matched")))
			if c.Type != string(policy.Drop) {
				o.Observe(of(c.Alone), metric.WithAttributes(by, attribute.String("contribution", "alone")))
			}
		}
		return nil
	}
}

func (p *Sampler) byService(of func(*service) (in, kept int64)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for name, s := range p.services.all {
			in, kept := of(s)
			by := attribute.String("service", name)
			o.Observe(in, metric.WithAttributes(by, attribute.String("way", "in")))
			o.Observe(kept, metric.WithAttributes(by, attribute.String("way", "kept")))
		}
		return nil
	}
}

func (p *Sampler) byShadow(of func(Amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		s, there := p.Shadow()
		if !there {
			return nil
		}
		for v, a := range map[policy.Verdict]Amount{
			policy.Sampled: s.Sampled, policy.NotSampled: s.NotSampled, policy.Dropped: s.Dropped,
		} {
			o.Observe(of(a), metric.WithAttributes(attribute.String("decision", v.String())))
		}
		return nil
	}
}
