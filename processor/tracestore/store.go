package tracestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/safely"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

const (
	// maxQueueBytes limits the queue to a few seconds of kept traces at full load.
	maxQueueBytes = 32 << 20
	// maxWait is how long a call waits for the disk before it fails.
	maxWait = 30 * time.Second
	// closeTimeout is how long a shutdown waits for the disk. Traces that are not stored by then stay in the span log, as their calls
	// fail.
	closeTimeout = 5 * time.Second
	// retryInterval is the pause before another attempt to open the file.
	retryInterval = 5 * time.Second
)

// store is the exporter, and the Reader and host.Prober that it announces.
type store struct {
	health
	id        component.ID
	telemetry *metadata.TelemetryBuilder
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
	path := filepath.Join(cfg.Directory, FileName)
	s := &store{
		health: health{file: path, logger: set.Logger},
		id:     set.ID, telemetry: telemetry, queue: newQueue(maxQueueBytes), now: clock.Wall,
	}
	floor := &freespace.Floor{Directory: cfg.Directory, Min: int64(cfg.MinFreeDisk)}
	s.writer = &writer{
		floor: floor, path: path, queue: s.queue, health: &s.health, telemetry: telemetry, logger: set.Logger, retry: retryInterval,
		stop: make(chan struct{}),
		options: tracefile.Options{
			Retention: cfg.Retention, MaxBytes: int64(cfg.MaxBytes), Logger: set.Logger,
			Now: clock.Wall, ClockStable: func() bool { return clock.Look().Stable },
			Full: func() bool { return floor.Check() != nil },
		},
	}
	s.writer.options.Moved = s.writer.moved
	s.report(host.Health{Message: "The trace store was not started."})
	return s, nil
}

// Probe implements host.Prober: it returns the result of the last open, write or read of the file, and
// reports when the file must not grow.
func (s *store) Probe(ctx context.Context) host.Health {
	found := s.health.Probe(ctx)
	if reached := s.writer.floor.Check(); found.OK && reached != nil {
		return host.Health{Message: fmt.Sprintf("The trace store does not grow: %v.", reached)}
	}
	return found
}

// start opens the file and starts the writer. It does not fail if the file cannot be opened: the gateway accepts spans
// without a dashboard, Probe reports the failure, and the writer tries again.
func (s *store) start(_ context.Context, h component.Host) error {
	err := errors.Join(
		s.telemetry.RegisterExporterTraceStoreQueueBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(s.queue.size()))
			return nil
		}),
		s.telemetry.RegisterExporterTraceStoreUsedBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
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

// shutdown writes the queue and closes the file. If the disk does not answer in time, it stops waiting.
func (s *store) shutdown(ctx context.Context) error {
	defer s.telemetry.Shutdown()
	if s.writer.stopped == nil {
		return nil // it was not started
	}
	host.Retract(s.host, s.id, s)
	s.queue.close()
	close(s.writer.stop)
	ctx, cancel := context.WithTimeoutCause(ctx, closeTimeout, fmt.Errorf("the disk took longer than %s", closeTimeout))
	defer cancel()
	select {
	case <-s.writer.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d bytes of traces could not be written to %s in time: %w", s.queue.size(), s.file, context.Cause(ctx))
	}
}

// consume stores the traces in td or, if td is empty, those of a wire.Kept for this exporter. It returns when they are on the
// disk, or an error: then they can be sent again, and those already stored change nothing.
func (s *store) consume(ctx context.Context, td ptrace.Traces) error {
	c, err := s.enqueue(ctx, td)
	if err != nil {
		return retryable(err)
	}
	timeout := clock.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case <-c.done:
		return retryable(c.err)
	case <-timeout.C:
		return retryable(fmt.Errorf("%s has not been written to for %s", s.file, maxWait))
	case <-ctx.Done():
		return retryable(ctx.Err())
	}
}

// retryable turns an error into a retryable one; nil stays nil.
func retryable(err error) error {
	if err == nil {
		return nil
	}
	return &answer.Error{Class: answer.Retry, Text: err.Error(), Cause: err}
}

