package accrual

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// With a whole shape k, a gamma variate exceeds x with the probability that a Poisson variate of mean x is below k.
func TestAgainstPoisson(t *testing.T) {
	for k := 1; k <= 40; k += 3 {
		for _, x := range []float64{0.01, 0.5, 1, 3, 10, float64(k), float64(k) + 0.999, float64(k) + 1, 50, 200} {
			var below float64
			for n := range k {
				lg, _ := math.Lgamma(float64(n + 1))
				below += math.Exp(-x + float64(n)*math.Log(x) - lg)
			}
			assert.InDelta(t, math.Log10(below), log10Above(float64(k), x), 1e-9+1e-9*math.Abs(math.Log10(below)), "k %d, x %v", k, x)
		}
	}
	assert.InDelta(t, -2000/math.Ln10, log10Above(1, 2000), 1e-6, "below the smallest float64")
	assert.Zero(t, log10Above(3, 0))
}

func repeated(v float64, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = v
	}
	return list
}

// TestSilences checks after how many minutes of silence φ passes 8, for kinds of traffic.
func TestSilences(t *testing.T) {
	until := func(intervals []float64) int {
		for s := 1; s < 10_000; s++ {
			if phi, ok := Phi(intervals, float64(s)); !ok || phi >= 8 {
				return s
			}
		}
		return 10_000
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	poisson := make([]float64, 400)
	for i := range poisson {
		poisson[i] = math.Ceil(10 * rnd.ExpFloat64())
	}
	overnight := append(repeated(1, 30), 360)
	assert.Equal(t, 7, until(repeated(1, 60)), "something each minute")
	assert.InDelta(t, 52, until(repeated(30, 8)), 3, "a job each half hour")
	assert.InDelta(t, 175, until(poisson), 45, "independent requests, ten minutes apart")
	assert.Greater(t, until(overnight), 360, "where traffic usually ends")
	assert.Equal(t, 1, until(repeated(1, MinIntervals-1)), "too few to know")
	_, ok := Phi(repeated(1, MinIntervals-1), 100)
	assert.False(t, ok)
}

// Suspicion grows with the silence, never below 0, and is a number, whatever the intervals are.
func FuzzPhi(f *testing.F) {
	f.Add(uint64(1), 1.0)
	f.Add(uint64(2), 400.0)
	f.Fuzz(func(t *testing.T, seed uint64, longest float64) {
		if !(longest >= 1 && longest <= 1e6) {
			return
		}
		rnd := rand.New(rand.NewPCG(seed, 9))
		intervals := make([]float64, MinIntervals+rnd.IntN(100))
		for i := range intervals {
			intervals[i] = 1 + math.Floor(longest*math.Pow(rnd.Float64(), 4))
		}
		last := 0.0
		for s := 0.0; s <= 2*longest; s += max(1, longest/50) {
			phi, ok := Phi(intervals, s)
			if !ok || math.IsNaN(phi) || phi < last-1e-6 {
				t.Fatalf("φ(%v) is %v after %v, of intervals %v", s, phi, last, intervals)
			}
			last = max(phi, 0)
		}
	})
}
