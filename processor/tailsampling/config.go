package tailsampling

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"time"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// Config is that of contrib's tail sampling processor, and keys of slowburn's own.
type Config struct {
	// DecisionWait is how long after the arrival of a trace's first span it is decided at the latest.
	DecisionWait time.Duration `mapstructure:"decision_wait" units:"foreign"`
	// DecisionWaitAfterRootReceived is how long after its root span, and the last span after that, a trace is decided
	// if that is earlier; 0 is never.
	DecisionWaitAfterRootReceived time.Duration `mapstructure:"decision_wait_after_root_received" units:"foreign"`
	// NumTraces is the most traces that wait for a decision; 0 is no limit. The oldest boring one over it is decided early.
	NumTraces uint64 `mapstructure:"num_traces"`
	// ExpectedNewTracesPerSec is a key of contrib's without a meaning here; see Notices. Memory grows as needed.
	ExpectedNewTracesPerSec uint64 `mapstructure:"expected_new_traces_per_sec"`
	// BlockOnOverflow is a key of contrib's without a meaning here; see Notices. Nothing overflows: NumTraces decides
	// traces early, and over MemoryBudget or DiskBudget spans are refused.
	BlockOnOverflow bool `mapstructure:"block_on_overflow"`
	// DecisionCache is how many decisions are remembered for late spans.
	DecisionCache DecisionCacheConfig `mapstructure:"decision_cache"`
	// SampleOnFirstMatch says that policies after the first that samples a trace do not take account of it: limits are
	// not charged. See policy.Options.
	SampleOnFirstMatch bool `mapstructure:"sample_on_first_match"`
	// SamplingStrategy is trace-complete, or span-ingest: a trace is decided as soon as it is certain what the decision
	// will be, whatever spans follow, and at DecisionWait like others if it never is.
	SamplingStrategy string `mapstructure:"sampling_strategy"`
	// DropPendingTracesOnShutdown does not sample what is undecided at shutdown, whatever the policies say.
	DropPendingTracesOnShutdown bool `mapstructure:"drop_pending_traces_on_shutdown"`
	// DecideOnShutdown decides what is undecided at shutdown and delivers what of it is kept, within ShutdownTimeout, for a gateway
	// whose disk goes with it. Otherwise it stays on disk for the next start.
	DecideOnShutdown bool `mapstructure:"decide_on_shutdown"`
	// MaximumTraceSizeBytes is the size of a trace's spans from which on only its root, spans with errors and very long
	// ones are added to it; 0 is no limit. At twice the size it is decided, and later spans follow.
	MaximumTraceSizeBytes bytesize.Size `mapstructure:"maximum_trace_size_bytes"`
	// NumShards is how many parts the buffer has, which work in parallel; 0 follows GOMAXPROCS.
	NumShards int `mapstructure:"num_shards"`
	// TailStorage is a key of contrib's without a meaning here; see Notices. Storage is where spans are buffered.
	TailStorage string `mapstructure:"tail_storage"`
	// Policies decide. See package policy.
	Policies []policy.Config `mapstructure:"policies"`
	// Rules decide instead of Policies: the first that matches.
	Rules []policy.RuleConfig `mapstructure:"rules"`
	// Compat of "contrib" has policies decide as those of contrib's processor do, defects included.
	Compat string `mapstructure:"compat"`
	// Watch is how often the configuration is read to see whether it has changed, so that its policies are reloaded; 0 is never.
	Watch time.Duration `mapstructure:"watch"`
	// Shadow is a second set of policies, whose decisions are only counted.
	Shadow *ShadowConfig `mapstructure:"shadow"`
	// Explain is how much is remembered to explain decisions.
	Explain ExplainConfig `mapstructure:"explain"`

	// ReviveWindow is how long a trace that was not sampled stays after that, so that late spans can make the policies
	// sample it after all; 0 is not at all. It stays only while there is room: traces in the window are the first to go.
	ReviveWindow time.Duration `mapstructure:"revive_window"`
	// ReviveBudget is the most bytes of spans of the traces that stay for ReviveWindow; the oldest leave first. 0 is a quarter of
	// DiskBudget, with storage memory of MemoryBudget.
	ReviveBudget bytesize.Size `mapstructure:"revive_budget"`
	// LinkedTraces keeps traces because traces that they are linked with are kept.
	LinkedTraces LinkedTracesConfig `mapstructure:"linked_traces"`
	// Storage is where spans are buffered: disk, where they survive a crash, or memory.
	Storage string `mapstructure:"storage"`
	// Directory is where the files are with storage disk. One process, and one processor in it, can use it.
	Directory string `mapstructure:"directory"`
	// DiskBudget is the most disk for buffered spans and the journal of decisions. Near it traces are decided early, over
	// it spans are refused.
	DiskBudget bytesize.Size `mapstructure:"disk_budget"`
	// Fsync is when files are flushed to the disk, which is what a power cut may cost: never (the system does it when it
	// likes), interval, or always (before a request is answered).
	Fsync string `mapstructure:"fsync"`
	// FsyncInterval is how often, with fsync interval.
	FsyncInterval time.Duration `mapstructure:"fsync_interval"`
	// Compression is when segments that are not written to any more are compressed: never, always, or auto, which is
	// when a budget gets short.
	Compression string `mapstructure:"compression"`
	// MemoryBudget is the most memory for buffered spans and their index. Near it traces are decided early, over it spans
	// are refused. What is remembered of decisions comes on top. The default is 512MiB where the memory limit is 1GiB or more, else
	// what the other parts of the process leave: eleven sixteenths of the limit less 192MiB, 16MiB at least.
	MemoryBudget bytesize.Size `mapstructure:"memory_budget"`
	// DeliveryBudget is the most bytes of spans that wait for their delivery, in equal shares of the destinations; shares that are
	// not used are lent. 0 is half of DiskBudget, with storage memory half of MemoryBudget.
	DeliveryBudget bytesize.Size `mapstructure:"delivery_budget"`
	// WhenFull is what happens over DeliveryBudget: give_up, which is that the destination that is most over its share does not
	// get its oldest traces, or refuse, which is that new spans are refused.
	WhenFull string `mapstructure:"when_full"`
	// RefusalPatience is how long a destination may refuse the gateway itself, as for a wrong credential, until it does not get
	// traces that have waited as long.
	RefusalPatience time.Duration `mapstructure:"refusal_patience"`
	// Attributes says whether facts about a kept trace, such as its policy, are written on it: on or off. Its weight is
	// written either way.
	Attributes string `mapstructure:"attributes"`
	// ShutdownTimeout is how long a shutdown waits for the next component to accept kept traces.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`
	// Destinations are who takes kept traces. The confmap converter of package wirepath writes them, from the pipelines
	// that the processor is in, and refuses those that a person wrote. Without the converter there are none: then all that
	// follows is one destination, which takes decoded spans.
	Destinations []destination.Destination `mapstructure:"destinations"`
}

