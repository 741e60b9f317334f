package tailsampling

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/drain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/fsync"
)

// recoveryTimeout is how long Start waits for the recovery.
const recoveryTimeout = time.Second

// Start begins to decide and to deliver. With storage disk it reads the span log back first. After recoveryTimeout
// that goes on in the background, and spans are refused until it is done.
func (p *Sampler) Start(_ context.Context, h component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	if p.store != nil {
		if err := p.store.Open(); err != nil {
			cancel()
			return err
		}
	}
	p.life.host, p.life.abort = h, cancel
	p.output.LogDestinations()
	if p.store == nil {
		p.run(ctx)
	} else {
		var onSyncFailed func()
		if p.cfg.Fsync != fsyncNever {
			onSyncFailed = p.buffer.Rewrite
		}
		p.store.Recover(recoveryTimeout, onSyncFailed, func() {
			p.view.Syncer.Store(p.newSyncer())
			p.buffer.Pool.Defer(p.buffer.WriteDeferred)
			p.buffer.WriteDeferred()
			p.buffer.SetReady()
			p.run(ctx)
		})
	}
	p.life.hangups = p.policies.listen()
	host.Announce(h, p.id, p)
	return nil
}

// newSyncer starts the flushes of files. It returns nil if they are left to the system.
func (p *Sampler) newSyncer() *fsync.Syncer {
	switch p.cfg.Fsync {
	case fsyncInterval:
		return fsync.New(p.fsync, p.cfg.FsyncInterval)
	case fsyncAlways:
		return fsync.New(p.fsync, 0)
	default:
		return nil
	}
}

// run starts the goroutines.
func (p *Sampler) run(ctx context.Context) {
	p.life.decide.Go(func() { p.decider.Run(p.life.stop) })
	p.life.decide.Go(func() { p.budget.Relieve(p.life.stop) })
	p.life.decide.Go(func() { p.budget.Shrink(p.life.stop) })
	p.life.decide.Go(func() { p.backlogs.Run(p.life.stop) })
	for _, s := range p.output.Senders() {
		p.life.deliver.Go(func() { s.Run(ctx, p.life.drain) })
	}
}

// Shutdown delivers kept traces until ctx is done or shutdown_timeout is over. With storage disk, undecided and
// undelivered traces stay for the next start. With storage memory, undecided traces are decided, and the undelivered
// ones are lost, counted and logged.
func (p *Sampler) Shutdown(ctx context.Context) error {
	p.life.gate.Lock()
	started, closed := p.life.abort != nil, p.life.closed
	p.life.closed = true
	p.life.gate.Unlock()
	if closed {
		return nil
	}
	var err error
	if started {
		host.Retract(p.life.host, p.id, p)
		p.life.hangups()
		if p.store != nil {
			p.store.Interrupt()
		}
		err = p.finish(ctx)
	}
	// The metrics stay registered: the Collector collects them once more when all components have stopped, and they
	// must include the losses of a shutdown.
	if err == nil {
		err = p.close(started)
	}
	return err
}

// finish ends the goroutines.
func (p *Sampler) finish(ctx context.Context) error {
	close(p.life.stop)
	p.life.decide.Wait()
	p.decideLast()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ShutdownTimeout)
	defer cancel()
	close(p.life.drain)
	done := make(chan struct{})
	go func() {
		p.life.deliver.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	p.life.abort()
	// A next component that heeds its context returns within this time.
	const grace = time.Second
	select {
	case <-done:
	case <-clock.After(grace):
		p.countLost()
		return errors.New("tail_sampling: the next component did not return; its call is abandoned")
	}
	p.countLost()
	return nil
}

// decideLast decides pending traces if the shutdown would lose them or the configuration says so, and queues late parts for
// delivery.
func (p *Sampler) decideLast() {
	dropped := p.cfg.DropPendingTracesOnShutdown
	drain.Decide(p.buffer, p.store == nil || dropped || p.cfg.DecideOnShutdown && p.buffer.Ready(), dropped)
}

// countLost counts and logs the undelivered traces that are lost.
func (p *Sampler) countLost() {
	p.output.LogLosses(true)
	var traces, spans int64
	for _, m := range p.buffer.Members {
		m.Lock()
		traces += m.Tally().Stats.Undelivered
		spans += m.Tally().Stats.Spans
		m.Unlock()
	}
	if p.store != nil {
		p.logger.Info("the span log stays on disk for the next start", zap.String("directory", p.cfg.Directory),
			zap.Int64("spans", spans), zap.Int64("undelivered_traces", traces))
		return
	}
	if traces > 0 {
		p.output.Lost.Add(spans)
		p.logger.Error("kept traces could not be delivered before the shutdown and are lost",
			zap.Int64("traces", traces), zap.Int64("spans", spans))
	}
}

// close frees the memory and releases the directory.
func (p *Sampler) close(started bool) error {
	p.buffer.Close()
	err := p.view.Syncer.Load().Close()
	p.buffer.Pool.Close()
	if p.store == nil || !started {
		return nil
	}
	return errors.Join(err, p.store.Close())
}
