package count

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lower and upper are the bounds of a bucket, as OTLP defines them.
func lower(index, scale int32) float64 { return math.Exp2(float64(index) / math.Exp2(float64(scale))) }
func upper(index, scale int32) float64 { return lower(index+1, scale) }

func TestFinestIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v := math.Exp2(rng.Float64()*70 - 31)
		i := finestIndex(v)
		const rounding = 1e-14 // of lower and upper, not of the index
		if v < lower(i, maxScale)*(1-rounding) || v > upper(i, maxScale)*(1+rounding) {
			t.Fatalf("%v is in bucket %d: (%v, %v]", v, i, lower(i, maxScale), upper(i, maxScale))
		}
	}
}

func TestPowersOfTwoAreUpperBounds(t *testing.T) {
	for exponent := int32(-30); exponent <= 34; exponent++ {
		v := math.Ldexp(1, int(exponent))
		assert.Equal(t, exponent<<maxScale-1, finestIndex(v))
		assert.Equal(t, exponent<<maxScale, finestIndex(math.Nextafter(v, math.Inf(1))))
	}
}

// TestHistogramEqualsBruteForce counts random durations at whatever scale the histogram ended at.
func TestHistogramEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 200 {
		spread := rng.Float64() * 60
		var h Histogram
		var durations []uint64
		for range 1 + rng.IntN(500) {
			d := uint64(math.Exp2(rng.Float64() * spread))
			if rng.IntN(50) == 0 {
				d = 0
			}
			durations = append(durations, d)
			h.add(d, weightOne)
		}
		want := map[int32]uint64{}
		var zero, sum uint64
		for _, d := range durations {
			sum += d
			if d == 0 {
				zero++
			} else {
				want[finestIndex(float64(d)/1e9)>>h.coarser]++
			}
		}
		got := map[int32]uint64{}
		for i, n := range h.Buckets {
			if n > 0 {
				got[h.Offset+int32(i)] = n
			}
		}
		require.Equal(t, want, got, "round %d", round)
		require.Equal(t, zero, h.Zero)
		require.EqualValues(t, len(durations), h.Count)
		require.InEpsilon(t, float64(sum)/1e9+1e-12, h.Seconds()+1e-12, 1e-12)
		require.LessOrEqual(t, len(h.Buckets), maxBuckets)
		if n := len(h.Buckets); n > 0 {
			require.NotZero(t, h.Buckets[0])
			require.NotZero(t, h.Buckets[n-1])
		}
	}
}

func TestHistogramDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	durations := make([]uint64, 300)
	for i := range durations {
		durations[i] = uint64(math.Exp2(rng.Float64() * 40))
	}
	of := func() (h Histogram) {
		for _, d := range durations {
			h.add(d, Weight{whole: d%3 + 1})
		}
		h.Buckets = slices.Clip(h.Buckets)
		return h
	}
	first := of()
	for range 20 {
		rng.Shuffle(len(durations), func(i, j int) { durations[i], durations[j] = durations[j], durations[i] })
		require.Equal(t, first, of())
	}
}

// TestHistogramError checks the quantile error that the documentation promises.
func TestHistogramError(t *testing.T) {
	for _, tt := range []struct {
		name   string
		factor float64
		want   float64 // relative error of a bucket's middle
	}{
		{"a factor of 1.5", 1.5, 0.0014},
		{"a factor of 1000", 1000, 0.022},
		{"a factor of 1,000,000", 1e6, 0.044},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h Histogram
			for i := range 10_001 {
				h.add(uint64(float64(time.Millisecond)*math.Pow(tt.factor, float64(i)/10_000)), weightOne)
			}
			base := math.Exp2(math.Exp2(float64(-h.Scale())))
			assert.LessOrEqual(t, (base-1)/(base+1), tt.want)
		})
	}
}

func TestHistogramOfAllDurations(t *testing.T) {
	var h Histogram
	h.add(1, weightOne)
	h.add(math.MaxUint64, weightOne)
	assert.GreaterOrEqual(t, h.Scale(), int32(1), "a native histogram knows no scale below -4")
	assert.EqualValues(t, 2, h.Count)
	assert.InEpsilon(t, math.Exp2(64)/1e9, h.Seconds(), 1e-9)
}

func TestHistogramSumBeyond64Bits(t *testing.T) {
	var h Histogram
	h.add(math.MaxUint64, Weight{whole: 1000})
	assert.InEpsilon(t, 1000*math.Exp2(64)/1e9, h.Seconds(), 1e-9)
}

// TestFractionsAreCarried: the histogram's count always equals the count of calls, rounded down.
func TestFractionsAreCarried(t *testing.T) {
	var h Histogram
	var n Weight
	w := adjustedCount(1 << 54) // 4/3
	for range 1000 {
		h.add(uint64(time.Millisecond), w)
		n.add(w)
		require.Equal(t, n.whole, h.Count)
	}
	assert.InDelta(t, 1333, h.Count, 1)
	assert.Equal(t, h.Count, h.Buckets[0])
}

func BenchmarkHistogramAdd(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	durations := make([]uint64, 1024)
	for i := range durations {
		durations[i] = uint64(1e6 * math.Exp(rng.NormFloat64()))
	}
	var h Histogram
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.add(durations[i%1024], weightOne)
	}
}

// TestRecentIsExact checks that a series counts like a histogram that gets one duration after another, whatever its recent values
// are: durations of all sizes, 0 and the longest included, with changing weights, and readers at any time.
func TestRecentIsExact(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := New(limits, nil, nil)
		s, number := c.tree.call.add()
		var want Histogram
		var entries []byte
		spread := 1 + rng.Float64()*43
		for range 2000 {
			nanos := uint64(math.Exp(rng.Float64() * spread))
			w := weightOne
			switch rng.IntN(40) {
			case 0:
				nanos = []uint64{0, 1, maxRecent - 1, maxRecent, maxRecent + 1, math.MaxUint64}[rng.IntN(6)]
			case 1:
				w = Weight{rng.Uint64N(5), rng.Uint32()}
			case 2:
				c.tree.apply(entries, 0, true)
				entries = entries[:0]
				require.Equal(t, want, *s.durations(), "seed %d", seed)
			}
			want.add(nanos, w)
			entries = appendCall(entries, number, nanos, w)
			if rng.IntN(20) == 0 {
				c.tree.apply(entries, 0, true)
				entries = entries[:0]
			}
		}
		c.tree.apply(entries, 0, true)
		require.Equal(t, want, *s.durations(), "seed %d", seed)
	}
}

// TestLines checks that the memory that one span changes is in as few cache lines as possible.
func TestLines(t *testing.T) {
	const line = 64
	assert.EqualValues(t, line, unsafe.Sizeof(recent{}))
	assert.Zero(t, unsafe.Sizeof(CallSeries{})%line)
	assert.Zero(t, line%unsafe.Sizeof(tally{}))
}
