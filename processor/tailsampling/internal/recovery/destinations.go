package recovery

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// destinations numbers all destinations that the journals name: first today's, as in shard.Shared.Destinations, and from
// outbox.MaxDestinations on those that are gone.
type destinations struct {
	today []string
	since []decision.Seconds // by number of today's: the earliest time in a journal; unknown if none has it
	gone  []string
}

const unknown = ^decision.Seconds(0)

// begin starts with today's destinations, of which nothing is known yet.
func (d *destinations) begin(today []string) {
	d.today, d.since = today, slices.Repeat([]decision.Seconds{unknown}, len(today))
}

// known returns today's destinations. One that no journal names exists from now on, and so does one whose time is in the
// future, because the clock was set back.
func (d *destinations) known(now decision.Seconds) (list []spanlog.Destination) {
	for i, key := range d.today {
		d.since[i] = min(d.since[i], now)
		list = append(list, spanlog.Destination{Key: key, Since: uint32(d.since[i])})
	}
	return list
}

// set is a set of destinations by these numbers.
type set uint64

const (
	allToday = set(1<<outbox.MaxDestinations - 1)
	maxGone  = 64 - outbox.MaxDestinations
)

func (s set) today() outbox.Mask { return outbox.Mask(s & allToday) }

func (s set) has(number int) bool { return s>>number&1 != 0 }

// of returns the set with this destination. It is empty if too many destinations are gone.
func (d *destinations) of(key string) set {
	if i := slices.Index(d.today, key); i >= 0 {
		return 1 << i
	}
	i := slices.Index(d.gone, key)
	if i < 0 {
		if len(d.gone) == maxGone {
			return 0
		}
		i = len(d.gone)
		d.gone = append(d.gone, key)
	}
	return 1 << (outbox.MaxDestinations + i)
}

// roster lists the destinations that a journal file names.
type roster struct {
	each []set // by their index in the file
	all  set
}

func (d *destinations) roster(list []spanlog.Destination) (r roster) {
	for _, there := range list {
		s := d.of(there.Key)
		if i := slices.Index(d.today, there.Key); i >= 0 {
			d.since[i] = min(d.since[i], decision.Seconds(there.Since))
		}
		r.each = append(r.each, s)
		r.all |= s
	}
	return r
}

// of returns the destinations that an event is about.
func (r *roster) of(e *spanlog.Event) set {
	if e.Kind == spanlog.Decided || e.Destination == spanlog.EveryDestination {
		return r.all
	}
	return r.each[e.Destination]
}

// areToday reports whether a journal names today's destinations, by the same numbers.
func (d *destinations) areToday(list []spanlog.Destination) bool {
	return slices.EqualFunc(list, d.today, func(there spanlog.Destination, key string) bool { return there.Key == key })
}

// nameOf returns a destination's name for people. A destination that is a whole pipeline has the pipeline's
// ID.
func nameOf(key string) string {
	if id, pipeline, ok := strings.Cut(key, " in "); ok && id == pipeline {
		return id
	}
	return key
}

// reportGone logs the destinations that are gone, and the number of traces that each had not received.
func (st *Store) reportGone(all []*reader) {
	for i, key := range st.destinations.gone {
		traces := 0
		for _, r := range all {
			traces += r.fates.waiting(outbox.MaxDestinations + i)
		}
		log := st.logger.Info
		if traces > 0 {
			log = st.logger.Warn
		}
		log("destination is gone from the configuration, its backlog was dropped", zap.String("destination", nameOf(key)),
			zap.Int("traces_not_delivered", traces))
	}
}
