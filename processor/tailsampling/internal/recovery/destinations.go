package recovery

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// destinations numbers all that the journals name: first those that there are today, as shard.Shared.Destinations, and from
// outbox.MaxDestinations on those that are gone.
type destinations struct {
	today []string
	since []decision.Seconds // by today: since when a journal knows it; unknown where none does
	gone  []string
}

const unknown = ^decision.Seconds(0)

// begin starts with those of today, of which nothing is known.
func (d *destinations) begin(today []string) {
	d.today, d.since = today, slices.Repeat([]decision.Seconds{unknown}, len(today))
}

// known are those of today. What no journal knew is there from now on, and so is what a journal knows since an instant that is
// not yet: the clock was set back.
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

// of is a destination as a set, empty where there are too many that are gone.
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

// roster is the destinations that a journal file names.
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

// of is what an event is about.
func (r *roster) of(e *spanlog.Event) set {
	if e.Kind == spanlog.Decided || e.Destination == spanlog.EveryDestination {
		return r.all
	}
	return r.each[e.Destination]
}

// areToday reports whether a journal names the destinations of today, by the same numbers.
func (d *destinations) areToday(list []spanlog.Destination) bool {
	return slices.EqualFunc(list, d.today, func(there spanlog.Destination, key string) bool { return there.Key == key })
}

// nameOf is what people are told of a destination: one that is all of a pipeline has the same ID as that.
func nameOf(key string) string {
	if id, pipeline, ok := strings.Cut(key, " in "); ok && id == pipeline {
		return id
	}
	return key
}

// reportGone logs which destinations are gone, and how many traces they had not got.
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
		log("a destination is gone from the configuration and was forgotten", zap.String("destination", nameOf(key)),
			zap.Int("traces_not_delivered", traces))
	}
}
