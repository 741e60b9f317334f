package policy

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// load is traffic for a limit, with rates in units of the limit.
type load struct {
	name    string
	offered func(seconds float64) float64 // in units of the limit, at a time
	size    float64                       // mean spans of a trace, exponentially distributed
	arrived float64                       // share of the traces that an upstream sampler kept, 1 without one

	overload, underload bool // always, and clearly
}

func steady(offered float64) func(float64) float64 { return func(float64) float64 { return offered } }

// onOff alternates between a period of this load and a period without.
func onOff(offered, period float64) func(float64) float64 {
	return func(now float64) float64 {
		if int(now/period)%2 == 0 {
			return offered
		}
		return 0
	}
}

func rising(now float64) float64 { return now / 10 }

func loads(limit float64) (all []load) {
	offers := map[string]func(float64) float64{
		"half": steady(0.5), "just over": steady(1.1), "double": steady(2), "tenfold": steady(10), "hundredfold": steady(100),
		"seconds": onOff(5, 2), "minutes": onOff(10, 30), "rising": rising,
	}
	for _, arrived := range []float64{1, 0.1} {
		for _, size := range []float64{1, limit / 200, limit / 20} {
			for _, name := range slices.Sorted(maps.Keys(offers)) {
				offered := offers[name]
				if size == 1 && strings.HasSuffix(name, "fold") || raceEnabled && size < limit/20 && name != "double" {
					continue // millions of traces
				}
				all = append(all, load{
					fmt.Sprintf("%s/size=%g/arrived=%g", name, size, arrived), offered, size, arrived,
					slices.Contains([]string{"double", "tenfold", "hundredfold"}, name), name == "half",
				})
			}
		}
	}
	return all
}

// admitted is the result of a load.
type admitted struct {
	seconds  []float64 // spans by second
	weight   float64   // the adjusted count of the kept traces
	variance float64   // of weight
	certain  int       // number kept with threshold 0
	traces   int       // arrived traces
}

func (k *admitted) average(from, to int) (sum float64) {
	for _, spans := range k.seconds[from:to] {
		sum += spans
	}
	return sum / float64(to-from)
}

// put shows the load to a set for a number of seconds. Spans of a trace are counted, not created.
func (l load) put(set *Set, limit float64, duration int, rng *rand.Rand) (k admitted) {
	k.seconds = make([]float64, duration)
	bits := make([]uint64, set.Words())
	head := threshold.OfShare(l.arrived)
	const step = 0.01
	for now := 0.0; now < float64(duration); {
		rate := limit * l.offered(now) / l.size
		if rate == 0 {
			now += step
			continue
		}
		if now += rng.ExpFloat64() / rate; now >= float64(duration) {
			break
		}
		t := &Trace{
			Bits: bits, Now: int64(now * 1e9), Randomness: head + rng.Uint64N(never-head),
			Spans: 1 + int(rng.ExpFloat64()*(l.size-1)+0.5),
		}
		t.Bytes = 500 * t.Spans
		sure, _ := set.all.decide(t, never-1, nil)
		must := sure.Threshold
		d := set.Decide(t, nil)
		p := min(1, float64(never-must)/float64(never-head))
		k.traces++
		k.variance += 1/p - 1
		if d.Verdict != Sampled {
			continue
		}
		k.seconds[int(now)] += float64(t.Spans)
		k.weight += 1 / p
		if d.Threshold == 0 {
			k.certain++
		}
	}
	return k
}

// Under any load the kept rate is at most the limit: in all, and in every ten seconds apart from the bucket's burst.
// Overload uses the limit up, and a lower load is kept whole. The weights of kept traces add up.
func TestLimitHolds(t *testing.T) {
	const limit, seconds = 1000, 120
	set := func() *Set {
		s, err := Compile([]Config{{Name: "limit", Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: limit}}}, Options{})
		require.NoError(t, err)
		return s
	}
	for i, l := range loads(limit) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			k := l.put(set(), limit, seconds, rand.New(rand.NewPCG(7, uint64(i))))
			require.LessOrEqual(t, k.average(0, seconds), 1.03*limit)
			// The burst of two seconds on top, and the time until the arrival rate is measured: longer if an upstream sampler's
			// traces pass all thresholds but high ones.
			most := (1.2 + 0.1) * limit
			if l.arrived < 1 {
				most = (1.2 + 0.2) * limit
			}
			for from := range seconds - 10 {
				require.LessOrEqual(t, k.average(from, from+10), most, "from second %d", from)
			}
			if l.overload {
				for from := 20; from < seconds-10; from++ {
					require.LessOrEqual(t, k.average(from, from+10), 1.1*limit, "from second %d", from)
				}
				require.InDelta(t, limit, k.average(20, seconds), 0.03*limit)
			}
			if l.underload {
				require.Equal(t, k.traces, k.certain)
			}
			require.InDelta(t, 0, (k.weight-float64(k.traces))/math.Sqrt(k.variance+1), bonferroni(48))
		})
	}
}

