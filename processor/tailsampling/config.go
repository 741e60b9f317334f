package tailsampling

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"time"

	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// Config is the configuration of contrib's tail sampling processor, with keys of slowburn's own.
type Config struct {
	// DecisionWait is the longest time from the arrival of a trace's first span to its decision.
	DecisionWait time.Duration `mapstructure:"decision_wait" units:"foreign"`
	// DecisionWaitAfterRootReceived is the time without a new span after which a trace that has its root span is
	// decided, before DecisionWait is over; 0 is never.
	DecisionWaitAfterRootReceived time.Duration `mapstructure:"decision_wait_after_root_received" units:"foreign"`
	// NumTraces is the largest number of traces that wait for a decision; 0 is no limit. Over it the oldest boring trace is
	// decided early.
	NumTraces uint64 `mapstructure:"num_traces"`
	// ExpectedNewTracesPerSec is a key of contrib's without effect here; see Notices. Memory grows as needed.
	ExpectedNewTracesPerSec uint64 `mapstructure:"expected_new_traces_per_sec"`
	// BlockOnOverflow is a key of contrib's without effect here; see Notices. Over NumTraces traces are decided
	// early; over MemoryBudget or DiskBudget spans are refused.
	BlockOnOverflow bool `mapstructure:"block_on_overflow"`
	// DecisionCache limits the decisions that are remembered for late spans.
	DecisionCache DecisionCacheConfig `mapstructure:"decision_cache"`
	// SampleOnFirstMatch does not charge the limits of policies after the first that samples a trace. See
	// policy.Options.
	SampleOnFirstMatch bool `mapstructure:"sample_on_first_match"`
	// SamplingStrategy is trace-complete, or span-ingest: a trace is decided as soon as no further span can change the
	// decision, at DecisionWait at the latest.
	SamplingStrategy string `mapstructure:"sampling_strategy"`
	// DropPendingTracesOnShutdown does not sample undecided traces at shutdown, whatever the policies say.
	DropPendingTracesOnShutdown bool `mapstructure:"drop_pending_traces_on_shutdown"`
	// DecideOnShutdown decides the undecided traces at shutdown and delivers the kept ones within ShutdownTimeout, for a gateway
	// that loses its disk. Otherwise they stay on disk for the next start.
	DecideOnShutdown bool `mapstructure:"decide_on_shutdown"`
	// MaximumTraceSizeBytes is the size of a trace's spans from which on only its root, spans with errors and very long
	// ones are added to it; 0 is no limit. At twice the size it is decided, and later spans follow.
	MaximumTraceSizeBytes units.Size `mapstructure:"maximum_trace_size_bytes"`
	// NumShards is the number of parts of the buffer that work in parallel; 0 follows GOMAXPROCS.
	NumShards int `mapstructure:"num_shards"`
	// TailStorage is a key of contrib's without effect here; see Notices. Storage takes its place.
	TailStorage string `mapstructure:"tail_storage"`
	// Policies decide. See package policy.
	Policies []policy.Config `mapstructure:"policies"`
	// Rules decide instead of Policies: the first that matches.
	Rules []policy.RuleConfig `mapstructure:"rules"`
	// Compat "contrib" makes policies decide as those of contrib's processor do, defects included.
	Compat string `mapstructure:"compat"`
	// Watch is the interval at which the configuration is read again, to reload policies that changed; 0 is never.
	Watch time.Duration `mapstructure:"watch"`
	// Shadow is a second set of policies, whose decisions are only counted.
	Shadow *ShadowConfig `mapstructure:"shadow"`
	// Explain limits the memory of decisions for explanations.
	Explain ExplainConfig `mapstructure:"explain"`

	// ReviveWindow is how long the spans of a trace that was not sampled stay, so that late spans can still make the
	// policies sample it; 0 is not at all. When room is short, these spans are evicted first.
	ReviveWindow time.Duration `mapstructure:"revive_window"`
	// ReviveBudget is the largest amount of spans that stay for ReviveWindow; the oldest are evicted first. 0 is a quarter of
	// DiskBudget, with storage memory of MemoryBudget.
	ReviveBudget units.Size `mapstructure:"revive_budget"`
	// LinkedTraces keeps traces that are linked with kept ones.
	LinkedTraces LinkedTracesConfig `mapstructure:"linked_traces"`
	// ObjectiveExemplars is the largest number of traces with a bad event that are kept for one objective and minute, although no
	// policy samples them; 0 is none.
	ObjectiveExemplars int `mapstructure:"objective_exemplars"`
	// Storage is where spans are buffered: disk, where they survive a crash, or memory.
	Storage string `mapstructure:"storage"`
	// Directory is where the files are with storage disk. One process, and one processor in it, can use it.
	Directory string `mapstructure:"directory"`
	// DiskBudget is the most disk for buffered spans and the journal of decisions. Near it traces are decided early, over
	// it spans are refused.
	DiskBudget units.Size `mapstructure:"disk_budget"`
	// Fsync says when files are flushed to the disk, and so what a power cut may cost: never (the system decides),
	// interval, or always (before a request is answered).
	Fsync string `mapstructure:"fsync"`
	// FsyncInterval is the time between flushes with fsync interval.
	FsyncInterval time.Duration `mapstructure:"fsync_interval"`
	// Compression says when full segments are compressed: never, always, or auto (when a budget runs short).
	Compression string `mapstructure:"compression"`
	// MemoryBudget is the most memory for buffered spans and their index. Near it traces are decided early, over it spans
	// are refused. The memory of decisions comes on top. The default is 512MiB where the memory limit is 1GiB or more, else
	// what the other parts of the process leave: eleven sixteenths of the limit less 192MiB, 16MiB at least.
	MemoryBudget units.Size `mapstructure:"memory_budget"`
	// DeliveryBudget is the most bytes of spans that wait for their delivery, in equal shares of the destinations; shares that are
	// not used are lent. 0 is half of DiskBudget, with storage memory half of MemoryBudget.
	DeliveryBudget units.Size `mapstructure:"delivery_budget"`
	// WhenFull says what happens over DeliveryBudget: give_up (the destination that is furthest over its share loses its oldest
	// traces) or refuse (new spans are refused).
	WhenFull string `mapstructure:"when_full"`
	// RefusalPatience is how long a destination may refuse the gateway itself, as for a wrong credential. Then it loses the
	// traces that have waited as long.
	RefusalPatience time.Duration `mapstructure:"refusal_patience"`
	// Attributes writes facts about a kept trace, such as its policy, on its spans: on or off. The weight is written
	// either way.
	Attributes string `mapstructure:"attributes"`
	// ShutdownTimeout is how long a shutdown waits for the next component to accept kept traces.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`
	// Destinations take the kept traces. The confmap converter of package wirepath writes this key from the pipelines that
	// the processor is in, and refuses it in a file. Without the converter all components that follow are one destination,
	// which takes decoded spans.
	Destinations []destination.Destination `mapstructure:"destinations"`
}

