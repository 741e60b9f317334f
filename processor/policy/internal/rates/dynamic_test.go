package rates

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

func perSecond(spans float64) Target {
	return Target{PerSecond: spans, Interval: 10, Weight: 0.5, MaxKeys: 100}
}

// add counts spans of a key at a time in seconds.
func add(d *Dynamic, key uint64, seconds, spans float64) { d.Add(key, int64(seconds*1e9), spans, 1) }

// An interval ends after its length, and not before. An average gives the last interval half of the weight.
func TestDynamicAverages(t *testing.T) {
	d := NewDynamic(perSecond(1000))
	add(d, 1, 5, 60)
	add(d, 1, 14.9, 40)
	require.Equal(t, 100.0, d.keys[1].arrived)
	require.Zero(t, d.mass)
	add(d, 1, 15, 200) // belongs to the next interval
	require.Equal(t, 0.5, d.mass)
	require.Equal(t, 5.0, d.keys[1].rate)
	require.Equal(t, 200.0, d.keys[1].arrived)
	require.Equal(t, int64(15e9), d.began)
	add(d, 1, 25, 0)
	require.Equal(t, 0.75, d.mass)
	require.Equal(t, 12.5, d.keys[1].rate)
	add(d, 1, 45, 0) // ends two intervals at once
	require.InDelta(t, 0.9375, d.mass, 1e-12)
	require.InDelta(t, 3.125, d.keys[1].rate, 1e-12)
}

// The adjusted count of a key is averaged as well, and makes the threshold higher.
func TestDynamicUpstream(t *testing.T) {
	target := perSecond(0)
	target.Share = 0.25
	d := NewDynamic(target)
	require.Equal(t, threshold.OfShare(0.25), d.Threshold(1))
	d.Add(1, 0, 1000, 2)
	require.Equal(t, 2000.0, d.keys[1].stoodFor)
	require.Equal(t, 1000*0.5, d.kept, "a quarter of all there was is half of what arrived")
	d.Add(1, 10e9, 0, 2)
	require.Equal(t, 50.0, d.keys[1].rate)
	require.Equal(t, 100.0, d.keys[1].all)
	require.Equal(t, 50.0, d.goal, "a quarter of 200 a second")
	require.Equal(t, threshold.OfShare(0.25), d.keys[1].threshold, "with one key it is the share")

	d.Add(1, 10e9, 100, 100)
	require.LessOrEqual(t, d.kept, 100.0, "no more than there is")
}

// Everything is kept up to the target; above it shares are c·log(1+n)/n, at most 1, with one c that makes them add up to the target.
func TestDynamicAllocates(t *testing.T) {
	rates := map[uint64]float64{1: 0.05, 2: 1, 3: 20, 4: 400}
	const total = 421.05
	for _, goal := range []float64{10, 50, 200, 421, 422, 1000} {
		d := NewDynamic(perSecond(goal))
		for key, rate := range rates {
			d.keys[key] = &keyRate{rate: rate, all: rate}
		}
		d.mass = 1
		d.allocate()
		kept, c := 0.0, math.Inf(1)
		for key, rate := range rates {
			share := threshold.Share(d.keys[key].threshold)
			kept += rate * share
			n := rate * 10
			if share < 0.999 {
				c = share / (math.Log1p(n) / n)
			}
		}
		if goal >= total {
			require.Equal(t, total, kept)
			require.Zero(t, d.fresh)
			continue
		}
		require.InEpsilon(t, goal, kept, 0.002, goal)
		require.InEpsilon(t, goal, d.aimed, 1e-9, goal)
		for key, rate := range rates {
			n := rate * 10
			require.InEpsilon(t, min(1, c*math.Log1p(n)/n), threshold.Share(d.keys[key].threshold), 0.002, "%g: key %d", goal, key)
		}
		require.LessOrEqual(t, d.fresh, d.keys[1].threshold, "a key that is new is the rarest")
	}
}

