package budget

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/hold"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Backlogs keeps the spans that wait for delivery within delivery_budget. It may be used concurrently.
//
// A span counts once while any destination has not received it. Destinations have equal shares of the budget and may use
// what others leave: only when the whole budget is exceeded does the destination that is furthest over its share give up
// traces.
type Backlogs struct {
	// Limit is delivery_budget.
	Limit int64
	// Refuse makes Full refuse spans over the limit, instead of giving up traces.
	Refuse bool
	// GaveUp is called with the shard's mutex for each trace that a destination gives up.
	GaveUp func(d shard.Destination, k *shard.Kept)
	// Kept, if set, is called each time Run has enforced the budget.
	Kept func()

	buffer       *buffer.Buffer
	destinations int
	relief       sync.Mutex // held while room is made
	full         atomic.Bool
}

// checkEvery is the interval at which Run looks at the backlogs.
const checkEvery = 250 * time.Millisecond

// Open sets the buffer and the number of destinations. It is called before the other methods.
func (g *Backlogs) Open(b *buffer.Buffer, destinations int) {
	g.buffer, g.destinations = b, destinations
}

// Full reports whether new spans must be refused.
func (g *Backlogs) Full() bool { return g.full.Load() }

// Share is the number of bytes that a destination may always use.
func (g *Backlogs) Share() int64 { return g.Limit / int64(g.destinations) }

// Used is the number of bytes of spans that any destination has not received.
func (g *Backlogs) Used() (bytes int64) {
	for m := range g.buffer.Locked() {
		bytes += m.Tally().Stats.UndeliveredBytes
	}
	return bytes
}

// Run enforces the budget until stop is closed.
func (g *Backlogs) Run(stop <-chan struct{}) {
	ticker := clock.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			g.Keep(stop)
			if g.Kept != nil {
				g.Kept()
			}
		}
	}
}

// Keep gives up traces over the budget, or marks it as full. It returns early once stop is closed.
func (g *Backlogs) Keep(stop <-chan struct{}) {
	g.relief.Lock()
	defer g.relief.Unlock()
	over := g.Used() - g.Limit
	if g.full.Store(g.Refuse && over > 0); g.Refuse {
		return
	}
	var held shard.Mask // whose remaining traces senders hold
	for over > 0 && !stopped(stop) {
		d, excess := furthestOver(g.backlogs(), g.Limit, held)
		if excess <= 0 {
			return
		}
		if !g.giveUp(d, min(over, excess), stop) {
			held |= 1 << d
		}
		over = g.Used() - g.Limit
	}
}

// backlogs returns the bytes that wait for each destination.
func (g *Backlogs) backlogs() []int64 {
	bytes := make([]int64, g.destinations)
	for m := range g.buffer.Locked() {
		for d := range bytes {
			bytes[d] += m.Outgoing(shard.Destination(d)).Backlog().Bytes
		}
	}
	return bytes
}

// furthestOver returns the destination that is furthest over its share, those in except aside, and how many bytes it must give up
// before the others are looked at again: down to the next worst or to its share, but at least a little if several are even.
func furthestOver(backlogs []int64, limit int64, except shard.Mask) (worst shard.Destination, excess int64) {
	share := limit / int64(len(backlogs))
	most, next := share, share
	for d, bytes := range backlogs {
		if except.Has(shard.Destination(d)) {
			continue
		}
		if bytes > most {
			worst, most, next = shard.Destination(d), bytes, most
		} else {
			next = max(next, bytes)
		}
	}
	if most == share {
		return 0, 0
	}
	const little = 64 // of what is over its share
	return worst, max(most-next, (most-share)/little, 1)
}

// ageSlices is the number of parts that the age of a backlog is divided into, so that all shards give up older traces before
// any gives up newer ones.
const ageSlices = 32

// giveUp gives up a destination's oldest traces, those without an error first, until so many bytes are freed. It reports
// whether it gave up any. Traces that a sender holds stay.
func (g *Backlogs) giveUp(d shard.Destination, bytes int64, stop <-chan struct{}) (progress bool) {
	now := g.buffer.Now()
	age := now.Sub(g.oldest(d, now))
	for _, failed := range []bool{false, true} {
		for slice := range ageSlices {
			before := now.Add(-age / ageSlices * time.Duration(ageSlices-1-slice))
			if slice == ageSlices-1 {
				before = shard.Never
			}
			for _, m := range g.buffer.Members {
				if bytes <= 0 {
					return progress
				}
				given := g.giveUpIn(m, d, failed, before, bytes, stop)
				bytes -= given
				progress = progress || given > 0
			}
		}
	}
	return progress
}

// oldest returns when the first trace of a destination's backlog was decided.
func (g *Backlogs) oldest(d shard.Destination, now clock.Monotonic) clock.Monotonic {
	for m := range g.buffer.Locked() {
		now = min(now, m.Outgoing(d).Backlog().Oldest)
	}
	return now
}

// giveUpIn gives up traces of a shard that were decided before an instant, one hold at a time, and returns the bytes of their spans.
func (g *Backlogs) giveUpIn(m *buffer.Member, d shard.Destination, failed bool, before clock.Monotonic, bytes int64, stop <-chan struct{}) (given int64) {
	for more := true; more && given < bytes && !stopped(stop); {
		now := g.buffer.Now()
		m.Lock()
		held := hold.Begin(g.buffer.Now)
		for over := false; !over; {
			k, ok := m.Outgoing(d).GiveUpOldest(failed, before, now)
			if ok {
				g.GaveUp(d, &k)
				given += int64(max(k.Bytes, 1))
				over = held.Done(int64(k.Bytes))
			}
			if !ok || given >= bytes {
				more = false
				break
			}
		}
		g.buffer.Leave(m)
	}
	return given
}
