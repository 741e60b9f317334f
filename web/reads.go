package web

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/metadata"
	"github.com/slowburn/slowburn/web/internal/reads"
)

// slotted is an extension whose queries take slots, which are nil where they run elsewhere.
type slotted interface{ Slots() *gate.Slots }

// newLimits returns the limits of reads. They take the slots that PromQL takes, so that both together leave a processor for spans.
func newLimits(c reads.Config, all *known.Components) (*reads.Limits, error) {
	if p, ok := known.Find[slotted](all); ok && p.Slots() != nil {
		return reads.New(c, p.Slots())
	}
	return reads.New(c, gate.NewSlots(gate.Processors()))
}

// newTelemetry returns the extension's own metrics, among them what the limits are doing.
func newTelemetry(set component.TelemetrySettings, l *reads.Limits) (*metadata.TelemetryBuilder, error) {
	t, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	of := func(read func(gate.State) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(read(l.State()))
			return nil
		}
	}
	return t, errors.Join(
		t.RegisterExtensionWebRunningReadsCallback(of(func(s gate.State) int64 { return s.Running })),
		t.RegisterExtensionWebWaitingReadsCallback(of(func(s gate.State) int64 { return s.Waiting })),
		t.RegisterExtensionWebReadMemoryBytesCallback(of(func(s gate.State) int64 { return s.Reserved })),
		t.RegisterExtensionWebRefusedReadsCallback(of(func(s gate.State) int64 { return s.Refused })))
}
