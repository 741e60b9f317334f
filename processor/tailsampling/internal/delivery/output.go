package delivery

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/quota"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Output holds the destinations of a processor, and their common state.
type Output struct {
	Settings
	Next     consumer.Traces
	Names    *version.Names
	Buffer   *buffer.Buffer
	Services *tally.Services
	Stages   *tally.Stages
	Logger   *zap.Logger
	// Destinations are set by Open, and do not change.
	Destinations []*Destination

	quota *quota.Quota // memory for large traces

	// Counted once per span, not per destination, on the way to the first one.
	Lost             atomic.Int64 // not delivered before the end, or not readable
	Repeated         atomic.Int64 // repeated spans that were left out
	Unknown          atomic.Int64 // with fields lost in decoding, on the way to the first destination of decoded spans
	WithoutThreshold atomic.Int64 // whose weight could not be written
}

// Settings configure the delivery of kept traces.
type Settings struct {
	// Patience is how long a destination may refuse the gateway itself before the oldest traces are given up.
	Patience time.Duration
	// TracestateOnly reports whether only tracestates are written on traces.
	TracestateOnly bool
}

// Unknown is the destination of a processor that does not know its own: all components behind it are one, and take decoded
// spans.
var Unknown = destination.Destination{ID: "decoded"}

// Keys returns the keys that identify destinations over restarts.
func Keys(list []destination.Destination) (keys []string) {
	for _, d := range orUnknown(list) {
		keys = append(keys, d.Key())
	}
	return keys
}

func orUnknown(list []destination.Destination) []destination.Destination {
	if len(list) == 0 {
		return []destination.Destination{Unknown}
	}
	return list
}

// Open creates the destinations, each with so many senders, which share the shards.
func (o *Output) Open(list []destination.Destination, senders int) {
	list = orUnknown(list)
	for _, m := range o.Buffer.Members {
		m.Deliver = make([]chan struct{}, len(list))
	}
	o.quota = quota.New(o.Buffer.Pool.Limit()/mostShare, len(list))
	shelves := make([]*shelf, senders)
	for i := range shelves {
		shelves[i] = newShelf(o.Buffer.Pool, senders, len(list))
	}
	for i, config := range list {
		d := &Destination{Destination: config, Index: shard.Destination(i), out: o, alone: len(list) == 1}
		d.open(shelves, senders*len(list))
		o.Destinations = append(o.Destinations, d)
	}
}

// open creates a sender for each shelf, out of so many senders in all.
func (d *Destination) open(shelves []*shelf, all int) {
	phase := time.Duration(d.Index) * gatherFor * time.Duration(len(shelves)) / time.Duration(all)
	for _, shared := range shelves {
		d.Senders = append(d.Senders, newSender(d, all, shared, phase))
	}
	for i, m := range d.out.Buffer.Members {
		s := d.Senders[i%len(shelves)]
		m.Deliver[d.Index] = s.wake
		s.members = append(s.members, m)
	}
}

// LogDestinations logs the destinations of kept traces.
func (o *Output) LogDestinations() {
	for _, d := range o.Destinations {
		if d.ID == Unknown.ID && d.Pipeline == "" {
			o.Logger.Warn("kept traces go to the next component decoded, and everything behind it is one destination: " +
				"this distribution does not have slowburn's converter, which finds the destinations in the pipelines")
			continue
		}
		as := "decoded"
		if d.Bytes {
			as = "the bytes that they came as"
		}
		o.Logger.Info(fmt.Sprintf("kept traces go to %s", d.ID), zap.String("pipeline", d.Pipeline), zap.String("as", as),
			zap.Strings("exporters", d.Exporters))
	}
}

// GaveUp counts a trace that a destination gives up because delivery_budget is used up. The caller may hold the shard's
// mutex.
func (o *Output) GaveUp(d shard.Destination, k *shard.Kept) {
	o.Destinations[d].gaveUp(k, losses.DeliveryBudget)
}

// LogLosses logs losses that were not logged yet, each reason at most every ten seconds, or in any case with all.
func (o *Output) LogLosses(all bool) {
	for _, d := range o.Destinations {
		d.logLosses(all)
	}
}

// Flush ends the wait for fuller loads, because undelivered traces fill the buffer.
func (o *Output) Flush() {
	for _, d := range o.Destinations {
		for _, s := range d.Senders {
			buffer.Wake(s.pace.hurry)
		}
	}
}

// Senders returns the senders of all destinations.
func (o *Output) Senders() (all []*Sender) {
	for _, d := range o.Destinations {
		all = append(all, d.Senders...)
	}
	return all
}

// RefusedSpans is the number of spans that destinations refused for good.
func (o *Output) RefusedSpans() (n int64) {
	for _, d := range o.Destinations {
		n += d.RefusedSpans.Load()
	}
	return n
}

// firstDecoded returns the index of the first destination that takes decoded spans, -1 if there is none.
func (o *Output) firstDecoded() int {
	return slices.IndexFunc(o.Destinations, func(d *Destination) bool { return !d.Bytes })
}

// Delivered is the number of spans that destinations accepted, in all.
func (o *Output) Delivered() (n int64) {
	for _, d := range o.Destinations {
		n += d.DeliveredSpans.Load()
	}
	return n
}