// enqueue queues the traces, all or none. It does all work that needs no disk in the caller's goroutine: there are many callers
// and one writer.
func (s *store) enqueue(ctx context.Context, td ptrace.Traces) (*call, error) {
	k := wire.KeptOf(ctx)
	if !k.For(s.id.String()) {
		return newCall(0), nil
	}
	if _, err := s.opened(); err != nil {
		return nil, err // before any work
	}
	if err := s.queue.refuses(); err != nil {
		return nil, err
	}
	var items []tracefile.Item
	if td.ResourceSpans().Len() == 0 && k != nil {
		k.Take()
		items = s.prepare(ctx, k)
	} else {
		own := keptPool.Get().(*wire.Kept)
		if err := fill(ctx, own, td); err != nil {
			return nil, fmt.Errorf("read traces: %w", err)
		}
		items = s.prepare(ctx, own)
		if own.Reset(); cap(own.Bytes) <= maxPooledBytes {
			keptPool.Put(own)
		}
	}
	c := newCall(len(items))
	if len(items) == 0 {
		return c, nil
	}
	return c, s.queue.push(items, c)
}

var keptPool = sync.Pool{New: func() any { return new(wire.Kept) }}

// maxPooledBytes is the most memory that a Kept keeps for the next call.
const maxPooledBytes = 8 << 20

// fill fills k with the traces of td.
func fill(ctx context.Context, k *wire.Kept, td ptrace.Traces) error {
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return err
	}
	defer release()
	_, err = k.Fill(r)
	return err
}

// prepare makes items of traces. It drops, and counts, those that can never be stored.
func (s *store) prepare(ctx context.Context, k *wire.Kept) []tracefile.Item {
	items := make([]tracefile.Item, 0, len(k.Traces))
	p := preparation{kept: k, now: s.now()}
	defer p.release()
	for t := range k.Traces {
		var item tracefile.Item
		err := safely.Run(func() (err error) { item, err = p.item(t); return err })
		switch {
		case errors.Is(err, errTooLarge):
			dropped(ctx, s.telemetry, "too_large", 1)
		case err != nil:
			dropped(ctx, s.telemetry, "failed", 1)
			s.logger.Error("trace not stored", zap.Stringer("trace_id", k.Traces[t].ID), zap.Error(err))
		default:
			items = append(items, item)
		}
	}
	return items
}

// preparation makes items of the traces of a Kept.
type preparation struct {
	kept    *wire.Kept
	now     time.Time
	batch   *assemble.Batch // of kept, to assemble traces that come without findings
	request []byte
	digests digest.Maker
}

func (p *preparation) release() {
	if p.batch != nil {
		p.batch.Release()
	}
}

var errTooLarge = fmt.Errorf("more than %d bytes", record.MaxTraceBytes)

// item makes the item of a trace. It does not examine a trace that is too large to be stored.
func (p *preparation) item(t int) (tracefile.Item, error) {
	kept := &p.kept.Traces[t]
	item := tracefile.Item{ID: kept.ID}
	p.request = p.kept.AppendRequest(p.request[:0], kept.From, kept.To)
	if item.Size = len(p.request); item.Size > record.MaxTraceBytes {
		return item, errTooLarge
	}
	found, ok := kept.Found.(*trace.Trace)
	if !ok {
		if p.batch == nil {
			p.batch = assemble.New(p.kept)
		}
		found = p.batch.Trace(t, assemble.Options{})
	}
	item.Digest = p.digests.Of(found, p.now)
	if entry := found.Entry(); entry >= 0 { // by the tracestate that it is sent with
		state := wire.TraceStateOf(p.kept, kept.From+found.Spans[entry].Source)
		item.Meta.Summary.AdjustedCount = tracestate.AdjustedCountOf(kept.ID, state)
	}
	item.Packed = record.Pack(p.request)
	return item, nil
}

// dropped counts traces that were not stored.
func dropped(ctx context.Context, telemetry *metadata.TelemetryBuilder, reason string, n int) {
	telemetry.ExporterTraceStoreDroppedTraces.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
}
