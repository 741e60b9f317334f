package policy

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func diversityPolicies(period time.Duration) []Config {
	return []Config{
		{Name: "rest", Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 1}},
		{Name: "floor", Type: Diversity, Section: &DiversityConfig{Period: period}},
	}
}

// A trace whose operation has not been kept for a period is kept, and a policy keeps at most one trace per operation and period
// for this reason. Keys are operations here.
func TestDiversityIsAFloor(t *testing.T) {
	const period = 60.0
	tr := newTraffic(t, 1, diversityPolicies(60*time.Second)...)
	next := newArrivals(zipf(2000, 1, 50))
	last := map[string]float64{}
	byFloor := map[string]int{}
	total := 0
	for end := 20 * period; tr.now < end; {
		wait, key := next.of(tr.rng)
		tr.now += wait
		d, _, _ := tr.next(key, 1)
		at, known := last[key]
		if d.Verdict == Sampled {
			if !known || tr.now-at >= period {
				last[key] = tr.now
			}
			if d.Policy == 1 {
				byFloor[key]++
			}
		} else {
			require.True(t, known, "the first of %s was not kept", key)
			require.Less(t, tr.now-at, period, key)
		}
		total++
	}
	for key, n := range byFloor {
		require.LessOrEqual(t, n, 20, key)
	}
	require.Greater(t, len(last), 1000)
	require.Greater(t, total, 10_000)
}

// zipfKeys are the keys of zipf, the most frequent first.
var zipfKeys = slices.Sorted(maps.Keys(zipf(2000, 1, 1)))

// A trace is read only if it may have a new operation: in the long run hardly ever.
func TestDiversityReadsFewTraces(t *testing.T) {
	tr := newTraffic(t, 2, diversityPolicies(0)...)
	read := 0
	for range 100_000 {
		tr.now += 0.01
		tr.read = &read
		tr.next(zipfKeys[tr.rng.IntN(50)], 1)
	}
	require.Positive(t, read)
	require.Less(t, read, 100_000/10)
}

// A set that inherits has the covered operations.
func TestDiversityInherits(t *testing.T) {
	tr := newTraffic(t, 3, diversityPolicies(0)[1])
	for _, key := range zipfKeys[:100] {
		tr.next(key, 1)
	}
	next, err := Compile(diversityPolicies(0)[1:], Options{})
	require.NoError(t, err)
	next.Inherit(tr.set)
	tr.set = next
	for _, key := range zipfKeys[:100] {
		d, _, _ := tr.next(key, 1)
		require.Equal(t, NotSampled, d.Verdict)
	}
	d, _, _ := tr.next(zipfKeys[100], 1)
	require.Equal(t, Sampled, d.Verdict)
}
