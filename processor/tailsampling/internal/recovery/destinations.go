package recovery

import (
	"slices"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// destinations numbers all that the journals name: first those that there are today, as shard.Shared.Destinations, and from
// outbox.MaxDestinations on those that are gone.
type destinations struct {
	today []string
	gone  []string
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

func (d *destinations) roster(keys []string) (r roster) {
	for _, key := range keys {
		s := d.of(key)
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
		log("a destination is gone from the configuration and was forgotten", zap.String("destination", key),
			zap.Int("traces_not_delivered", traces))
	}
}
