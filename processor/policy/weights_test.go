package policy

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
)

// population is a class of traces that policies and the upstream sampler treat alike, and what was kept of it.
type population struct {
	bits          []uint64
	count, weight float64
	// variance of the weight of one trace, kept with probability p as 1/p: 1/p − 1.
	variance float64
}

// Law 4 on 100,000 random traces with random attributes, explicit randomness and upstream samplers: a kept trace carries
// a th that its randomness passes, and the weights of what was kept add up to what there was.
func TestWeightsAreHonest(t *testing.T) {
	set, err := Compile(atRandom(), Options{})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(4, 56))
	classes := map[string]*population{}
	for range 100_000 {
		span := testSpan{
			Status:     pick(rng, "", "", "", "ERROR"),
			Attributes: map[string]any{"service": pick(rng, "cart", "shop"), "path": pick(rng, "/healthz", "/buy", "/buy")},
		}
		headShare := pick(rng, 1, 1, 0.5, 0.1)
		class := fmt.Sprint(span, headShare)
		p := classes[class]
		if p == nil {
			p = newPopulation(t, set, span, headShare)
			classes[class] = p
		}
		p.count++
		id, incoming, arrived := headSampled(rng, headShare)
		if !arrived {
			continue
		}
		randomness := tracestate.Randomness(id, incoming)
		d := set.Decide(&Trace{ID: id, Bits: p.bits, Randomness: randomness}, nil)
		if d.Verdict != Sampled {
			continue
		}
		outgoing, ok := tracestate.Update(incoming, id, tracestate.None, d.Threshold)
		require.True(t, ok)
		require.LessOrEqual(t, readThreshold(t, outgoing), randomness, outgoing)
		p.weight += tracestate.AdjustedCountOf(id, outgoing)
	}

	require.Len(t, classes, 24)
	var sum population
	for class, p := range classes {
		variance := p.count * p.variance
		require.InDelta(t, p.count, p.weight, 4.5*math.Sqrt(variance), class)
		sum.count, sum.weight, sum.variance = sum.count+p.count, sum.weight+p.weight, sum.variance+variance
	}
	const z99 = 2.5758
	require.InDelta(t, sum.count, sum.weight, z99*math.Sqrt(sum.variance))
}

// atRandom are policies that keep by chance in every way there is.
func atRandom() []Config {
	return []Config{
		{Name: "errors", Type: StatusCode, StatusCode: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "cart", Type: And, And: &AndConfig{SubPolicies: []Config{
			stringIs("", "service", "cart"),
			{Type: Probabilistic, Probabilistic: &ProbabilisticConfig{SamplingPercentage: 30}},
		}}},
		{Name: "rest", Type: Probabilistic, Probabilistic: &ProbabilisticConfig{SamplingPercentage: 7}},
		{Name: "probes", Type: Drop, Drop: &DropConfig{SubPolicies: []Config{
			stringIs("", "path", "/healthz"),
			{Type: Probabilistic, Probabilistic: &ProbabilisticConfig{SamplingPercentage: 80}},
		}}},
	}
}

func newPopulation(t *testing.T, set *Set, span testSpan, headShare float64) *population {
	bits := eachInTurn(set, testBlock{Spans: []testSpan{span}}.views(t))
	head, err := thresholdOf(100 * headShare)
	require.NoError(t, err)
	d := set.Decide(&Trace{Bits: bits, Randomness: never - 1}, nil) // passes every threshold
	require.Equal(t, Sampled, d.Verdict)
	return &population{bits: bits, variance: tracestate.Count(max(head, d.Threshold)) - 1}
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// headSampled makes a trace ID and a tracestate, half of them with explicit randomness, of a trace that a head sampler
// kept with this share, or reports that it did not.
func headSampled(rng *rand.Rand, share float64) (id [16]byte, state string, arrived bool) {
	binary.BigEndian.PutUint64(id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	if rng.IntN(2) == 0 {
		state = fmt.Sprintf("ot=rv:%014x", rng.Uint64N(never))
	}
	th := uint64(math.Round((1 - share) * float64(never)))
	if tracestate.Randomness(id, state) < th {
		return id, state, false
	}
	if share < 1 {
		state, arrived = tracestate.Update(state, id, tracestate.None, th)
		return id, state, arrived
	}
	return id, state, true
}

// readThreshold reads th as others do.
func readThreshold(t *testing.T, state string) uint64 {
	w3c, err := sampling.NewW3CTraceState(state)
	require.NoError(t, err)
	th, ok := w3c.OTelValue().TValueThreshold()
	require.True(t, ok, state)
	return th.Unsigned()
}
