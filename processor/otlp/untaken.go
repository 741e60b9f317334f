package otlp

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp/internal/metadata"
)

// logEvery is the pause between two logs of untaken requests.
const logEvery = time.Minute

// untaken reports requests that a pipeline accepted although no component took their bytes. It may be used
// concurrently.
type untaken struct {
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	logged    atomic.Int64 // the last log, in nanoseconds since the Unix epoch
}

func newUntaken(set component.TelemetrySettings) (*untaken, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	return &untaken{logger: set.Logger, telemetry: telemetry}, nil
}

// report counts the spans of a request, and logs from time to time.
func (u *untaken) report(ctx context.Context, spans int) {
	u.telemetry.ReceiverOtlpUntakenSpans.Add(ctx, int64(spans))
	now, last := clock.Now().UnixNano(), u.logged.Load()
	if now-last < int64(logEvery) || !u.logged.CompareAndSwap(last, now) {
		return
	}
	u.logger.Error("spans passed on a second time, decoded: a component behind this receiver, such as batch, answered "+
		"for spans that came as bytes and did not take them; remove wire_path, which only the confmap converter of "+
		"processor/otlp/wirepath knows where to set", zap.Int("spans", spans))
}
