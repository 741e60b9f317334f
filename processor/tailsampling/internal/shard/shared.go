package shard

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// Shared is the configuration and state that the shards of a processor share. Except for Pending and Index it does
// not change once spans come in.
type Shared struct {
	Waits Waits
	// Destinations are the keys of the destinations of kept traces: between 1 and outbox.MaxDestinations.
	Destinations []string
	// Since is when each destination was added. A late part of a trace that was decided before is not for it.
	// Destinations beyond its length have always existed.
	Since []decision.Seconds
	// TraceSize is the number of bytes of span bodies from which on a trace is trimmed; at twice as many it
	// is decided.
	TraceSize uint64
	// MaxPending is the largest number of undecided traces; 0 is no limit.
	MaxPending int64
	// Ingest decides a trace as soon as no further span can change the decision.
	Ingest bool
	// LinksPerSpan is the number of a span's links that are read.
	LinksPerSpan int
	Numbers
	// ReviveUpTo is the used share of the spans' budget up to which traces that were not sampled stay.
	ReviveUpTo float64
	// Mapped reports whether spans are in mapped files, where reading and writing can fault; see spanlog.Guard.
	Mapped bool

	Pool    *spanlog.Pool
	Epoch   clock.Epoch
	Seed    index.Seed
	Pending atomic.Int64 // undecided traces
	Index   atomic.Int64 // bytes of the shards' indexes
	Limits  Limits
}

// Numbers are the numbers in version.Names of what stands in place of a policy.
type Numbers struct {
	LinkedNumber    int32 // of linked.PolicyName
	ObjectiveNumber int32 // of exemplars.PolicyName
}

// Waits are the times after which an entry is due.
type Waits struct {
	Decision, Root time.Duration // of a trace: since its first span; since its last one when it has its root. Root 0 is never
	Revive         time.Duration // how long a trace that was not sampled stays; 0 is not at all
}

// Limits limit the memories of a shard.
type Limits struct {
	Sampled, Dropped int // decisions for late spans
	Records          int // decisions for explanations
	Ties             int // links between traces; 0 without linked_traces
	TiesPerTrace     int
	// RevivableBytes is the largest amount of spans of revivable traces; 0 is no limit but Shared.ReviveUpTo.
	RevivableBytes int64
}

// lateWait is how long late spans of a sampled trace gather before they are passed on.
const lateWait = 100 * time.Millisecond

// requeueEvery is the precision of the quiet time: moving a trace to the end of the list for each of its spans would
// cost more than it is worth.
const requeueEvery = 20 * time.Millisecond

// Never is a time that does not come.
const Never = clock.Monotonic(1<<63 - 1)

// MaxTraceSize is the size at which a trace is trimmed whatever the configuration: no destination can take a larger
// OTLP request.
const MaxTraceSize = 1 << 29

// UnixMilli is the wall time of an instant.
func (s *Shared) UnixMilli(at clock.Monotonic) clock.UnixMilli { return s.Epoch.UnixMilli(at) }

// seconds is the wall time of an instant in whole seconds.
func (s *Shared) seconds(at clock.Monotonic) decision.Seconds {
	return decision.Seconds(s.UnixMilli(at).Unix())
}

// destinationsAt returns the destinations that existed at an instant.
func (s *Shared) destinationsAt(at clock.Monotonic) Mask {
	m := outbox.MaskOf(len(s.Destinations))
	for d, since := range s.Since {
		if s.seconds(at) < since {
			m &^= outbox.MaskOf(d+1) &^ outbox.MaskOf(d)
		}
	}
	return m
}

// ageOf returns the time since an instant, in whole seconds.
func (s *Shared) ageOf(at decision.Seconds, now clock.Monotonic) time.Duration {
	return time.Duration(int64(s.seconds(now))-int64(at)) * time.Second
}