// DecisionCacheConfig is how many decisions are remembered, the latest ones. They take up to 56 bytes each.
type DecisionCacheConfig struct {
	// SampledCacheSize is for sampled traces. 0 forgets at once, so that late spans are decided as traces of their own.
	SampledCacheSize int `mapstructure:"sampled_cache_size"`
	// NonSampledCacheSize is for traces that were not sampled or dropped.
	NonSampledCacheSize int `mapstructure:"non_sampled_cache_size"`
}

// ShadowConfig is a second set of policies or of rules, which decides the same traces and is only counted.
type ShadowConfig struct {
	Policies []policy.Config     `mapstructure:"policies"`
	Rules    []policy.RuleConfig `mapstructure:"rules"`
}

// ExplainConfig is how much is remembered to explain decisions.
type ExplainConfig struct {
	// Decisions is how many of the latest ones. Each takes about 120 bytes, and 16 more for every 64 policies after the
	// first. 0 remembers none.
	Decisions int `mapstructure:"decisions"`
}

// LinkedTracesConfig is about traces that span links connect with a kept one, in either direction.
type LinkedTracesConfig struct {
	// Enabled keeps those of them that wait for a decision or for being revived, without a weight.
	Enabled bool `mapstructure:"enabled"`
	// MaxLinksPerSpan is how many links of a span are looked at.
	MaxLinksPerSpan int `mapstructure:"max_links_per_span"`
	// MaxLinksPerTrace is with how many other traces one can be linked.
	MaxLinksPerTrace int `mapstructure:"max_links_per_trace"`
	// MaxLinks is how many links between traces are remembered, the latest ones. They take up to 110 bytes each.
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

// minDeliveryBudget, the least of revive_budget too, distinguishes a budget from a number that was written without its unit, which is taken for bytes.
const minDeliveryBudget bytesize.Size = 1 << 20

// leastWait distinguishes a wait from a number that was written without its unit, which is taken for nanoseconds.
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
	cfg.validateStorage(bad)
	cfg.validateWatch(bad)
	cfg.validateDelivery(bad)
	cfg.validateRevive(bad)
	if cfg.NumShards < 0 || cfg.NumShards > maxShards {
		bad("num_shards: %d must be between 1 and %d, or 0 to follow the number of CPUs", cfg.NumShards, maxShards)
	} else if least := int64(cfg.shards()) * spanlog.MinBytesPerShard; int64(cfg.MemoryBudget) < least {
		bad("memory_budget: %s must be at least %s for num_shards %d", cfg.MemoryBudget, bytesize.Size(least), cfg.shards())
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

// options are those of the policies.
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
		bad("disk_budget: %s must be at least %s for num_shards %d", cfg.DiskBudget, bytesize.Size(least), cfg.shards())
	}
}

