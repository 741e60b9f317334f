package tailsampling

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/drain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Sampler is the processor. Its methods may be called concurrently.
type Sampler struct {
	*drain.Drain
	id       component.ID
	cfg      *Config
	logger   *zap.Logger
	buffer   *buffer.Buffer
	policies *policies
	budget   *budget.Budget
	backlogs *budget.Backlogs
	output   *delivery.Output
	store    *recovery.Store // nil in memory
	refusals *refuse.Refusals
	decider  *buffer.Decider
	view     *status.View
	scratch  sync.Pool // of *intake.Request
	// fsync flushes the span log's files to the disk; tests replace it.
	fsync func() error
	life  lifecycle
}

// lifecycle is what starts and ends a sampler's goroutines.
type lifecycle struct {
	host   component.Host
	keeper exemplars.Keeper // keeps traces for objectives
	gate   sync.RWMutex     // held for reading while spans are taken in
	closed bool             // guarded by gate

	stop    chan struct{}      // ends what decide waits for
	drain   chan struct{}      // closed after the last decision
	abort   context.CancelFunc // cancels the senders; nil before the start
	decide  sync.WaitGroup     // the decider, Relieve, Shrink and Backlogs.Run
	deliver sync.WaitGroup     // the senders
	hangups func()             // ends the reloads by signal
}

func newLifecycle() lifecycle {
	return lifecycle{stop: make(chan struct{}), drain: make(chan struct{})}
}

var (
	_ processor.Traces = (*Sampler)(nil)
	_ host.Prober      = (*Sampler)(nil)
)

func newSampler(set processor.Settings, cfg *Config, next consumer.Traces, source Source) (*Sampler, error) {
	names := version.NewNames()
	policies, compiled, err := compileFirst(cfg, names, set.Logger)
	if err != nil {
		return nil, err
	}
	for _, w := range slices.Concat(cfg.Notices(), compiled.Warnings()) {
		set.Logger.Warn(w)
	}
	shared, err := newShared(cfg, names)
	if err != nil {
		return nil, err
	}
	p := &Sampler{id: set.ID, cfg: cfg, logger: set.Logger, fsync: shared.Pool.Sync, policies: policies}
	p.scratch.New = func() any { return new(intake.Request) }
	p.buffer = buffer.New(shared, cfg.shards(), compiled, set.Logger)
	if shared.Mapped {
		p.store = recovery.NewStore(cfg.Directory, p.buffer, names, set.Logger)
	} else {
		p.buffer.SetReady()
	}
	p.connect(next)
	p.life = newLifecycle()
	p.Drain = drain.New(p.buffer, p.view, &p.life.gate)
	p.policies.open(set.ID, source, p.buffer, &p.view.Reloads)
	metrics, err := status.NewMetrics(p.view, set.TelemetrySettings)
	p.decider = buffer.NewDecider(p.buffer, metrics)
	p.life.keeper = (*keeper)(p)
	return p, err
}

// connect creates the workers of the buffer and the view of it.
func (p *Sampler) connect(next consumer.Traces) {
	services, stages := new(tally.Services), new(tally.Stages)
	p.output = &delivery.Output{
		Settings: delivery.Settings{Patience: p.cfg.RefusalPatience, TracestateOnly: p.cfg.Attributes == attributesOff},
		Next:     next, Names: p.policies.versions.Names, Buffer: p.buffer, Services: services, Stages: stages, Logger: p.logger,
	}
	p.output.Open(p.cfg.Destinations, min(p.cfg.shards(), delivery.MaxSenders, max(2, runtime.GOMAXPROCS(0))))
	p.backlogs = &budget.Backlogs{
		Limit: int64(p.cfg.deliveryBudget()), Refuse: p.cfg.WhenFull == fullRefuse, GaveUp: p.output.GaveUp,
	}
	judgeIDs := watchIDs(p.buffer, p.cfg.Compat, p.logger)
	p.backlogs.Kept = func() {
		p.output.LogLosses(false)
		judgeIDs()
	}
	p.backlogs.Open(p.buffer, len(p.output.Destinations))
	p.budget = budget.New(p.buffer, budget.Settings{
		OnDisk: p.buffer.Mapped, Compression: p.cfg.compression(), Relieved: p.output.Flush,
	})
	p.view = &status.View{
		Buffer: p.buffer, Versions: p.policies.versions, Budget: p.budget, Backlogs: p.backlogs, Output: p.output,
		Services: services, Stages: stages, Store: p.store,
	}
	p.refusals = &refuse.Refusals{
		Memory: p.cfg.MemoryBudget, Disk: p.cfg.DiskBudget, Delivery: p.cfg.deliveryBudget(), Progress: p.view.Progress, Buffer: p.buffer, Logger: p.logger,
	}
	p.view.Refusals = p.refusals
}

// newShared translates the configuration for the shards.
func newShared(cfg *Config, names *version.Names) (*shard.Shared, error) {
	largest := uint64(cfg.MaximumTraceSizeBytes)
	if largest == 0 || largest > shard.MaxTraceSize {
		largest = shard.MaxTraceSize
	}
	share := func(n int) int { return (n + cfg.shards() - 1) / cfg.shards() }
	s := &shard.Shared{
		Waits: shard.Waits{
			Decision: cfg.DecisionWait, Root: cfg.DecisionWaitAfterRootReceived, Revive: cfg.ReviveWindow,
		},
		Destinations: delivery.Keys(cfg.Destinations), TraceSize: largest, MaxPending: int64(cfg.NumTraces), Ingest: cfg.SamplingStrategy == spanIngest,
		ReviveUpTo: budget.ReviveUpTo, Mapped: cfg.Storage == storageDisk, Epoch: clock.NewEpoch(), Seed: index.NewSeed(),
		Limits: shard.Limits{
			Sampled: share(cfg.DecisionCache.SampledCacheSize), Dropped: share(cfg.DecisionCache.NonSampledCacheSize),
			Records: share(cfg.Explain.Decisions), RevivableBytes: int64(share(int(cfg.reviveBudget()))),
		},
	}
	if cfg.LinkedTraces.Enabled {
		s.Limits.Ties, s.Limits.TiesPerTrace = share(2*cfg.LinkedTraces.MaxLinks), cfg.LinkedTraces.MaxLinksPerTrace
		s.LinksPerSpan = cfg.LinkedTraces.MaxLinksPerSpan
	}
	if s.Mapped {
		s.Pool = spanlog.NewDiskPool(int64(cfg.MemoryBudget), int64(cfg.DiskBudget), cfg.shards())
	} else {
		s.Pool = spanlog.NewPool(int64(cfg.MemoryBudget), cfg.shards())
	}
	var err error
	if s.LinkedNumber, err = names.Number(version.Name{Policy: linked.PolicyName}); err == nil {
		s.ObjectiveNumber, err = names.Number(version.Name{Policy: exemplars.PolicyName})
	}
	return s, err
}

// Capabilities declares that the processor does not change its input.
func (p *Sampler) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Probe is not OK while spans are refused (which blocks the gateway), while kept traces wait for the next component, and after a
// failed reload.
func (p *Sampler) Probe(context.Context) host.Health { return p.policies.health(p.view.Health()) }