// If more was kept than the target, the target is divided by the ratio, at most by four.
func TestDynamicCorrects(t *testing.T) {
	for ratio, want := range map[float64]float64{0.5: 50, 1: 50, 2: 25, 4: 12.5, 9: 12.5} {
		d := NewDynamic(perSecond(50))
		d.mass, d.got = 1, [2]float64{ratio * 10, 10}
		d.keys[1] = &keyRate{rate: 100, all: 100}
		d.allocate()
		require.InEpsilon(t, want, d.aimed, 1e-9, ratio)
	}
	d := NewDynamic(perSecond(50))
	d.mass, d.got, d.keys[1] = 1, [2]float64{100, 10}, &keyRate{rate: 50, all: 50}
	d.allocate()
	require.Zero(t, d.keys[1].threshold, "what does not exceed the target is kept, whatever was kept before")
}

// got averages kept and target counts, giving the last interval a fifth of the weight. A surge counts as twice the target.
func TestDynamicRecalls(t *testing.T) {
	d := NewDynamic(perSecond(50))
	d.started, d.mass = true, 1
	d.got, d.aimed, d.kept = [2]float64{100, 200}, 30, 450
	d.adjust(10e9, false)
	require.InDelta(t, 100*0.8+450, d.got[0], 1e-9)
	require.InDelta(t, 200*0.8+300, d.got[1], 1e-9)
	require.Zero(t, d.kept)
	d.got, d.aimed, d.kept = [2]float64{}, 30, 900
	d.adjust(20e9, false)
	require.Equal(t, [2]float64{600, 300}, d.got)
	d.aimed = 0
	d.adjust(30e9, false)
	require.Equal(t, [2]float64{600, 300}, d.got, "nothing is known before something was aimed at")
}

// An interval ends early when it has kept more than twice the target of its time so far plus a third of an interval.
func TestDynamicEndsEarly(t *testing.T) {
	d := NewDynamic(perSecond(30))
	add(d, 1, 0, 200) // 2·30·10/3
	require.Zero(t, d.mass)
	require.Equal(t, 200.0, d.kept)
	add(d, 1, 0, 1)
	require.NotZero(t, d.mass)
	require.Zero(t, d.kept)
	seconds := 10.0 / 15
	require.Equal(t, 201/seconds, d.keys[1].rate/d.mass, "it counts as one of a fifteenth at least")
	require.NotZero(t, d.keys[1].threshold)

	d = NewDynamic(perSecond(30))
	add(d, 1, 0, 1)
	add(d, 1, 5, 2*30*(5+10.0/3)-1)
	require.Zero(t, d.mass)
	add(d, 1, 5, 1)
	require.NotZero(t, d.mass)

	d = NewDynamic(perSecond(30))
	d.mass, d.keys[1] = 1, &keyRate{rate: 1, all: 1, arrived: 500, stoodFor: 1000}
	d.adjust(5e9, true)
	keep := math.Sqrt(0.5)
	require.InDelta(t, keep+1-keep, d.mass, 1e-12)
	require.InDelta(t, 100, d.keys[1].rate, 1e-9, "what grows fast is not averaged away")
	require.InDelta(t, 200, d.keys[1].all, 1e-9)
	d.keys[1].arrived = 1
	d.adjust(10e9, true)
	require.InDelta(t, 100*keep+(1-keep)*0.2, d.keys[1].rate, 1e-9, "nor is what shrinks")
}

// With a share the first interval has no known target, so it does not end early.
func TestDynamicShareEndsEarlyOnceItIsKnown(t *testing.T) {
	target := perSecond(0)
	target.Share = 0.5
	d := NewDynamic(target)
	add(d, 1, 0, 1e9)
	require.Zero(t, d.mass)
	add(d, 1, 10, 0)
	require.Equal(t, 0.5, d.mass)
	require.InEpsilon(t, 0.5e8, d.goal, 1e-9)
	add(d, 1, 10, 1e10)
	require.Greater(t, d.mass, 0.5)
}

