package policy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A hash of the trace ID says nothing of randomness. A trace that a weighted policy samples too has the weighted policy's
// threshold; one that none does has no weight, and no threshold.
func TestHashHasNoWeight(t *testing.T) {
	hash := Config{Name: "hash", Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 99.9}}
	half := Config{Name: "half", Type: Dynamic, Section: &DynamicConfig{SamplingPercentage: 50}}
	for _, policies := range [][]Config{{hash, half}, {half, hash}} {
		set, err := Compile(policies, Options{Contrib: true})
		require.NoError(t, err)
		view := testBlock{Spans: []testSpan{{Name: "GET /", Resource: map[string]any{"service.name": "shop"}}}}.views(t)[0]
		bits := make([]uint64, set.Words())
		set.Observe(bits, &view)

		d := set.Decide(&Trace{Bits: bits, Randomness: never - 1}, nil)
		require.Equal(t, Sampled, d.Verdict)
		require.False(t, d.Weightless)
		require.InDelta(t, never/2, d.Threshold, float64(never/1000))

		d = set.Decide(&Trace{Bits: bits, Randomness: 0}, nil)
		require.Equal(t, Sampled, d.Verdict)
		require.Equal(t, "hash", set.Name(d.Policy))
		require.True(t, d.Weightless)
	}
}

// Keys of several fields differ if any field does, whatever the attributes' names contain.
func TestKeysOfOddNamesAreApart(t *testing.T) {
	rare := func(name string, key ...string) Config {
		return Config{Name: name, Type: Rare, Section: &RareConfig{KeyConfig: KeyConfig{Key: key}}}
	}
	set, err := Compile([]Config{rare("one", "a\x00b"), rare("two", "a", "b")}, Options{})
	require.NoError(t, err)
	same, err := Compile([]Config{rare("one", "a", "b"), rare("two", "a", "b")}, Options{})
	require.NoError(t, err)
	require.Greater(t, set.Words(), same.Words())
}