func (cfg *Config) validateRevive(bad func(string, ...any)) {
	key, room := cfg.room()
	if n := cfg.ReviveBudget; n != 0 && n < minDeliveryBudget {
		bad("revive_budget: %s must be at least %s; write it with a unit, such as 512MiB, or 0 for a quarter of %s", n, minDeliveryBudget, key)
	} else if most := bytesize.Size(float64(room) * budget.ReviveUpTo); n > most {
		bad("revive_budget: %s must be at most %s, the share of %s up to which traces stay; 0 is a quarter of it", n, most, key)
	}
}

func (cfg *Config) validateDelivery(bad func(string, ...any)) {
	key, room := cfg.room()
	// Beyond, a backlog within its budget would leave no room for traces to wait for their decision.
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

// room is the budget that spans wait in, with its key.
func (cfg *Config) room() (key string, bytes bytesize.Size) {
	if cfg.Storage == storageMemory {
		return "memory_budget", cfg.MemoryBudget
	}
	return "disk_budget", cfg.DiskBudget
}

// deliveryBudget is DeliveryBudget, or what it is if that is 0.
func (cfg *Config) deliveryBudget() bytesize.Size {
	if cfg.DeliveryBudget > 0 {
		return cfg.DeliveryBudget
	}
	_, room := cfg.room()
	return room / 2
}

// reviveBudget is ReviveBudget, or what it is if that is 0.
func (cfg *Config) reviveBudget() bytesize.Size {
	if cfg.ReviveBudget > 0 {
		return cfg.ReviveBudget
	}
	_, room := cfg.room()
	return room / 4
}

// shards is how many shards there are: by default twice as many as threads, so that these seldom meet.
func (cfg *Config) shards() int {
	if cfg.NumShards > 0 {
		return cfg.NumShards
	}
	return min(maxShards, 1<<bits.Len(uint(2*runtime.GOMAXPROCS(0)-1)))
}

// defaultMemoryBudget is MemoryBudget within the memory limit of the process.
func defaultMemoryBudget() bytesize.Size {
	limit, ok := cgroup.Limit()
	if !ok {
		return mostMemoryBudget
	}
	return memoryBudgetWithin(limit)
}

const leastMemoryBudget, mostMemoryBudget = 16 << 20, 512 << 20

func memoryBudgetWithin(limit int64) bytesize.Size {
	return bytesize.Size(min(max(limit/16*11-192<<20, leastMemoryBudget)&^(1<<20-1), mostMemoryBudget))
}

// compression is the one that was validated.
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
