package sli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
)

// logEvery is how often a lasting failure is logged.
const logEvery = time.Minute

// emitting is the component from traces to metrics. The Collector passes it the same spans as passing, before or after it; it
// counts them only if there is no passing.
type emitting struct {
	*Connector
	flusher *flusher
	cancel  context.CancelFunc
	done    chan struct{}
	// logged is when a failure was last logged, zero after a success.
	logged time.Time
}

var _ connector.Traces = (*emitting)(nil)

func (*emitting) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeTraces counts the spans if no passing does. A request that cannot be read is a permanent error.
func (e *emitting) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if e.passesOn {
		return nil
	}
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	defer release()
	return e.once(ctx, r, nil, func() (bool, error) { return true, nil })
}

// Start begins to emit.
func (e *emitting) Start(_ context.Context, h component.Host) error {
	if err := e.start(h); err != nil {
		return err
	}
	e.begin()
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel, e.done = cancel, make(chan struct{})
	go e.run(ctx)
	return nil
}

// begin makes the flusher, which continues after the last flush of the previous process.
func (e *emitting) begin() {
	e.flusher = newFlusher(e.keeper.Counter(), e.metrics, identity(e.keeper.Name()), e.cfg, clock.Wall())
	clock.NotBefore(time.UnixMilli(e.keeper.Flushed()), "what was counted before this start")
	e.flusher.last = max(e.flusher.last, e.keeper.Flushed())
	e.flusher.unsent = e.keeper.Flushed()
	e.flusher.secure, e.flusher.evidence = e.keeper.AwaitMarked, &e.evidence
	e.flusher.heartbeats = e.out.heartbeats
}

// Shutdown flushes for the last time. The Collector stops components in the order of the data flow: those that send spans here
// have stopped, those that receive the metrics have not.
func (e *emitting) Shutdown(ctx context.Context) error {
	defer e.stop()
	if e.cancel == nil {
		return e.closeKeeper() // never started
	}
	e.cancel()
	<-e.done
	err := e.flush(ctx, afterCounts(max(clock.Wall().UnixMilli(), e.flusher.last+1)))
	switch {
	case err == nil:
	case e.keeper.Volatile() != nil:
		err = fmt.Errorf("counts since the last flush are lost: %w", err)
	default:
		err = fmt.Errorf("counts since the last flush are sent after the next start: %w", err)
	}
	return errors.Join(err, e.closeKeeper())
}

// afterCounts returns a time in ms whose samples have all counts until the given one: a sample at the first instant of a minute has
// those before it.
func afterCounts(at int64) int64 {
	if at%time.Minute.Milliseconds() == 0 {
		at++
	}
	return at
}

func (e *emitting) closeKeeper() error {
	if e.keeper == nil {
		return nil
	}
	if err := e.keeper.Close(); err != nil {
		return fmt.Errorf("keep the counts: %w", err)
	}
	return nil
}

// run flushes at every instant of the believed wall clock's grid, until ctx ends.
func (e *emitting) run(ctx context.Context) {
	defer close(e.done)
	interval := e.cfg.Interval
	for {
		now := clock.Wall()
		timer := clock.NewTimer(now.Truncate(interval).Add(interval).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		e.emit(ctx)
	}
}

// emit flushes at the believed time. A time that is a little before the last flush is skipped; if the clock was set back
// further, flushes go back with it.
func (e *emitting) emit(ctx context.Context) {
	at := floor(clock.Wall().UnixMilli(), e.cfg.Interval)
	if behind := time.Duration(e.flusher.last-at) * time.Millisecond; behind > clock.JumpAllowed {
		e.set.Logger.Warn("clock set back: counts are sent with the time that it shows now", zap.Duration("by", behind))
		e.flusher.setBack(at)
	}
	if at > e.flusher.last {
		_ = e.flush(ctx, at) // logged, counted, and reported by Probe
	}
}

// flush sends all counts to the metrics pipeline, and measures, logs and shows the result.
func (e *emitting) flush(ctx context.Context, at int64) (err error) {
	var r report
	e.out.begin(clock.Now())
	e.keeper.Flush(at, func() { r, err = e.flusher.flush(ctx, at) })
	e.out.end(at, r.events, err)
	e.judgeClocks(ctx, at)
	e.telemetry.ConnectorSliFlushes.Add(ctx, 1)
	var volatile int64
	if e.keeper.Volatile() != nil {
		volatile = 1
	}
	e.telemetry.ConnectorSliVolatile.Record(ctx, volatile)
	if err == nil {
		e.telemetry.ConnectorSliSeries.Record(ctx, int64(r.series))
		e.telemetry.ConnectorSliMaxSeries.Record(ctx, int64(e.cfg.Limits.series()))
		if !e.logged.IsZero() {
			e.logged = time.Time{}
			e.set.Logger.Info("metrics pipeline took the counts again")
		}
		return nil
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return err // Shutdown cancelled it, and flushes itself next
	}
	e.telemetry.ConnectorSliFailedFlushes.Add(ctx, 1)
	e.out.failure.Store(&err)
	e.warn(clock.Now(), "metrics pipeline refused the counts; they are kept, and sent again at the next interval", zap.Error(err))
	return err
}

// warn logs a failure, at most once per logEvery.
func (e *emitting) warn(now time.Time, message string, fields ...zap.Field) {
	if now.Sub(e.logged).Abs() >= logEvery {
		e.logged = now
		e.set.Logger.Warn(message, fields...)
	}
}
