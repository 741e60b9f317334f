package policy

import (
	"maps"
	"math"
)

// rates are what a dynamic policy knows of its keys.
//
// The rate x of a key, in spans per second, is an average that forgets: what is an adjustment interval old has 1 − weight
// of the weight of what is new. Of a key with n = x·interval spans per interval the share
//
//	p(n) = min(1, c·log(1+n)/n)
//
// is kept, with the one c for which Σ p·x is the target; all is kept where Σ x is not more. So the more there is of a key
// the smaller is its share, and yet the more of it is kept. A key that is not known has n = 0 and so p = min(1, c),
// which is 1 unless rare keys alone would exceed the target.
//
// Of a key that comes less than once in an interval the rate is not well known, and p is too high when it comes again
// after a pause. So what is kept is compared with what was aimed at, and where it is more the target is divided by the ratio.
//
// Only the past goes into p, so 2^56·(1−p) is a threshold with which counts by key can be scaled back up.
type rates struct {
	keys    map[uint64]*keyRate
	fresh   uint64     // threshold of keys that are not there
	goal    float64    // spans per second that are wanted; 0 before that is known
	kept    float64    // spans in this interval that were to be expected with the thresholds that their traces had
	aimed   float64    // spans per second that were to be expected from the rates
	got     [2]float64 // of the last intervals: what was kept and what was aimed at, in spans
	began   int64      // when this interval began, as Trace.Now
	started bool
	mass    float64 // how much of what could go into the averages there has been, up to 1
}

type keyRate struct {
	arrived, stoodFor float64 // spans in this interval, and how many these were before the samplers upstream
	rate, all         float64 // averages of both per second, not yet divided by mass
	threshold         uint64
}

func newRates(share float64) *rates {
	r := &rates{keys: map[uint64]*keyRate{}}
	if share > 0 {
		r.fresh = thresholdOfShare(share)
	}
	return r
}

const (
	// An interval ends early when in it more is kept than burst times the target for it and for a headStart-th of an
	// interval more. It then counts as one of at least a shortest-th of an interval.
	burst     = 2
	headStart = 3
	shortest  = 15
	// forgotten is up to how many spans per interval a key is forgotten.
	forgotten = 0.01
	// recall is the weight of an interval in the ratio of what was kept to what was aimed at, and mostOff its highest.
	recall, mostOff = 0.2, 4
)

// tooMany reports whether so much is kept that it cannot wait until the interval ends.
func (r *rates) tooMany(d *dynamic, now int64) bool {
	goal := r.goal
	if d.share == 0 {
		goal = d.perSecond
	}
	elapsed := float64(now-r.began) / 1e9
	return goal > 0 && r.kept > burst*goal*(elapsed+d.interval/headStart)
}

// adjust ends an interval.
func (r *rates) adjust(d *dynamic, now int64, early bool) {
	seconds := max(float64(now-r.began)/1e9, d.interval/shortest)
	keep := math.Pow(1-d.weight, seconds/d.interval)
	r.mass = r.mass*keep + 1 - keep
	if r.aimed > 0 {
		old := math.Pow(1-recall, seconds/d.interval)
		aimed := r.aimed * seconds
		r.got[0] = r.got[0]*old + min(r.kept, burst*aimed) // a surge is no misjudgement
		r.got[1] = r.got[1]*old + aimed
	}
	for key, k := range r.keys {
		k.rate = k.rate*keep + (1-keep)*k.arrived/seconds
		k.all = k.all*keep + (1-keep)*k.stoodFor/seconds
		if early { // what grows fast is not averaged away
			k.rate = max(k.rate, r.mass*k.arrived/seconds)
			k.all = max(k.all, r.mass*k.stoodFor/seconds)
		}
		k.arrived, k.stoodFor = 0, 0
		if k.rate/r.mass*d.interval < forgotten {
			delete(r.keys, key)
		}
	}
	r.began, r.kept = now, 0
	r.allocate(d)
}

// allocate gives keys their thresholds.
func (r *rates) allocate(d *dynamic) {
	var arrived, stoodFor float64
	for _, k := range r.keys {
		arrived += k.rate / r.mass
		stoodFor += k.all / r.mass
	}
	r.goal = d.perSecond
	if d.share > 0 {
		r.goal = d.share * stoodFor
	}
	c := r.level(d, arrived)
	r.aimed = 0
	for _, k := range r.keys {
		x := k.rate / r.mass
		share := min(1, c*flatness(x*d.interval))
		r.aimed += x * share
		k.threshold = thresholdFor(share, k.rate, k.all)
	}
	r.fresh = thresholdFor(c, arrived, stoodFor)
	if arrived == 0 && d.share > 0 {
		r.fresh = thresholdOfShare(d.share)
	}
}

// level finds c. Keys of which all is kept leave the more to the others, so it rises from what it would be if there were
// none.
func (r *rates) level(d *dynamic, arrived float64) float64 {
	goal := r.goal
	if r.got[1] > 0 {
		goal /= min(max(1, r.got[0]/r.got[1]), mostOff)
	}
	if arrived <= r.goal {
		return math.Inf(1)
	}
	for c := 0.0; ; {
		var whole, rest float64
		for _, k := range r.keys {
			x := k.rate / r.mass
			if f := flatness(x * d.interval); c*f >= 1 {
				whole += x
			} else {
				rest += x * f
			}
		}
		if rest == 0 || whole >= goal {
			return c
		}
		next := (goal - whole) / rest
		if next <= c*(1+1e-9) {
			return next
		}
		c = next
	}
}

// flatness is log(1+n)/n, which falls from 1 at n = 0.
func flatness(n float64) float64 {
	if n < 1e-9 {
		return 1
	}
	return math.Log1p(n) / n
}

// thresholdFor returns the threshold with which a share of what arrives is kept. Where upstream samplers left a part of
// what there was, what they left passes every threshold up to theirs, and it takes a higher one to choose among it.
func thresholdFor(share, arrived, stoodFor float64) uint64 {
	if share >= 1 {
		return 0
	}
	if stoodFor > 0 {
		share *= arrived / stoodFor
	}
	return thresholdOfShare(share)
}

// shareOf is what passes a threshold.
func shareOf(threshold uint64) float64 { return float64(never-threshold) / float64(never) }

func (r *rates) clone() *rates {
	c := *r
	c.keys = maps.Clone(r.keys)
	for key, k := range c.keys {
		copied := *k
		c.keys[key] = &copied
	}
	return &c
}
