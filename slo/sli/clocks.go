package sli

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

// judgeClocks logs which clocks went off or are right again, and counts the events that ended in the future.
func (e *emitting) judgeClocks(ctx context.Context, at int64) {
	clocks := count.Clocks(e.keeper.Counter())
	for _, c := range clocks.Judge(at) {
		fields := []zap.Field{zap.String("service", c.Service), zap.String("instance", c.Instance)}
		if c.Off {
			e.set.Logger.Warn("clock of a process is behind: its events count in the minute in which they arrive", append(fields, zap.Duration("by", c.Behind))...)
		} else {
			e.set.Logger.Info("clock of a process is right again: its events count in the minute in which their spans ended", fields...)
		}
	}
	clocks.TakeFuture(func(service string, events int64) {
		e.telemetry.ConnectorSliFutureSpans.Add(ctx, events, metric.WithAttributeSet(attribute.NewSet(attribute.String("service_name", service))))
	})
}

var _ slo.Clocks = (*Connector)(nil)

// ClocksOff implements slo.Clocks.
func (c *Connector) ClocksOff() []slo.ClockOff {
	if c.keeper == nil {
		return nil
	}
	return count.Clocks(c.keeper.Counter()).Off()
}
