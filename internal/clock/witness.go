package clock

import (
	"slices"
	"time"
)

const (
	// enoughWitnesses is the number of processes that must agree with a clock that jumped.
	enoughWitnesses = 5
	// maxWitnesses limits the remembered witnesses.
	maxWitnesses = 64
	// witnessTime is how long a witness counts.
	witnessTime = time.Minute
)

// witnesses are processes whose spans show the time, recorded while the machine's clock is doubted.
type witnesses []witness

// witness is a process. A span ends before it arrives, so its latest end is a lower bound of the time.
type witness struct {
	source   uint64
	origin   time.Time // the latest end of a span, as the wall time at which the monotonic clock showed 0
	recorded time.Duration
}

// record records a witness. If there is no room, it replaces the one recorded longest ago.
func (w *witnesses) record(source uint64, origin time.Time, elapsed time.Duration) {
	said := witness{source: source, origin: origin, recorded: elapsed}
	list := *w
	i := slices.IndexFunc(list, func(x witness) bool { return x.source == source })
	switch {
	case i >= 0:
		if x := list[i]; elapsed-x.recorded <= witnessTime && x.origin.After(origin) {
			said.origin = x.origin
		}
		list[i] = said
	case len(list) < maxWitnesses:
		*w = append(list, said)
	default:
		oldest := 0
		for i, x := range list {
			if x.recorded < list[oldest].recorded {
				oldest = i
			}
		}
		list[oldest] = said
	}
}

// agree reports whether the median of the witnesses agrees with that clock.
func (w witnesses) agree(origin time.Time, elapsed time.Duration) bool {
	var all []time.Time
	for _, x := range w {
		if elapsed-x.recorded <= witnessTime {
			all = append(all, x.origin)
		}
	}
	if len(all) < enoughWitnesses {
		return false
	}
	slices.SortFunc(all, time.Time.Compare)
	return all[len(all)/2].Sub(origin).Abs() <= JumpAllowed
}