// DecisionCacheConfig limits the latest decisions that are remembered. One takes up to 56 bytes.
type DecisionCacheConfig struct {
	// SampledCacheSize is the limit for sampled traces. With 0 their late spans are decided as traces of their own.
	SampledCacheSize int `mapstructure:"sampled_cache_size"`
	// NonSampledCacheSize is the limit for traces that were not sampled or dropped.
	NonSampledCacheSize int `mapstructure:"non_sampled_cache_size"`
}

// ShadowConfig is a second set of policies or of rules, which decides the same traces and is only counted.
type ShadowConfig struct {
	Policies []policy.Config     `mapstructure:"policies"`
	Rules    []policy.RuleConfig `mapstructure:"rules"`
}

// ExplainConfig limits the memory of decisions for explanations.
type ExplainConfig struct {
	// Decisions is the number of the latest decisions that are remembered. Each takes about 120 bytes, and 16 more for
	// every 64 policies after the first. 0 remembers none.
	Decisions int `mapstructure:"decisions"`
}

// LinkedTracesConfig configures how traces are kept that span links connect with a kept one, in either
// direction.
type LinkedTracesConfig struct {
	// Enabled keeps a linked trace that is undecided or can still be revived. It gets no weight.
	Enabled bool `mapstructure:"enabled"`
	// MaxLinksPerSpan is the number of a span's links that are read.
	MaxLinksPerSpan int `mapstructure:"max_links_per_span"`
	// MaxLinksPerTrace is the largest number of other traces that one is linked with.
	MaxLinksPerTrace int `mapstructure:"max_links_per_trace"`
	// MaxLinks is the number of the latest links between traces that are remembered. One takes up to 110 bytes.
	MaxLinks int `mapstructure:"max_links"`
}

const (
	compatContrib = "contrib"
	traceComplete = "trace-complete"
	spanIngest    = "span-ingest"
	storageMemory = "memory"
	storageDisk   = "disk"
	maxShards     = 256
	maxCacheSize  = 1 << 30
)

// minDeliveryBudget is the least delivery_budget and revive_budget. A smaller value is a number without its unit, taken for bytes.
const minDeliveryBudget units.Size = 1 << 20

// leastWait is the least wait. A shorter one is a number without its unit, taken for nanoseconds.
const leastWait = time.Millisecond

