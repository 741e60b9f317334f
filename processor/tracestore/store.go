package tracestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/handover"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
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
	cfg       Config
	id        component.ID
	path      string
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	codec     *codec
	queue     *queue
	now       func() time.Time
	retry     time.Duration // between attempts to open the file
	host      component.Host

	db     atomic.Pointer[state.DB]    // nil while the file cannot be opened
	health atomic.Pointer[host.Health] // what the last open, write or read found
	used   atomic.Int64                // bytes of the file in use

	stop    chan struct{}
	stopped chan struct{} // closed when the writer has ended; nil before start
	writer  writer
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
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	s := &store{
		cfg: *cfg, id: set.ID, path: filepath.Join(cfg.Directory, fileName), logger: set.Logger, telemetry: telemetry,
		codec: codec, queue: newQueue(maxQueueBytes), now: time.Now, retry: retryInterval,
		stop: make(chan struct{}),
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
			o.Observe(s.used.Load())
			return nil
		}))
	if err != nil {
		return err
	}
	s.host = h
	s.open()
	s.stopped = make(chan struct{})
	go s.write()
	host.Announce(h, s.id, s)
	return nil
}

// shutdown writes what is queued and closes the file. Where the disk does not answer in time it gives up waiting.
func (s *store) shutdown(ctx context.Context) error {
	defer s.telemetry.Shutdown()
	if s.stopped == nil {
		return nil // never started
	}
	host.Retract(s.host, s.id, s)
	s.queue.close()
	close(s.stop)
	select {
	case <-s.stopped:
		s.codec.close()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d bytes of traces could not be written to %s in time: %w", s.queue.size(), s.path, ctx.Err())
	}
}

// consume queues the traces in td. It never fails and never waits.
func (s *store) consume(ctx context.Context, td ptrace.Traces) error {
	var m message
	if err := recovered(func() (err error) { m, err = marshal(td); return err }); err != nil {
		m = message{} // and each trace is tried on its own
	}
	found := handover.FromContext(ctx)
	for _, spans := range trace.Group(td) {
		item, err := s.prepare(spans, &m, found)
		switch {
		case err != nil:
			s.dropped(ctx, "failed", 1)
			s.logger.Error("A trace was not stored.", zap.Stringer("trace_id", spans.ID), zap.Error(err))
		case item.size > maxTraceBytes:
			s.dropped(ctx, "too_large", 1)
		case !s.queue.push(item):
			s.dropped(ctx, "queue_full", 1)
		}
	}
	return nil
}

// prepare does the work on a trace that needs no disk, in the caller's goroutine: callers are many, the writer is one. A
// trace that is too large to be stored is not looked into.
func (s *store) prepare(spans trace.Spans, m *message, found *handover.Found) (item queued, err error) {
	err = recovered(func() error {
		item.id = spans.ID
		otlp, err := m.of(spans)
		item.size = len(otlp)
		if err != nil || item.size > maxTraceBytes {
			return err
		}
		item.packed = s.codec.pack(otlp)
		t := found.Of(spans)
		if t == nil {
			t = assemble.Trace(spans, assemble.Options{})
		}
		item.digest = summarize(spans, t, s.now())
		return nil
	})
	return item, err
}

func (s *store) dropped(ctx context.Context, reason string, n int) {
	s.telemetry.ExporterTraceStoreDroppedTraces.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
}

// open opens the file, or starts a new one in the place of one that is damaged.
func (s *store) open() {
	db, err := openFile(s.path)
	if errors.Is(err, state.ErrCorrupt) {
		s.startAnew(err)
		return
	}
	s.use(db, err)
}

// startAnew moves a damaged file aside and opens a new one: what it held was for looking at, and the next traces matter
// more.
func (s *store) startAnew(damage error) {
	aside, err := moveAside(s.path)
	var db *state.DB
	if err == nil {
		s.logger.Error("The trace store's file is damaged. It was moved aside, and a new one is started.",
			zap.String("moved_to", aside), zap.Error(damage))
		db, err = openFile(s.path)
	}
	s.use(db, err)
}

// use goes on with the file that was opened, or tells that none was.
func (s *store) use(db *state.DB, err error) {
	if err != nil {
		s.fail("The trace store cannot open its file; traces pass on, but the dashboard does not see them", err)
		return
	}
	s.db.Store(db)
	s.succeed()
}

// succeed and fail set the health, and tell the log when it changes.
func (s *store) succeed() {
	if was := s.health.Load(); was != nil && !was.OK {
		s.logger.Info("The trace store works.", zap.String("file", s.path))
		s.report(host.Health{OK: true, Message: "Traces are stored in " + s.path + "."})
	}
}

func (s *store) fail(what string, err error) {
	message := fmt.Sprintf("%s: %v.", what, err)
	if was := s.health.Load(); was == nil || was.Message != message {
		s.logger.Error(what+".", zap.Error(err))
	}
	s.report(host.Health{Message: message})
}

func (s *store) report(h host.Health) { s.health.Store(&h) }

// Probe says whether traces are being stored. The gateway takes spans even if not.
func (s *store) Probe(context.Context) host.Health { return *s.health.Load() }
