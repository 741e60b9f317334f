package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// Sampler is the processor. Its methods may be called concurrently.
type Sampler struct {
	id       component.ID
	cfg      *Config
	logger   *zap.Logger
	next     consumer.Traces
	policies *policy.Set
	host     component.Host

	began    time.Time
	seed     seed
	pool     *spanlog.Pool
	shards   []*shard
	emitters []*emitter
	scratch  sync.Pool // of *ingest
	pending  atomic.Int64

	timer  chan struct{} // wakes the decider
	runs   atomic.Int64  // of the decider
	stop   chan struct{} // ends it
	drain  chan struct{} // tells emitters that nothing more will be decided
	abort  context.CancelFunc
	decide sync.WaitGroup // the decider
	emit   sync.WaitGroup // the emitters

	gate   sync.RWMutex // held for reading while spans are taken in
	closed bool         // guarded by gate
	relief sync.Mutex   // who has it decides early

	telemetry *metadata.TelemetryBuilder
	outcomes
}

// outcomes are counters of what happens outside of shards.
type outcomes struct {
	refused, invalid          atomic.Int64 // spans
	delivered, failed, lost   atomic.Int64 // spans
	unknown, withoutThreshold atomic.Int64 // spans
	retries                   atomic.Int64 // calls
	lastRefusal               atomic.Int64 // when, 0 before the first
	lastComplaint             atomic.Int64
}

var (
	_ processor.Traces = (*Sampler)(nil)
	_ host.Prober      = (*Sampler)(nil)
)

func newSampler(set processor.Settings, cfg *Config, next consumer.Traces) (*Sampler, error) {
	policies, err := policy.Compile(cfg.Policies)
	if err != nil {
		return nil, err
	}
	for _, w := range policies.Warnings() {
		set.Logger.Warn(w)
	}
	p := &Sampler{
		id: set.ID, cfg: cfg, logger: set.Logger, next: next, policies: policies,
		began: time.Now(), seed: newSeed(),
		pool:    spanlog.NewPool(int64(cfg.MemoryBudget), cfg.shards()),
		scratch: sync.Pool{New: func() any { return new(ingest) }},
		timer:   make(chan struct{}, 1),
		stop:    make(chan struct{}),
		drain:   make(chan struct{}),
	}
	for range min(cfg.shards(), maxEmitters, max(2, runtime.GOMAXPROCS(0))) {
		p.emitters = append(p.emitters, newEmitter(p))
	}
	for i := range cfg.shards() {
		s := newShard(cfg, policies, p.pool, p.seed, &p.pending)
		m := p.emitters[i%len(p.emitters)]
		s.emitter, m.shards = m.wake, append(m.shards, s)
		p.shards = append(p.shards, s)
	}
	return p, p.observe(set.TelemetrySettings)
}

// Capabilities says that what is passed in is left as it is.
func (p *Sampler) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// now is in nanoseconds since the sampler began.
func (p *Sampler) now() int64 { return int64(time.Since(p.began)) }

// Start begins to decide and to deliver.
func (p *Sampler) Start(_ context.Context, h component.Host) error {
	p.host = h
	ctx, cancel := context.WithCancel(context.Background())
	p.abort = cancel
	p.decide.Go(func() { p.decideDue(p.stop) })
	for _, m := range p.emitters {
		p.emit.Go(func() { m.run(ctx, p.drain) })
	}
	host.Announce(h, p.id, p)
	return nil
}

// Shutdown decides what is pending and delivers what is kept, until ctx is done or shutdown_timeout is over. What is
// left then is lost, counted and told.
func (p *Sampler) Shutdown(ctx context.Context) error {
	p.gate.Lock()
	started, closed := p.abort != nil, p.closed
	p.closed = true
	p.gate.Unlock()
	if closed {
		return nil
	}
	var err error
	if started {
		host.Retract(p.host, p.id, p)
		err = p.finish(ctx)
	}
	p.telemetry.Shutdown()
	if err == nil {
		p.close()
	}
	return err
}

// finish ends the goroutines.
func (p *Sampler) finish(ctx context.Context) error {
	close(p.stop)
	p.decide.Wait()
	for _, s := range p.shards {
		s.mu.Lock()
		s.decideAll(p.cfg.DropPendingTracesOnShutdown, p.now())
		s.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ShutdownTimeout)
	defer cancel()
	close(p.drain)
	done := make(chan struct{})
	go func() {
		p.emit.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	p.abort()
	// A call of the next component that heeds its context returns now.
	const grace = time.Second
	select {
	case <-done:
	case <-time.After(grace):
		p.countLost()
		return errors.New("tail_sampling: the next component does not return, so that its call is left behind")
	}
	p.countLost()
	return nil
}

// countLost counts and tells what could not be delivered.
func (p *Sampler) countLost() {
	var traces, spans int64
	for _, s := range p.shards {
		s.mu.Lock()
		traces += s.stats.undelivered
		spans += s.stats.spans
		s.mu.Unlock()
	}
	if traces > 0 {
		p.lost.Add(spans)
		p.logger.Error("kept traces could not be delivered before the shutdown and are lost",
			zap.Int64("traces", traces), zap.Int64("spans", spans))
	}
}

// close gives the memory back.
func (p *Sampler) close() {
	for _, s := range p.shards {
		s.mu.Lock()
		s.log.Close()
		p.pool.Grow(-s.counted)
		s.counted = 0
		s.mu.Unlock()
	}
	p.pool.Close()
}

// complain logs that delivering failed, at most every ten seconds: counters tell how often.
func (p *Sampler) complain(message string, err error, spans int64) {
	const every = int64(10 * time.Second)
	now, last := p.now(), p.lastComplaint.Load()
	if last != 0 && now-last < every || !p.lastComplaint.CompareAndSwap(last, now) {
		return
	}
	p.logger.Warn(message, zap.Error(err), zap.Int64("spans", spans))
}

// Probe tells whether spans are refused (which blocks the gateway) or kept traces wait for the next component.
func (p *Sampler) Probe(context.Context) host.Health {
	const recent = int64(5 * time.Second)
	now := p.now()
	if last := p.lastRefusal.Load(); last != 0 && now-last < recent {
		return host.Health{Blocking: true, Message: fmt.Sprintf("refuses spans: memory_budget of %s is used up; "+
			"see whether the next component accepts traces, or raise memory_budget", Size(p.pool.Limit()))}
	}
	st := p.sum()
	if at := p.retryAt(); at != 0 {
		return host.Health{Message: fmt.Sprintf("%d kept traces wait; next retry in %v",
			st.undelivered, time.Duration(max(0, at-now)).Round(100*time.Millisecond))}
	}
	return host.Health{OK: true, Message: fmt.Sprintf("%d traces wait for a decision, %s of %s used",
		st.pending, about(p.pool.Used()), about(p.pool.Limit()))}
}

// retryAt is when the first emitter that waits after an error tries again, 0 if none does.
func (p *Sampler) retryAt() (at int64) {
	for _, m := range p.emitters {
		if t := m.retryAt.Load(); t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	return at
}
