package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// scenario is what a seed chooses once.
type scenario struct {
	steps  int
	config *tailsampling.Config
	// reloaded is the configuration with other policies.
	reloaded *tailsampling.Config
	padded   int  // largest span, in bytes
	roomy    bool // no budget is short, and no patience runs out
	upkeep   int  // number of steps after which given-up files are deleted, and needed ones created ahead

	kills, cuts, diskFaults, moods, repeats, jumps, counts, alerts bool
	failing                                                        int  // one in so many spans fails
	sieges                                                         bool // destinations fail while the disk does
	// late means that evaluation begins at the first restart.
	late bool
}

// mostShards is the largest number of shards.
const mostShards = 4

func newScenario(rng *rand.Rand) scenario {
	s := scenario{
		steps: 150 + rng.IntN(250), roomy: rng.IntN(3) > 0, padded: pick(rng, 0, 100, 2000, 6000),
		kills: rng.IntN(4) > 0, cuts: rng.IntN(4) == 0, diskFaults: rng.IntN(4) == 0, moods: rng.IntN(4) > 0,
		repeats: rng.IntN(2) == 0, jumps: rng.IntN(4) == 0,
		counts: rng.IntN(4) > 0,
	}
	s.alerts = s.counts && rng.IntN(2) == 0
	s.late = s.alerts && s.kills && rng.IntN(6) == 0
	s.sieges = s.moods && s.diskFaults && rng.IntN(3) == 0
	s.failing = pick(rng, 20, 20, 4)
	c := tailsampling.NewFactory().CreateDefaultConfig().(*tailsampling.Config)
	c.Directory = "spans"
	c.NumShards = pick(rng, 1, 2, 4)
	c.DecisionWait = pick(rng, 2*time.Second, 10*time.Second, 30*time.Second)
	c.DecisionWaitAfterRootReceived = pick(rng, 0, 500*time.Millisecond, 2*time.Second)
	c.ReviveWindow = pick(rng, 0, 5*time.Second, 30*time.Second)
	c.Fsync = pick(rng, "never", "interval", "always")
	c.Compression = pick(rng, "never", "auto", "always")
	c.SamplingStrategy = pick(rng, "trace-complete", "trace-complete", "span-ingest")
	c.Attributes = pick(rng, "on", "off")
	c.MemoryBudget = units.Size(c.NumShards) * pick(rng, units.Size(1<<20), 4<<20)
	c.DiskBudget = 256 << 20
	c.DeliveryBudget = 128 << 20
	cache := pick(rng, 1<<14, 1<<14, 64)
	c.DecisionCache = tailsampling.DecisionCacheConfig{SampledCacheSize: cache, NonSampledCacheSize: cache}
	c.Explain.Decisions = 100
	if !s.roomy {
		c.MemoryBudget = units.Size(c.NumShards) * pick(rng, units.Size(128<<10), 256<<10)
		c.DiskBudget = units.Size(c.NumShards) * pick(rng, units.Size(512<<10), 1<<20, 4<<20)
		c.DeliveryBudget = c.DiskBudget / pick[units.Size](rng, 2, 8)
		c.RefusalPatience = pick(rng, 10*time.Second, time.Minute, time.Hour)
		c.MaximumTraceSizeBytes = pick(rng, units.Size(4<<10), 16<<20)
		c.WhenFull = pick(rng, "give_up", "refuse")
	} else {
		c.RefusalPatience = 1000 * time.Hour
	}
	if s.padded > 2000 && s.roomy {
		c.MemoryBudget *= 4
	}
	for i := range 1 + rng.IntN(3) {
		c.Destinations = append(c.Destinations, destination.Destination{ID: fmt.Sprintf("otlp_grpc/%c", 'a'+i), Pipeline: "traces", Bytes: true})
	}
	c.Policies = policies(rng)
	s.config = c
	other := *c
	other.Policies = policies(rng)
	s.reloaded = &other
	return s
}

// policies sample traces with an error, and a share of the others.
func policies(rng *rand.Rand) []policy.Config {
	return []policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "rest", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: pick(rng, 10.0, 50, 90)}},
	}
}

// String is for people.
func (s scenario) String() string {
	c := s.config
	return fmt.Sprintf("shards %d, destinations %d, wait %v, after root %v, revive %v, fsync %s, compression %s, %s, memory %s, disk %s, delivery %s, "+
		"patience %v, when full %s, padding %d, roomy %v, kills %v, power cuts %v, disk faults %v (sieges %v), moods %v, repeats %v, jumps %v, counts %v, alerts %v (late %v), one of %d fails, %d decisions remembered",
		c.NumShards, len(c.Destinations), c.DecisionWait, c.DecisionWaitAfterRootReceived, c.ReviveWindow, c.Fsync, c.Compression, c.SamplingStrategy,
		c.MemoryBudget, c.DiskBudget, c.DeliveryBudget, c.RefusalPatience, c.WhenFull, s.padded, s.roomy, s.kills, s.cuts, s.diskFaults, s.sieges, s.moods, s.repeats, s.jumps, s.counts, s.alerts, s.late, s.failing, c.DecisionCache.SampledCacheSize)
}