// bonferroni returns the number of standard deviations that one of n estimates may be off so that all are inside with 99 %.
func bonferroni(n int) float64 { return math.Sqrt2 * math.Erfinv(1-0.01/float64(n)) }

// A trace that another sub-policy of and excludes is not charged, and the others are not thinned further than
// the limit needs.
func TestLimitChargesSampledTracesOnly(t *testing.T) {
	const limit, seconds = 1000, 100
	for _, c := range []struct{ percent, offered, want float64 }{
		{10, 5, 0.5}, {50, 1.5, 0.75}, {50, 4, 1}, {10, 20, 1},
	} {
		set, err := Compile([]Config{{Name: "limit", Type: And, Section: &AndConfig{SubPolicies: []Config{
			{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: limit}},
			{Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: c.percent}},
		}}}}, Options{})
		require.NoError(t, err)
		k := load{offered: steady(c.offered), size: 10, arrived: 1}.put(set, limit, seconds, rand.New(rand.NewPCG(8, 8)))
		require.InDelta(t, c.want, k.average(20, seconds)/limit, 0.05, "%+v", c)
	}
}

// A burst within the bucket passes whole.
func TestBurstPasses(t *testing.T) {
	for _, burst := range []int64{100, 1000, 2000, 10_000} {
		set, err := Compile([]Config{{Name: "limit", Type: RateLimiting,
			Section: &RateLimitingConfig{SpansPerSecond: 1000, BurstCapacity: burst}}}, Options{})
		require.NoError(t, err)
		bits := make([]uint64, set.Words())
		trace := func(at time.Duration) *Trace { return &Trace{Bits: bits, Now: int64(time.Hour + at), Spans: 10} }
		for n := range burst / 10 {
			d := set.Decide(trace(time.Duration(n)*100*time.Microsecond), nil)
			require.Equal(t, Decision{Verdict: Sampled, Sub: None}, d, "trace %d of a burst of %d", n, burst)
		}
	}
}

// A trace of any size passes sometime, and the policy then returns to its former state.
func TestLimitRecovers(t *testing.T) {
	set, err := Compile([]Config{{Name: "limit", Type: BytesLimiting,
		Section: &BytesLimitingConfig{BytesPerSecond: 1000}}}, Options{})
	require.NoError(t, err)
	bits := make([]uint64, set.Words())
	decide := func(at time.Duration, bytes int) Decision {
		return set.Decide(&Trace{Bits: bits, Now: int64(at), Bytes: bytes, Randomness: never - 1}, nil)
	}
	require.Equal(t, Sampled, decide(0, 1_000_000_000).Verdict)
	d := decide(time.Second, 10)
	require.Equal(t, Sampled, d.Verdict, "there is always a chance")
	require.Greater(t, d.Threshold, never/1000*999)
	require.Zero(t, decide(30*24*time.Hour, 10).Threshold)
}

// A set that inherits from another with the same policies continues its state.
func TestLimitIsInherited(t *testing.T) {
	policies := []Config{
		{Name: "limit", Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 10}},
		{Name: "mix", Type: Composite, Section: &CompositeConfig{
			MaxTotalSpansPerSecond: 10, SubPolicies: []Config{{Name: "all", Type: AlwaysSample}},
		}},
	}
	for i := range policies {
		var sets [3]*Set
		for n := range sets {
			var err error
			sets[n], err = Compile(policies[i:i+1], Options{})
			require.NoError(t, err)
		}
		trace := &Trace{Bits: make([]uint64, sets[0].Words()), Randomness: never - 1, Spans: 100}
		sets[0].Decide(trace, nil)
		sets[1].Inherit(sets[0])
		trace.Now = int64(time.Second)
		require.Equal(t, sets[0].Decide(trace, nil), sets[1].Decide(trace, nil))
		require.NotEqual(t, sets[0].Decide(trace, nil), sets[2].Decide(trace, nil))
	}
}
