package policy

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func hashPolicy(salt string, percent float64) Config {
	return Config{Name: "some", Type: Probabilistic, Section: &ProbabilisticConfig{HashSalt: salt, SamplingPercentage: percent}}
}

// With compat contrib the FNV-1a hash of salt and trace ID decides, and the kept share is as configured.
func TestHashed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, salt := range []string{"", "pepper", "a longer salt, as somebody may have"} {
		for _, percent := range []float64{0, 0.1, 12.5, 50, 99.9, 100, 250} {
			set, err := Compile([]Config{hashPolicy(salt, percent)}, Options{Contrib: true})
			require.NoError(t, err)
			require.Empty(t, set.Warnings())
			limit := uint64(math.MaxUint64)
			if percent < 100 {
				limit = uint64(percent / 100 * math.MaxUint64)
			}
			sampled := 0
			const n = 5_000
			for range n {
				trace := Trace{Bits: make([]uint64, set.Words()), Randomness: rng.Uint64N(never)}
				binary.BigEndian.PutUint64(trace.ID[:8], rng.Uint64())
				binary.BigEndian.PutUint64(trace.ID[8:], rng.Uint64())
				hash := fnv.New64a()
				hash.Write([]byte(salt))
				if salt == "" {
					hash.Write([]byte("default-hash-seed"))
				}
				hash.Write(trace.ID[:])
				d := set.Decide(&trace, nil)
				require.Equal(t, hash.Sum64() <= limit, d.Verdict == Sampled)
				require.Equal(t, d.Verdict == Sampled, d.Weightless)
				if d.Verdict == Sampled {
					sampled++
				}
			}
			share := min(percent/100, 1)
			require.InDelta(t, share*n, sampled, 4*math.Sqrt(n*share*(1-share)), "%g %%", percent)
		}
	}
}

// A trace that is kept for a reason beside the hash has a weight, whichever policy comes first.
func TestWeightless(t *testing.T) {
	errors := Config{Name: "errors", Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}}
	all := hashPolicy("", 100)
	half := Config{Name: "half", Type: Drop, Section: &DropConfig{SubPolicies: []Config{hashPolicy("", 0)}}}
	views := testBlock{Spans: []testSpan{{Status: "ERROR"}}}.views(t)
	for _, c := range []struct {
		policies []Config
		want     bool
	}{
		{[]Config{all}, true},
		{[]Config{errors}, false},
		{[]Config{all, errors}, false},
		{[]Config{errors, all}, false},
		{[]Config{{Name: "both", Type: And, Section: &AndConfig{SubPolicies: []Config{errors, all}}}}, true},
		{[]Config{{Name: "not", Type: Not, Section: &NotConfig{SubPolicy: hashPolicy("", 0)}}}, true},
		{[]Config{errors, half}, true}, // half of the others are dropped, which ones depends on a hash
	} {
		set, err := Compile(c.policies, Options{Contrib: true})
		require.NoError(t, err)
		bits := eachInTurn(set, views)
		want := Decision{Verdict: Sampled, Sub: None, Weightless: c.want}
		for i, p := range c.policies {
			if p.Name == errors.Name {
				want.Policy = i // the policy that has a weight
			}
		}
		require.Equal(t, want, set.Decide(&Trace{Bits: bits}, nil), "%+v", c.policies)
		require.Equal(t, c.want, set.Decide(&Trace{Bits: bits}, make([]Vote, set.Len())).Weightless)
	}
}
