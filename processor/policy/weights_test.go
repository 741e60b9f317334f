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
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
)

// Law 4 on a million random traces with random attributes, explicit randomness and upstream samplers, for every policy that
// samples by randomness: a kept trace carries a th that its randomness passes, and the weights of kept traces add up to all
// traces, for each service.
func TestWeightsAreHonest(t *testing.T) {
	const seeds = 4
	traces := 1_000_000 / seeds
	if raceEnabled {
		traces /= 20
	}
	for _, firstMatch := range []bool{false, true} {
		for seed := range uint64(seeds) {
			if firstMatch && seed > 0 {
				break
			}
			t.Run(fmt.Sprintf("seed=%d/first=%t", seed, firstMatch), func(t *testing.T) {
				t.Parallel()
				set, err := Compile(atRandom(), Options{FirstMatch: firstMatch})
				require.NoError(t, err)
				for service, e := range estimateCounts(t, set, rand.New(rand.NewPCG(seed, 56)), traces) {
					t.Logf("%s: %.0f traces, estimated %.0f ± %.0f", service, e.count, e.weight, math.Sqrt(e.variance))
					require.Greater(t, e.kept, traces/500, service)
					require.InDelta(t, e.count, e.weight, bonferroni((seeds+1)*len(services))*math.Sqrt(e.variance), service)
				}
			})
		}
	}
}

var services = []string{"cart", "shop", "search", "pay", "batch", "mail"}

// estimate holds the true number of a service's traces and the sum of kept weights.
type estimate struct {
	count, weight float64
	kept          int
	// variance of weight: the sum over all traces of the variance of a trace that is kept with probability p and weight 1/p,
	// which is 1/p − 1. p depends on earlier traces, but not on the trace's own randomness, so deviations add up like independent
	// ones.
	variance float64
}

// estimateCounts decides traces, a thousand per second.
func estimateCounts(t *testing.T, set *Set, rng *rand.Rand, traces int) map[string]*estimate {
	estimates, bits := map[string]*estimate{}, map[string][]uint64{}
	for _, service := range services {
		estimates[service] = &estimate{}
	}
	for n := range traces {
		service, path, status := policytest.Pick(rng, services...), policytest.Pick(rng, "/healthz", "/buy", "/buy"), policytest.Pick(rng, "", "", "", "", "ERROR")
		class := service + path + status
		if bits[class] == nil {
			attributes := map[string]any{"path": path}
			bits[class] = eachInTurn(set, testBlock{Spans: []testSpan{
				{Name: path, Status: status, Attributes: attributes, Resource: map[string]any{"service.name": service}},
			}}.views(t))
		}
		e, spans, headShare := estimates[service], 1+rng.IntN(20), policytest.Pick(rng, 1, 1, 0.5, 0.1)
		trace := Trace{Bits: bits[class], Now: int64(n) * 1e6, Spans: spans, Bytes: 400 * spans, Randomness: never - 1}
		d, _ := set.all.decide(&trace, trace.Randomness, nil) // passes every threshold
		if d.Verdict == Sampled {                             // otherwise it is certainly dropped, and not to be counted
			e.count++
			e.variance += tracestate.Count(max(thresholdOfHead(headShare), d.Threshold)) - 1
		}

		id, incoming, arrived := headSampled(rng, headShare)
		if !arrived {
			continue
		}
		trace.ID, trace.Randomness = id, tracestate.Resolve(id, tracestate.Parse(incoming).Randomness)
		if d = set.Decide(&trace, nil); d.Verdict != Sampled {
			continue
		}
		outgoing, ok := tracestate.Update(incoming, id, tracestate.None, d.Threshold)
		if th := readThreshold(t, outgoing); !ok || th > trace.Randomness || d.Weightless {
			t.Fatalf("trace %d: th of %q, which the randomness %014x does not pass: %+v", n, outgoing, trace.Randomness, d)
		}
		e.kept++
		e.weight += tracestate.AdjustedCountOf(id, outgoing)
	}
	return estimates
}

// atRandom are policies that sample by randomness, of every type that does.
func atRandom() []Config {
	isService := func(name string) Config { return stringIs("service", "service.name", name) }
	and := func(name string, sub ...Config) Config {
		return Config{Name: name, Type: And, Section: &AndConfig{SubPolicies: sub}}
	}
	drop := func(name string, sub ...Config) Config {
		return Config{Name: name, Type: Drop, Section: &DropConfig{SubPolicies: sub}}
	}
	chance := func(name string, percent float64) Config {
		return Config{Name: name, Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: percent}}
	}
	not := func(sub Config) Config { return Config{Type: Not, Section: &NotConfig{SubPolicy: sub}} }
	limit := func(spans int64) Config {
		return Config{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: spans}}
	}
	failed := Config{Name: "failed", Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}}
	return []Config{
		drop("some probes", stringIs("", "path", "/healthz"), chance("", 80)),
		drop("some batches", isService("batch"), limit(100)),
		and("errors of shop", isService("shop"), failed),
		and("some of cart", isService("cart"), chance("", 30)),
		and("most of pay", isService("pay"), not(chance("", 40))),
		and("search within bounds", isService("search"), limit(200)),
		and("some of search within bounds", limit(50), isService("search"), chance("", 20)),
		{Name: "mix", Type: Composite, Section: &CompositeConfig{
			MaxTotalSpansPerSecond: 900, PolicyOrder: []string{"failed", "some mail", "mail"},
			SubPolicies: []Config{
				and("mail", isService("mail"), chance("", 70)), and("some mail", isService("mail"), chance("", 20)), failed, isService("batch"),
			},
			RateAllocation: []RateAllocationConfig{{Policy: "mail", Percent: 50}},
		}},
		and("bytes of batch", isService("batch"), Config{Type: BytesLimiting, Section: &BytesLimitingConfig{BytesPerSecond: 20_000}}),
		{Name: "by key", Type: Dynamic, Section: &DynamicConfig{SamplingPercentage: 4}},
		{Name: "first", Type: Rare, Section: &RareConfig{Traces: 2}},
		chance("rest", 3),
	}
}

// thresholdOfHead returns the threshold of a head sampler with this share.
func thresholdOfHead(share float64) uint64 { return uint64(math.Round((1 - share) * float64(never))) }

// headSampled returns a trace ID and a tracestate of a trace that a head sampler with this share kept, half of them with explicit
// randomness, or reports that it was dropped.
func headSampled(rng *rand.Rand, share float64) (id [16]byte, state string, arrived bool) {
	binary.BigEndian.PutUint64(id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	if rng.IntN(2) == 0 {
		state = fmt.Sprintf("ot=rv:%014x", rng.Uint64N(never))
	}
	th := thresholdOfHead(share)
	if tracestate.Resolve(id, tracestate.Parse(state).Randomness) < th {
		return id, state, false
	}
	if share < 1 {
		state, arrived = tracestate.Update(state, id, tracestate.None, th)
		return id, state, arrived
	}
	return id, state, true
}

// readThreshold reads th by the Collector's own package.
func readThreshold(t *testing.T, state string) uint64 {
	w3c, err := sampling.NewW3CTraceState(state)
	require.NoError(t, err)
	th, ok := w3c.OTelValue().TValueThreshold()
	require.True(t, ok, state)
	return th.Unsigned()
}