// Validate reports everything that is wrong with the configuration.
func (cfg *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if cfg.DecisionWait < leastWait {
		bad("decision_wait: %v must be at least %v; write it with a unit, such as 10s", cfg.DecisionWait, leastWait)
	}
	if cfg.DecisionWaitAfterRootReceived < 0 {
		bad("decision_wait_after_root_received: %v must not be negative; 0 switches it off", cfg.DecisionWaitAfterRootReceived)
	}
	if cfg.ReviveWindow < 0 {
		bad("revive_window: %v must not be negative; 0 switches it off", cfg.ReviveWindow)
	}
	if n := cfg.DecisionCache.SampledCacheSize; n < 0 || n > maxCacheSize {
		bad("decision_cache::sampled_cache_size: %d must be between 0 and %d", n, maxCacheSize)
	}
	if n := cfg.DecisionCache.NonSampledCacheSize; n < 0 || n > maxCacheSize {
		bad("decision_cache::non_sampled_cache_size: %d must be between 0 and %d", n, maxCacheSize)
	}
	if s := cfg.SamplingStrategy; s != traceComplete && s != spanIngest {
		bad("sampling_strategy: %q is not one of %s, %s", s, traceComplete, spanIngest)
	}
	cfg.LinkedTraces.validate(bad)
	if n := cfg.ObjectiveExemplars; n < 0 || n > exemplars.MaxPerMinute {
		bad("objective_exemplars: %d must be between 1 and %d, or 0 to keep no trace for an objective", n, exemplars.MaxPerMinute)
	}
	cfg.validateStorage(bad)
	cfg.validateWatch(bad)
	cfg.validateDelivery(bad)
	cfg.validateRevive(bad)
	if cfg.NumShards < 0 || cfg.NumShards > maxShards {
		bad("num_shards: %d must be between 1 and %d, or 0 to follow the number of CPUs", cfg.NumShards, maxShards)
	} else if least := int64(cfg.shards()) * spanlog.MinBytesPerShard; int64(cfg.MemoryBudget) < least {
		bad("memory_budget: %s must be at least %s for num_shards %d", cfg.MemoryBudget, units.Size(least), cfg.shards())
	}
	if cfg.MaximumTraceSizeBytes < 0 {
		bad("maximum_trace_size_bytes: %s must not be negative; 0 is no limit", cfg.MaximumTraceSizeBytes)
	}
	if cfg.DecideOnShutdown && cfg.DropPendingTracesOnShutdown {
		bad("decide_on_shutdown: does not go with drop_pending_traces_on_shutdown; remove one of them")
	}
	if cfg.ShutdownTimeout <= 0 {
		bad("shutdown_timeout: %v must be greater than 0", cfg.ShutdownTimeout)
	}
	if cfg.Compat != "" && cfg.Compat != compatContrib {
		bad("compat: %q is not %s; write that, or remove the key", cfg.Compat, compatContrib)
	}
	if n := cfg.Explain.Decisions; n < 0 || n > maxCacheSize {
		bad("explain::decisions: %d must be between 0 and %d", n, maxCacheSize)
	}
	if _, _, err := cfg.compileAll(nil); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// options returns the options of the policies.
func (cfg *Config) options() policy.Options {
	return policy.Options{Contrib: cfg.Compat == compatContrib, FirstMatch: cfg.SampleOnFirstMatch}
}

// Values of fsync, compression, when_full and attributes.
const (
	fullGiveUp, fullRefuse                      = "give_up", "refuse"
	attributesOn, attributesOff                 = "on", "off"
	fsyncNever, fsyncInterval, fsyncAlways      = "never", "interval", "always"
	compressNever, compressAuto, compressAlways = "never", "auto", "always"
)

func (cfg *LinkedTracesConfig) validate(bad func(string, ...any)) {
	const most = 1 << 10
	if n := cfg.MaxLinksPerSpan; n < 1 || n > most {
		bad("linked_traces::max_links_per_span: %d must be between 1 and %d", n, most)
	}
	if n := cfg.MaxLinksPerTrace; n < 1 || n > most {
		bad("linked_traces::max_links_per_trace: %d must be between 1 and %d", n, most)
	}
	if n := cfg.MaxLinks; n < 1 || n > maxCacheSize {
		bad("linked_traces::max_links: %d must be between 1 and %d", n, maxCacheSize)
	}
}

func (cfg *Config) validateStorage(bad func(string, ...any)) {
	switch cfg.Compression {
	case compressNever, compressAuto, compressAlways:
	default:
		bad("compression: %q is not one of %s, %s, %s", cfg.Compression, compressAuto, compressAlways, compressNever)
	}
	switch cfg.Storage {
	case storageMemory:
		return
	case storageDisk:
	default:
		bad("storage: %q is not one of %s, %s", cfg.Storage, storageDisk, storageMemory)
		return
	}
	if cfg.Directory == "" {
		bad("directory: is empty; write where storage: %s keeps its files", storageDisk)
	}
	switch cfg.Fsync {
	case fsyncNever, fsyncAlways:
	case fsyncInterval:
		if cfg.FsyncInterval <= 0 {
			bad("fsync_interval: %v must be greater than 0", cfg.FsyncInterval)
		}
	default:
		bad("fsync: %q is not one of %s, %s, %s", cfg.Fsync, fsyncNever, fsyncInterval, fsyncAlways)
	}
	if least := int64(cfg.shards()) * spanlog.MinBytesPerShard; cfg.NumShards >= 0 && int64(cfg.DiskBudget) < least {
		bad("disk_budget: %s must be at least %s for num_shards %d", cfg.DiskBudget, units.Size(least), cfg.shards())
	}
}

func (cfg *Config) validateRevive(bad func(string, ...any)) {
	key, room := cfg.room()
	if n := cfg.ReviveBudget; n != 0 && n < minDeliveryBudget {
		bad("revive_budget: %s must be at least %s; write it with a unit, such as 512MiB, or 0 for a quarter of %s", n, minDeliveryBudget, key)
	} else if most := units.Size(float64(room) * budget.ReviveUpTo); n > most {
		bad("revive_budget: %s must be at most %s, the share of %s up to which traces stay; 0 is a quarter of it", n, most, key)
	}
}

func (cfg *Config) validateDelivery(bad func(string, ...any)) {
	key, room := cfg.room()
	// A larger backlog would leave too little room for undecided traces.
	if n := cfg.DeliveryBudget; n != 0 && n < minDeliveryBudget {
		bad("delivery_budget: %s must be at least %s; write it with a unit, such as 512MiB, or 0 for half of %s", n, minDeliveryBudget, key)
	} else if most := room / 4 * 3; n > most {
		bad("delivery_budget: %s must be at most %s, three quarters of %s; 0 is half of it", n, most, key)
	}
	if w := cfg.WhenFull; w != fullGiveUp && w != fullRefuse {
		bad("when_full: %q is not one of %s, %s", w, fullGiveUp, fullRefuse)
	}
	if cfg.RefusalPatience < leastWait {
		bad("refusal_patience: %v must be at least %v; write it with a unit, such as 1h", cfg.RefusalPatience, leastWait)
	}
	if a := cfg.Attributes; a != attributesOn && a != attributesOff {
		bad("attributes: %q is not one of %s, %s", a, attributesOn, attributesOff)
	}
	if n := len(cfg.Destinations); n > outbox.MaxDestinations {
		bad("the pipelines behind the processor have %d destinations, and must have at most %d: put a second tail_sampling "+
			"in front of some of the exporters", n, outbox.MaxDestinations)
	}
}

// room returns the budget that spans wait in, and its key.
func (cfg *Config) room() (key string, bytes units.Size) {
	if cfg.Storage == storageMemory {
		return "memory_budget", cfg.MemoryBudget
	}
	return "disk_budget", cfg.DiskBudget
}

// deliveryBudget is DeliveryBudget, or its default if that is 0.
func (cfg *Config) deliveryBudget() units.Size {
	if cfg.DeliveryBudget > 0 {
		return cfg.DeliveryBudget
	}
	_, room := cfg.room()
	return room / 2
}

// reviveBudget is ReviveBudget, or its default if that is 0.
func (cfg *Config) reviveBudget() units.Size {
	if cfg.ReviveBudget > 0 {
		return cfg.ReviveBudget
	}
	_, room := cfg.room()
	return room / 4
}

// shards returns the number of shards: by default twice the number of threads, so that these seldom meet.
func (cfg *Config) shards() int {
	if cfg.NumShards > 0 {
		return cfg.NumShards
	}
	return min(maxShards, 1<<bits.Len(uint(2*runtime.GOMAXPROCS(0)-1)))
}

// defaultMemoryBudget derives MemoryBudget from the memory limit of the process.
func defaultMemoryBudget() units.Size {
	limit, ok := cgroup.Limit()
	if !ok {
		return mostMemoryBudget
	}
	return memoryBudgetWithin(limit)
}

const leastMemoryBudget, mostMemoryBudget = 16 << 20, 512 << 20

func memoryBudgetWithin(limit int64) units.Size {
	return units.Size(min(max(limit/16*11-192<<20, leastMemoryBudget)&^(1<<20-1), mostMemoryBudget))
}

// compression returns the validated value.
func (cfg *Config) compression() budget.Compression {
	switch cfg.Compression {
	case compressAlways:
		return budget.Always
	case compressAuto:
		return budget.Auto
	default:
		return budget.Never
	}
}
