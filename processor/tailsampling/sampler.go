package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// Sampler is the processor. Its methods may be called concurrently.
type Sampler struct {
	id     component.ID
	cfg    *Config
	logger *zap.Logger
	next   consumer.Traces
	names  *names
	rules  atomic.Pointer[rules] // what traces that begin now go by, once their shard has it too
	host   component.Host

	began  time.Time
	onDisk bool
	seed   seed // not before ready
	pool   *spanlog.Pool
	store  *store // nil in memory
	fsync  *syncer
	// syncFiles forces the files to the disk; tests let it fail.
	syncFiles func() error
	shrinker  shrinker
	ready     atomic.Bool // what was buffered before the start is there again
	shards    []*shard
	emitters  []*emitter
	scratch   sync.Pool // of *ingest
	pending   atomic.Int64
	services  services

	timer  chan struct{} // wakes the decider
	runs   atomic.Int64  // of the decider
	stop   chan struct{} // ends it
	drain  chan struct{} // tells emitters that nothing more will be decided
	abort  context.CancelFunc
	decide sync.WaitGroup // the decider and the shrinker
	emit   sync.WaitGroup // the emitters

	gate   sync.RWMutex // held for reading while spans are taken in
	closed bool         // guarded by gate
	relief sync.Mutex   // who has it decides early

	reloading  sync.Mutex // who has it reads the configuration again
	swapping   sync.Mutex // who has it changes the rules
	configured configured // guarded by swapping
	versions   versions
	reloads    [reloadOutcomes]atomic.Int64
	source     Source // nil where the configuration cannot be read again
	hangups    func() // ends them

	telemetry *metadata.TelemetryBuilder
	outcomes
}

// outcomes are counters of what happens outside of shards.
type outcomes struct {
	times                     stageTimes
	appended                  atomic.Int64 // spans
	invalid                   atomic.Int64 // spans
	refusedFor                [reasons]atomic.Int64
	delivered, failed, lost   atomic.Int64 // spans
	unknown, withoutThreshold atomic.Int64 // spans
	repeats                   atomic.Int64 // spans
	retries                   atomic.Int64 // calls
	lastRefusal               atomic.Pointer[refusal]
	lastComplaint             atomic.Int64
}

var (
	_ processor.Traces = (*Sampler)(nil)
	_ host.Prober      = (*Sampler)(nil)
)

func newSampler(set processor.Settings, cfg *Config, next consumer.Traces) (*Sampler, error) {
	known := newNames()
	r, err := newRules(1, cfg, known, set.Logger)
	if err != nil {
		return nil, err
	}
	for _, w := range slices.Concat(cfg.Notices(), r.warnings()) {
		set.Logger.Warn(w)
	}
	p := &Sampler{
		id: set.ID, cfg: cfg, logger: set.Logger, next: next, names: known,
		configured: configured{policies: cfg.Policies, shadow: cfg.Shadow},
		began:      time.Now(), seed: newSeed(), onDisk: cfg.Storage == storageDisk,
		scratch:  sync.Pool{New: func() any { return new(ingest) }},
		shrinker: shrinker{wake: make(chan struct{}, 1)},
		timer:    make(chan struct{}, 1),
		stop:     make(chan struct{}),
		drain:    make(chan struct{}),
	}
	p.rules.Store(r)
	p.versions.add(r)
	if p.onDisk {
		p.pool = spanlog.NewDiskPool(int64(cfg.MemoryBudget), int64(cfg.DiskBudget), cfg.shards())
		p.store, p.syncFiles = &store{}, p.pool.Sync
	} else {
		p.pool = spanlog.NewPool(int64(cfg.MemoryBudget), cfg.shards())
		p.ready.Store(true)
	}
	for range min(cfg.shards(), maxEmitters, max(2, runtime.GOMAXPROCS(0))) {
		p.emitters = append(p.emitters, newEmitter(p))
	}
	linked, err := known.number(name{policy: linkedPolicy})
	if err != nil {
		return nil, err
	}
	for i := range cfg.shards() {
		s := newShard(cfg, r, p.pool, i, &p.pending)
		s.epoch, s.linkedNumber = p.began.UnixMilli(), linked
		s.sampled.seed, s.dropped.seed, s.records.seed = p.seed, p.seed, p.seed
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

// Start begins to decide and to deliver. With storage disk it first reads back what is there: where that takes longer
// than patience it goes on by itself, and spans are refused until it is done.
func (p *Sampler) Start(_ context.Context, h component.Host) error {
	p.host = h
	ctx, cancel := context.WithCancel(context.Background())
	p.abort = cancel
	if p.onDisk {
		if err := p.openStore(); err != nil {
			cancel()
			p.abort = nil
			return err
		}
		p.recover(ctx)
	} else {
		p.run(ctx)
	}
	p.listen()
	host.Announce(h, p.id, p)
	return nil
}

// listen reads the policies again when a signal asks for it. What goes wrong is logged by Reload.
func (p *Sampler) listen() {
	p.hangups = func() {}
	if p.source != nil {
		p.hangups = p.source.OnHangup(func(ctx context.Context) { _, _ = p.Reload(ctx) })
	}
}

// run starts the goroutines.
func (p *Sampler) run(ctx context.Context) {
	p.decide.Go(func() { p.decideDue(p.stop) })
	p.decide.Go(func() { p.shrink(p.stop) })
	for _, m := range p.emitters {
		p.emit.Go(func() { m.run(ctx, p.drain) })
	}
}

// Shutdown delivers what is kept, until ctx is done or shutdown_timeout is over. What is undecided stays on disk, as
// does what could not be delivered; in memory it is decided, and what is left in the end is lost, counted and told.
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
		p.hangups()
		if p.onDisk {
			p.store.interrupt()
		}
		err = p.finish(ctx)
	}
	// The metrics stay registered: the Collector collects them once more when all components have stopped, and what a
	// shutdown lost must be among them.
	if err == nil {
		err = p.close(started)
	}
	return err
}