// Rare keys are evicted.
func TestDynamicForgets(t *testing.T) {
	for spans, want := range map[float64]bool{0.0099: false, 0.01: true} {
		d := NewDynamic(perSecond(30))
		d.mass, d.keys[1] = 1, &keyRate{rate: 0, arrived: 0}
		d.keys[1].arrived = 2 * spans // of which half enters the average
		d.adjust(10e9, false)
		require.Equal(t, want, d.keys[1] != nil, spans)
	}
	d := NewDynamic(perSecond(0.001))
	d.target.Share = 0.5
	d.fresh = 1
	d.adjust(10e9, false)
	require.Equal(t, threshold.OfShare(0.5), d.fresh, "with nothing arrived it is the share")
}

// Keys beyond the limit are counted together.
func TestDynamicHasRoom(t *testing.T) {
	target := perSecond(30)
	target.MaxKeys = 2
	d := NewDynamic(target)
	add(d, 1, 0, 1)
	require.True(t, d.Own(2))
	add(d, 2, 0, 1)
	require.False(t, d.Own(3))
	add(d, 3, 0, 4)
	add(d, 4, 0, 5)
	add(d, 1, 0, 1)
	require.Len(t, d.keys, 3)
	require.Equal(t, 9.0, d.keys[Other].arrived)
	require.Equal(t, 2.0, d.keys[1].arrived)
	d.keys[Other].threshold, d.keys[1].threshold, d.fresh = 7, 8, 9
	require.Equal(t, uint64(7), d.Threshold(5))
	require.Equal(t, uint64(8), d.Threshold(1))
	d.target.MaxKeys = 4
	require.Equal(t, uint64(9), d.Threshold(5))
	require.False(t, d.Own(Other))
}

// The more frequent a key, the higher its threshold.
func TestDynamicOrdersKeys(t *testing.T) {
	d := NewDynamic(perSecond(50))
	d.target.MaxKeys = 1000
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 100_000 {
		d.Add(1+uint64(math.Abs(rng.NormFloat64())*100), int64(i)*1e6, 1, 1)
	}
	rates := slices.SortedFunc(maps.Values(d.keys), func(a, b *keyRate) int {
		if a.rate < b.rate {
			return -1
		}
		return 1
	})
	require.Greater(t, len(rates), 200)
	for i := range rates[1:] {
		require.LessOrEqual(t, rates[i].threshold, rates[i+1].threshold)
	}
	require.Less(t, rates[0].threshold, rates[len(rates)-1].threshold)
}

func TestDynamicClones(t *testing.T) {
	d := NewDynamic(perSecond(30))
	add(d, 1, 0, 10)
	c := d.Clone()
	require.Equal(t, d, c)
	add(c, 1, 1, 10)
	add(c, 2, 1, 10)
	require.Len(t, d.keys, 1)
	require.Equal(t, 10.0, d.keys[1].arrived)
	require.Equal(t, 10.0, d.kept)
}

func TestFlatness(t *testing.T) {
	require.Equal(t, 1.0, flatness(0))
	require.InDelta(t, 1, flatness(1e-8), 1e-8)
	require.InDelta(t, math.Log(2), flatness(1), 1e-15)
	require.InDelta(t, math.Log(11)/10, flatness(10), 1e-15)
}

func TestThresholdFor(t *testing.T) {
	require.Zero(t, thresholdFor(1, 10, 100))
	require.Zero(t, thresholdFor(math.Inf(1), 10, 10))
	require.Equal(t, threshold.OfShare(0.5), thresholdFor(0.5, 0, 0))
	require.Equal(t, threshold.OfShare(0.5), thresholdFor(0.5, 10, 10))
	require.Equal(t, threshold.OfShare(0.125), thresholdFor(0.5, 10, 40))
}

// The cost of an interval's end with the default number of keys.
func BenchmarkAdjust(b *testing.B) {
	d := NewDynamic(Target{PerSecond: 1000, Interval: 15, Weight: 0.5, MaxKeys: 10_000})
	for i := range uint64(10_000) {
		d.Add(i*7919+1, 0, 8, 1)
	}
	now := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for _, k := range d.keys {
			k.arrived, k.stoodFor = 20, 20
		}
		now += 15e9
		d.adjust(now, false)
	}
}
