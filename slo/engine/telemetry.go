package engine

import (
	"context"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/engine/internal/room"
	"github.com/slowburn/slowburn/slo/notify"
)

// report measures, logs and shows how an evaluation ended.
func (e *Extension) report(ctx context.Context, took time.Duration, err error) {
	e.telemetry.ExtensionSloEvaluations.Add(ctx, 1)
	e.telemetry.ExtensionSloEvaluationDurationSeconds.Record(ctx, took.Seconds())
	if err == nil {
		e.trouble.Store(nil)
		return
	}
	message := "Evaluation failed: " + err.Error() + "."
	e.trouble.Store(&message)
	e.settings.Logger.Error("evaluation failed, retrying in 1m", zap.Error(err))
}

// reportGiven counts and logs what was given up for max_size.
func (v *evaluator) reportGiven(given room.Given, r room.Report) {
	for kind, bytes := range given {
		v.telemetry.ExtensionSloGivenUpBytes.Add(context.Background(), bytes, metric.WithAttributes(attribute.String("data", string(kind))))
		v.logger.Warn("slo.db reached max_size: the oldest data were given up", zap.String("data", string(kind)),
			zap.Int64("bytes", bytes), zap.Int64("used_bytes", r.Used), zap.Int64("max_size", r.Limit))
	}
}

// attempted counts an attempt of a delivery.
func (e *Extension) attempted(ctx context.Context, receiver string, o notify.Outcome) {
	e.telemetry.ExtensionSloDeliveries.Add(ctx, 1, metric.WithAttributes(
		attribute.String("receiver", receiver), attribute.String("outcome", string(o))))
}

// observe registers the metrics that are read on demand.
func (e *Extension) observe() error {
	err := e.telemetry.RegisterExtensionSloEvaluationLagSecondsCallback(func(_ context.Context, o metric.Float64Observer) error {
		if until := e.Statuses().EvaluatedUntil; until != nil {
			o.Observe(clock.Since(*until).Seconds())
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = e.telemetry.RegisterExtensionSloUsedBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
		if r := e.room(); r.Limit > 0 {
			o.Observe(r.Used)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.telemetry.RegisterExtensionSloPendingDeliveriesCallback(func(_ context.Context, o metric.Int64Observer) error {
		return e.view(func(tx *bbolt.Tx) error {
			o.Observe(int64(notify.CountPending(tx)))
			return nil
		})
	})
}
