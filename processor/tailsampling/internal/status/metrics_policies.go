package status

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// registerPolicies registers the metrics of policies, their shadow, and their reloads.
func (m *Metrics) registerPolicies(callback func(func() int64) metric.Int64Callback) error {
	t := m.builder
	traces, spans, bytes := func(a Amount) int64 { return a.Traces }, func(a Amount) int64 { return a.Spans }, func(a Amount) int64 { return a.Bytes }
	return errors.Join(
		t.RegisterProcessorTailSamplingPolicyTracesCallback(m.contributions(traces)),
		t.RegisterProcessorTailSamplingPolicySpansCallback(m.contributions(spans)),
		t.RegisterProcessorTailSamplingPolicyBytesCallback(m.contributions(bytes)),
		t.RegisterProcessorTailSamplingServiceSpansCallback(m.byService(func(s *tally.Service) (int64, int64) {
			return s.In.Spans.Load(), s.Kept.Spans.Load()
		})),
		t.RegisterProcessorTailSamplingServiceBytesCallback(m.byService(func(s *tally.Service) (int64, int64) {
			return s.In.Bytes.Load(), s.Kept.Bytes.Load()
		})),
		t.RegisterProcessorTailSamplingShadowTracesCallback(m.byShadow(traces)),
		t.RegisterProcessorTailSamplingShadowSpansCallback(m.byShadow(spans)),
		t.RegisterProcessorTailSamplingShadowBytesCallback(m.byShadow(bytes)),
		t.RegisterProcessorTailSamplingShadowDifferencesCallback(func(_ context.Context, o metric.Int64Observer) error {
			if s, there := m.Shadow(); there {
				o.Observe(s.OnlyShadow.Traces, metric.WithAttributes(attribute.String("kept_by", "shadow")))
				o.Observe(s.OnlyReal.Traces, metric.WithAttributes(attribute.String("kept_by", "real")))
			}
			return nil
		}),
		t.RegisterProcessorTailSamplingPolicyVersionCallback(callback(func() int64 { return int64(m.Versions.Current().Number) })),
		t.RegisterProcessorTailSamplingPolicyReloadsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for outcome := range Outcomes {
				o.Observe(m.Reloads[outcome].Load(), metric.WithAttributes(attribute.String("outcome", outcome.String())))
			}
			return nil
		}),
	)
}

// contributions observes an amount of each current policy.
func (m *Metrics) contributions(amount func(Amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, c := range m.Cost().Policies {
			name := attribute.String("policy", c.Name)
			o.Observe(amount(c.Matched), metric.WithAttributes(name, attribute.String("contribution", "matched")))
			if c.Type != string(policy.Drop) {
				o.Observe(amount(c.Alone), metric.WithAttributes(name, attribute.String("contribution", "alone")))
			}
		}
		return nil
	}
}

func (m *Metrics) byService(amounts func(*tally.Service) (in, kept int64)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for service, s := range m.Services.All {
			in, kept := amounts(s)
			name := attribute.String("service", service)
			o.Observe(in, metric.WithAttributes(name, attribute.String("way", "in")))
			o.Observe(kept, metric.WithAttributes(name, attribute.String("way", "kept")))
		}
		return nil
	}
}

func (m *Metrics) byShadow(amount func(Amount) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		s, there := m.Shadow()
		if !there {
			return nil
		}
		for v, decided := range map[policy.Verdict]Amount{
			policy.Sampled: s.Sampled, policy.NotSampled: s.NotSampled, policy.Dropped: s.Dropped,
		} {
			o.Observe(amount(decided), metric.WithAttributes(attribute.String("decision", v.String())))
		}
		return nil
	}
}
