package tracestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/handover"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/message"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/safely"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

const (
	fileName = "traces.db"
	// maxQueueBytes is what may wait for the disk: some seconds of kept traces at full load.
	maxQueueBytes = 32 << 20
	// retryInterval is how long to wait before a file that could not be opened is tried again.
	retryInterval = 5 * time.Second
)

// store is the exporter, and the Reader and host.Prober that it announces.
type store struct {
	health
	id        component.ID
	telemetry *metadata.TelemetryBuilder
	codec     *record.Codec
	queue     *queue
	writer    *writer
	now       func() time.Time
	host      component.Host
}

var (
	_ Reader      = (*store)(nil)
	_ host.Prober = (*store)(nil)
)

func newStore(set exporter.Settings, cfg *Config) (*store, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	codec, err := record.NewCodec()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(cfg.Directory, fileName)
	s := &store{
		health: health{file: path, logger: set.Logger},
		id:     set.ID, telemetry: telemetry, codec: codec, queue: newQueue(maxQueueBytes), now: clock.Now,
	}
	s.writer = &writer{
		path: path, queue: s.queue, health: &s.health, telemetry: telemetry, logger: set.Logger, retry: retryInterval,
		stop: make(chan struct{}),
		options: tracefile.Options{
			Retention: cfg.Retention, MaxBytes: int64(cfg.MaxBytes), Codec: codec, Now: clock.Now, Logger: set.Logger,
		},
	}
	s.report(host.Health{Message: "The trace store was not started."})
	return s, nil
}

// start opens the file and starts the writer. It does not fail where the file cannot be opened: the gateway takes spans
// without a dashboard, Probe tells, and the writer keeps trying.
func (s *store) start(_ context.Context, h component.Host) error {
	err := errors.Join(
		s.telemetry.RegisterExporterTraceStoreQueueSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(s.queue.size()))
			return nil
		}),
		s.telemetry.RegisterExporterTraceStoreSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(s.writer.used.Load())
			return nil
		}))
	if err != nil {
		return err
	}
	s.host = h
	s.writer.start()
	host.Announce(h, s.id, s)
	return nil
}

// shutdown writes what is queued and closes the file. Where the disk does not answer in time it gives up waiting.
func (s *store) shutdown(ctx context.Context) error {
	defer s.telemetry.Shutdown()
	if s.writer.stopped == nil {
		return nil // never started
	}
	host.Retract(s.host, s.id, s)
	s.queue.close()
	close(s.writer.stop)
	select {
	case <-s.writer.stopped:
		s.codec.Close()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d bytes of traces could not be written to %s in time: %w", s.queue.size(), s.file, ctx.Err())
	}
}

// consume queues the traces in td. It never fails and never waits.
func (s *store) consume(ctx context.Context, td ptrace.Traces) error {
	var m message.Message
	if err := safely.Run(func() (err error) { m, err = message.Marshal(td); return err }); err != nil {
		m = message.Message{} // and each trace is tried on its own
	}
	found := handover.FromContext(ctx)
	for _, spans := range trace.Group(td) {
		item, err := s.prepare(spans, &m, found)
		switch {
		case err != nil:
			dropped(ctx, s.telemetry, "failed", 1)
			s.logger.Error("A trace was not stored.", zap.Stringer("trace_id", spans.ID), zap.Error(err))
		case item.Size > record.MaxTraceBytes:
			dropped(ctx, s.telemetry, "too_large", 1)
		case !s.queue.push(item):
			dropped(ctx, s.telemetry, "queue_full", 1)
		}
	}
	return nil
}

// prepare does the work on a trace that needs no disk, in the caller's goroutine: callers are many, the writer is one. A
// trace that is too large to be stored is not looked into.
func (s *store) prepare(spans trace.Spans, m *message.Message, found *handover.Found) (item tracefile.Item, err error) {
	err = safely.Run(func() error {
		item.ID = spans.ID
		otlp, err := m.Of(spans)
		item.Size = len(otlp)
		if err != nil || item.Size > record.MaxTraceBytes {
			return err
		}
		item.Packed = s.codec.Pack(otlp)
		t := found.Of(spans)
		if t == nil {
			t = assemble.Trace(spans, assemble.Options{})
		}
		item.Digest = digest.Of(spans, t, s.now())
		return nil
	})
	return item, err
}

// dropped counts traces that were not stored.
func dropped(ctx context.Context, telemetry *metadata.TelemetryBuilder, reason string, n int) {
	telemetry.ExporterTraceStoreDroppedTraces.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
}
