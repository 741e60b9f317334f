package rates

import (
	"maps"
	"math"

	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// Target is the target of Dynamic.
type Target struct {
	PerSecond float64 // spans to keep, if Share is 0
	Share     float64 // of all spans, including those that upstream samplers dropped
	Interval  float64 // seconds between adjustments
	Weight    float64 // of the last interval in an average
	MaxKeys   int     // the largest number of keys with a threshold of their own
}

// Dynamic computes a threshold for each key, and updates it from time to time.
//
// The rate x of a key, in spans per second, is a moving average: an interval has 1 − weight of the weight of the next one. Of a
// key with n = x·interval spans per interval the share
//
//	p(n) = min(1, c·log(1+n)/n)
//
// is kept, with the c for which Σ p·x is the target; if Σ x does not exceed the target, all is kept. So a more frequent key has
// a smaller share, but still more kept spans. An unknown key has n = 0 and so p = min(1, c), which is 1 unless rare keys alone
// would exceed the target.
//
// For a key that comes less than once in an interval the rate is inaccurate, and p is too high when it comes again after a
// pause. So the kept spans are compared with the intended ones, and if there are more, the target is divided by the ratio.
//
// p depends only on the past, so 2^56·(1−p) is a threshold with which counts by key can be scaled back up.
type Dynamic struct {
	target  Target
	keys    map[uint64]*keyRate
	fresh   uint64     // threshold of unknown keys
	goal    float64    // target in spans per second; 0 while unknown
	kept    float64    // expected number of kept spans in this interval, by the thresholds of their traces
	aimed   float64    // expected number of kept spans per second, by the rates
	got     [2]float64 // spans kept and spans aimed at, in the last intervals
	began   int64      // start of this interval
	started bool
	mass    float64 // weight of the intervals so far in the averages, up to 1
}

type keyRate struct {
	arrived, stoodFor float64 // spans in this interval, and the spans before upstream sampling that they stand for
	rate, all         float64 // averages of both per second, to be divided by mass
	threshold         uint64
}

const (
	// An interval ends early when the spans kept in it exceed burstFactor times the target for its length plus 1/headStart
	// of an interval. It then counts as at least 1/shortest of an interval.
	burstFactor = 2
	headStart   = 3
	shortest    = 15
	// forgotten is the number of spans per interval up to which a key is removed.
	forgotten = 0.01
	// recall is the weight of an interval in the ratio of kept to intended spans, and mostOff the largest ratio.
	recall, mostOff = 0.2, 4
)

// NewDynamic returns thresholds for a target.
func NewDynamic(target Target) *Dynamic {
	d := &Dynamic{target: target, keys: map[uint64]*keyRate{}}
	if target.Share > 0 {
		d.fresh = threshold.OfShare(target.Share)
	}
	return d
}

// Threshold returns the threshold of a trace with the key.
func (d *Dynamic) Threshold(key uint64) uint64 {
	if r := d.keys[d.place(key)]; r != nil {
		return r.threshold
	}
	return d.fresh
}

// Own reports whether the key has a threshold of its own.
func (d *Dynamic) Own(key uint64) bool { return d.place(key) != Other }

// place returns the key itself, or Other if it has no place of its own.
func (d *Dynamic) place(key uint64) uint64 {
	if len(d.keys) < d.target.MaxKeys || d.keys[key] != nil {
		return key
	}
	return Other
}

// Add counts a trace with the key, of which each span stands for stoodFor spans before upstream sampling.
func (d *Dynamic) Add(key uint64, now int64, spans, stoodFor float64) {
	if !d.started {
		d.started, d.began = true, now
	}
	if float64(now-d.began) >= d.target.Interval*1e9 {
		d.adjust(now, false)
	}
	place := d.place(key)
	r := d.keys[place]
	if r == nil {
		r = &keyRate{threshold: d.fresh}
		d.keys[place] = r
	}
	r.arrived += spans
	r.stoodFor += spans * stoodFor
	d.kept += spans * min(1, threshold.Share(r.threshold)*stoodFor)
	if d.tooMany(now) {
		d.adjust(now, true)
	}
}

// tooMany reports whether so many spans are kept that the interval must end early.
func (d *Dynamic) tooMany(now int64) bool {
	goal := d.goal
	if d.target.Share == 0 {
		goal = d.target.PerSecond
	}
	elapsed := float64(now-d.began) / 1e9
	return goal > 0 && d.kept > burstFactor*goal*(elapsed+d.target.Interval/headStart)
}

// adjust ends an interval.
func (d *Dynamic) adjust(now int64, early bool) {
	seconds := max(float64(now-d.began)/1e9, d.target.Interval/shortest)
	keep := math.Pow(1-d.target.Weight, seconds/d.target.Interval)
	d.mass = d.mass*keep + 1 - keep
	if d.aimed > 0 {
		old := math.Pow(1-recall, seconds/d.target.Interval)
		aimed := d.aimed * seconds
		d.got[0] = d.got[0]*old + min(d.kept, burstFactor*aimed) // a surge is not a wrong estimate
		d.got[1] = d.got[1]*old + aimed
	}
	for key, k := range d.keys {
		k.rate = k.rate*keep + (1-keep)*k.arrived/seconds
		k.all = k.all*keep + (1-keep)*k.stoodFor/seconds
		if early { // fast growth is not averaged away
			k.rate = max(k.rate, d.mass*k.arrived/seconds)
			k.all = max(k.all, d.mass*k.stoodFor/seconds)
		}
		k.arrived, k.stoodFor = 0, 0
		if k.rate/d.mass*d.target.Interval < forgotten {
			delete(d.keys, key)
		}
	}
	d.began, d.kept = now, 0
	d.allocate()
}

// allocate computes the thresholds of all keys.
func (d *Dynamic) allocate() {
	var arrived, stoodFor float64
	for _, k := range d.keys {
		arrived += k.rate / d.mass
		stoodFor += k.all / d.mass
	}
	d.goal = d.target.PerSecond
	if d.target.Share > 0 {
		d.goal = d.target.Share * stoodFor
	}
	c := d.level(arrived)
	d.aimed = 0
	for _, k := range d.keys {
		x := k.rate / d.mass
		share := min(1, c*flatness(x*d.target.Interval))
		d.aimed += x * share
		k.threshold = thresholdFor(share, k.rate, k.all)
	}
	d.fresh = thresholdFor(c, arrived, stoodFor)
	if arrived == 0 && d.target.Share > 0 {
		d.fresh = threshold.OfShare(d.target.Share)
	}
}

// level computes c. Keys that are kept whole leave more to the others, so c rises from its value without such keys.
func (d *Dynamic) level(arrived float64) float64 {
	goal := d.goal
	if d.got[1] > 0 {
		goal /= min(max(1, d.got[0]/d.got[1]), mostOff)
	}
	if arrived <= d.goal {
		return math.Inf(1)
	}
	for c := 0.0; ; {
		var whole, rest float64
		for _, k := range d.keys {
			x := k.rate / d.mass
			if f := flatness(x * d.target.Interval); c*f >= 1 {
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

// thresholdFor returns the threshold that keeps a share of the arriving spans. Spans that an upstream sampler kept pass
// every threshold up to its own, so choosing among them takes a higher one.
func thresholdFor(share, arrived, stoodFor float64) uint64 {
	if share >= 1 {
		return 0
	}
	if stoodFor > 0 {
		share *= arrived / stoodFor
	}
	return threshold.OfShare(share)
}

// Clone returns an independent copy.
func (d *Dynamic) Clone() *Dynamic {
	c := *d
	c.keys = maps.Clone(d.keys)
	for key, k := range c.keys {
		copied := *k
		c.keys[key] = &copied
	}
	return &c
}
