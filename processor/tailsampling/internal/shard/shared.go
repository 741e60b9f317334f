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

// Shared is what the shards of a processor have in common. It does not change once spans come in, but for Pending and
// Index.
type Shared struct {
	Waits Waits
	// Destinations are the keys of those that kept traces go to: at least one, and at most outbox.MaxDestinations.
	Destinations []string
	// Since is when each of them came to be; a late part of a trace that was decided before is not for it. Where it is
	// shorter than Destinations, the others have always been there.
	Since []decision.Seconds
	// TraceSize is the bytes of span bodies from which on a trace is trimmed; at twice as many it is decided.
	TraceSize uint64
	// MaxPending is the most traces that wait for a decision; 0 is no limit.
	MaxPending int64
	// Ingest decides traces as soon as the decision is certain.
	Ingest bool
	// Links of a span that are looked at. LinkedNumber is that of linked.PolicyName in version.Names.
	LinksPerSpan int
	LinkedNumber int32
	// ReviveUpTo is the share of the budget that spans wait in, up to which traces that were not sampled stay.
	ReviveUpTo float64
	// Mapped says that spans are in mapped files, so that reading and writing them can fault; see spanlog.Guard.
	Mapped bool

	Pool    *spanlog.Pool
	Epoch   clock.Epoch
	Seed    index.Seed
	Pending atomic.Int64 // traces that wait for a decision
	Index   atomic.Int64 // bytes of the budget that the shards' indexes take
	Limits  Limits
}

// Waits are the times after which something is due.
type Waits struct {
	Decision, Root time.Duration // of a trace, since its first span, and since it has its root and is quiet; Root 0 is never
	Revive         time.Duration // how long a trace that was not sampled stays; 0 is not at all
}

// Limits are how many of each a shard remembers, or has.
type Limits struct {
	Sampled, Dropped int // decisions, for late spans
	Records          int // decisions, to explain them
	Ties             int // links between traces; 0 where traces are not kept for links
	TiesPerTrace     int
	// RevivableBytes are how many bytes of spans stay of traces that were not sampled; 0 is no limit but Shared.ReviveUpTo.
	RevivableBytes int64
}

// lateWait is how long late spans of a sampled trace gather before they are passed on.
const lateWait = 100 * time.Millisecond

// requeueEvery is how precise the quiet time is: moving a trace to the end of the list for each of its spans would cost
// more than it is worth.
const requeueEvery = 20 * time.Millisecond

// Never is a time that does not come.
const Never = clock.Monotonic(1<<63 - 1)

// MaxTraceSize is where a trace is trimmed whatever the configuration: an OTLP request of more can be sent nowhere.
const MaxTraceSize = 1 << 29

// UnixMilli is the wall time of an instant.
func (s *Shared) UnixMilli(at clock.Monotonic) clock.UnixMilli { return s.Epoch.UnixMilli(at) }

// seconds is the wall time of an instant in whole seconds.
func (s *Shared) seconds(at clock.Monotonic) decision.Seconds {
	return decision.Seconds(s.UnixMilli(at).Unix())
}

// destinationsAt are the destinations that there were at an instant.
func (s *Shared) destinationsAt(at clock.Monotonic) Mask {
	m := outbox.MaskOf(len(s.Destinations))
	for d, since := range s.Since {
		if s.seconds(at) < since {
			m &^= outbox.MaskOf(d+1) &^ outbox.MaskOf(d)
		}
	}
	return m
}

// ageOf is how long ago something was, in whole seconds.
func (s *Shared) ageOf(at decision.Seconds, now clock.Monotonic) time.Duration {
	return time.Duration(int64(s.seconds(now))-int64(at)) * time.Second
}
