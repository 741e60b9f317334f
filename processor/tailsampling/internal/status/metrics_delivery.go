package status

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// registerDelivery registers the metrics of destinations.
func (m *Metrics) registerDelivery(callback func(func() int64) metric.Int64Callback, sum func(func(*tally.Stats) int64) metric.Int64Callback) error {
	t := m.builder
	return errors.Join(
		t.RegisterProcessorTailSamplingDeliveredSpansCallback(m.each(func(d *delivery.Destination) int64 { return d.DeliveredSpans.Load() })),
		t.RegisterProcessorTailSamplingDeliveryRetriesCallback(m.each(func(d *delivery.Destination) int64 { return d.Retries.Load() })),
		t.RegisterProcessorTailSamplingGivenUpSpansCallback(m.each(func(d *delivery.Destination) int64 { return d.UndeliveredSpans.Load() })),
		t.RegisterProcessorTailSamplingRejectedSpansCallback(m.each(func(d *delivery.Destination) int64 { return d.Rejected.Load() })),
		t.RegisterProcessorTailSamplingRepairedSpansCallback(m.each(func(d *delivery.Destination) int64 { return d.Repaired.Load() })),
		t.RegisterProcessorTailSamplingApartTracesCallback(m.each(func(d *delivery.Destination) int64 { return d.Apart.Load() })),
		t.RegisterProcessorTailSamplingRefusedTracesCallback(m.each(func(d *delivery.Destination) int64 { return int64(d.Refused.Len()) })),
		t.RegisterProcessorTailSamplingBacklogTracesCallback(m.each(func(d *delivery.Destination) int64 { return backlogOf(d.Backlog(), 0).Traces })),
		t.RegisterProcessorTailSamplingBacklogBytesCallback(m.each(func(d *delivery.Destination) int64 { return d.Backlog().Bytes })),
		t.RegisterProcessorTailSamplingBacklogAgeSecondsCallback(m.ages(func(d *delivery.Destination) (float64, bool) {
			return backlogOf(d.Backlog(), m.Buffer.Now()).Seconds, true
		})),
		t.RegisterProcessorTailSamplingLastAcceptedAgeSecondsCallback(m.ages(func(d *delivery.Destination) (float64, bool) {
			at := d.AcceptedAt()
			return m.Buffer.Now().Sub(at).Seconds(), at != 0
		})),
		t.RegisterProcessorTailSamplingUndeliveredBytesCallback(callback(m.Backlogs.Used)),
		t.RegisterProcessorTailSamplingDeliveryBudgetBytesCallback(callback(func() int64 { return m.Backlogs.Limit })),
		t.RegisterProcessorTailSamplingFailedSpansCallback(callback(m.Output.RefusedSpans)),
		t.RegisterProcessorTailSamplingLostSpansCallback(callback(m.lostSpans)),
		t.RegisterProcessorTailSamplingUnknownFieldsSpansCallback(callback(m.Output.Unknown.Load)),
		t.RegisterProcessorTailSamplingRepeatedSpansCallback(callback(m.Output.Repeated.Load)),
		t.RegisterProcessorTailSamplingSpansWithoutThresholdCallback(callback(m.Output.WithoutThreshold.Load)),
		t.RegisterProcessorTailSamplingUndeliveredTracesCallback(sum(func(s *tally.Stats) int64 { return s.Undelivered })),
	)
}

func destinationAttribute(d *delivery.Destination) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("destination", d.ID))
}

// each observes a value of each destination.
func (m *Metrics) each(value func(*delivery.Destination) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, d := range m.Output.Destinations {
			o.Observe(value(d), destinationAttribute(d))
		}
		return nil
	}
}

// ages observes a duration in seconds of each destination that has one.
func (m *Metrics) ages(value func(*delivery.Destination) (seconds float64, ok bool)) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		for _, d := range m.Output.Destinations {
			if seconds, ok := value(d); ok {
				o.Observe(seconds, destinationAttribute(d))
			}
		}
		return nil
	}
}