// finish ends the goroutines.
func (p *Sampler) finish(ctx context.Context) error {
	close(p.stop)
	p.decide.Wait()
	p.decideLast()
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

// decideLast decides what is pending where it would be lost otherwise, and sends late parts on their way.
func (p *Sampler) decideLast() {
	for _, s := range p.shards {
		s.mu.Lock()
		if !p.onDisk || p.cfg.DropPendingTracesOnShutdown {
			s.decideAll(p.cfg.DropPendingTracesOnShutdown, p.now())
		}
		p.unlock(s)
	}
	for _, s := range p.shards {
		s.mu.Lock()
		s.forgetAll(p.now())
		s.queueAllLate()
		s.mu.Unlock()
	}
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
	if p.onDisk {
		p.logger.Info("the span log stays on disk for the next start", zap.String("directory", p.cfg.Directory),
			zap.Int64("spans", spans), zap.Int64("undelivered_traces", traces))
		return
	}
	if traces > 0 {
		p.lost.Add(spans)
		p.logger.Error("kept traces could not be delivered before the shutdown and are lost",
			zap.Int64("traces", traces), zap.Int64("spans", spans))
	}
}

// close gives the memory back, and the directory.
func (p *Sampler) close(started bool) error {
	for _, s := range p.shards {
		s.mu.Lock()
		s.log.Close()
		s.journal.Close()
		p.pool.Grow(-s.counted)
		s.counted = 0
		s.mu.Unlock()
	}
	err := p.fsync.close()
	p.pool.Close()
	if !p.onDisk || !started {
		return nil
	}
	return errors.Join(err, p.store.dir.Close())
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
	if !p.ready.Load() {
		return host.Health{Blocking: true, Message: p.progress()}
	}
	if last := p.lastRefusal.Load(); last != nil && now-last.at < recent {
		return host.Health{Blocking: true, Message: "refuses spans: " + last.message}
	}
	if err := p.fsync.health(); err != nil {
		return host.Health{Message: "spans would not survive a power cut: " + err.Error()}
	}
	st := p.sum()
	if at := p.retryAt(); at != 0 {
		return host.Health{Message: fmt.Sprintf("%d kept traces wait; next retry in %v",
			st.undelivered, time.Duration(max(0, at-now)).Round(100*time.Millisecond))}
	}
	if since := p.callingSince(); since != 0 && now-since > int64(slowDelivery) {
		return host.Health{Message: fmt.Sprintf("%d kept traces wait: the next component has not answered for %v",
			st.undelivered, time.Duration(now-since).Round(time.Second))}
	}
	return host.Health{OK: true, Message: fmt.Sprintf("%d traces wait for a decision, %s of %s used",
		st.pending, bytesize.About(p.pool.Used()), bytesize.About(p.pool.Limit()))}
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

// slowDelivery is how long the next component may take before that is worth telling. Exporters that retry by themselves
// do not return while their backend is away.
const slowDelivery = 10 * time.Second

// callingSince is since when the slowest call of the next component has not returned, 0 if there is none.
func (p *Sampler) callingSince() (since int64) {
	for _, m := range p.emitters {
		if t := m.calling.Load(); t != 0 && (since == 0 || t < since) {
			since = t
		}
	}
	return since
}
