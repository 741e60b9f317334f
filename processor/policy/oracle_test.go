package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
)

// Random policies decide random traces, in any order and grouping, like an oracle that reads the spans' attributes as plain Go values.
func TestAgreesWithOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	verdicts := map[Verdict]int{}
	for range 500 {
		policies := randomPolicies(rng)
		set, err := Compile(policies, Options{})
		require.NoError(t, err)
		for range 5 {
			spans := randomSpans(rng)
			trace := Trace{Randomness: rng.Uint64N(never), Spans: len(spans)}
			want := oracle{spans, trace.Randomness}.decide(policies)
			views := testBlock{Spans: spans}.views(t)
			for _, way := range append(policytest.Ways, policytest.EachInTurn) {
				trace.Bits = way(set, views)
				trace.Start, trace.End = extent(spans)
				require.Equal(t, want, set.Decide(&trace, nil), "%+v\n%+v", policies, spans)
			}
			verdicts[want.Verdict]++
		}
	}
	for v := range Dropped + 1 {
		require.Greater(t, verdicts[v], 200, v)
	}
}

func randomPolicies(rng *rand.Rand) (policies []Config) {
	for i := range 1 + rng.IntN(6) {
		cfg := randomSub(rng, 2)
		if rng.IntN(5) == 0 {
			cfg = Config{Type: Drop, Section: &DropConfig{SubPolicies: []Config{randomSub(rng, 1), randomSub(rng, 1)}[:1+rng.IntN(2)]}}
		}
		cfg.Name = fmt.Sprint(i)
		policies = append(policies, cfg)
	}
	return policies
}

// randomSub returns a policy of a type that sub-policies allow, with sub-policies down to this depth.
func randomSub(rng *rand.Rand, depth int) Config {
	if depth > 0 {
		switch rng.IntN(5) {
		case 0:
			sub := []Config{randomSub(rng, depth-1), randomSub(rng, depth-1)}[:1+rng.IntN(2)]
			return Config{Type: And, Section: &AndConfig{SubPolicies: sub}}
		case 1:
			return Config{Type: Not, Section: &NotConfig{SubPolicy: randomSub(rng, depth-1)}}
		}
	}
	return randomSimple(rng)
}

// simpleTypes have no sub-policies. always_sample replaces those that the oracle does not know.
var simpleTypes = []Type{
	AlwaysSample, BooleanAttribute, BytesLimiting, Latency, NumericAttribute, OTTLCondition, Probabilistic, RateLimiting, SpanCount,
	StatusCode, StringAttribute, TraceFlags, TraceState,
	Diversity, Dynamic, Rare, "critical_path_ms", "failure_mode", Orphans, "retries",
}

func randomSimple(rng *rand.Rand) Config {
	key, invert := policytest.Pick(rng, "a", "b", "c", "d"), rng.IntN(4) == 0
	switch policytest.Pick(rng, simpleTypes...) {
	case Latency:
		return Config{Type: Latency, Section: &LatencyConfig{ThresholdMs: new(rng.Int64N(10)), UpperThresholdMs: new(10 + rng.Int64N(10))}}
	case StatusCode:
		codes := []string{"OK", "ERROR", "UNSET"}[rng.IntN(3):]
		return Config{Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: codes}}
	case StringAttribute:
		return Config{Type: StringAttribute, Section: &StringAttributeConfig{
			Key: key, Values: []string{policytest.Pick(rng, "x", "y"), "xy"}, InvertMatch: invert,
			EnabledRegexMatching: rng.IntN(2) == 0, CacheMaxSize: 1,
		}}
	case NumericAttribute:
		return Config{Type: NumericAttribute, Section: &NumericAttributeConfig{
			Key: key, MinValue: new(rng.Int64N(3)), MaxValue: new(3 + rng.Int64N(3)), InvertMatch: invert,
		}}
	case BooleanAttribute:
		return Config{Type: BooleanAttribute, Section: &BooleanAttributeConfig{
			Key: key, Value: rng.IntN(2) == 0, InvertMatch: invert,
		}}
	case Probabilistic:
		return Config{Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: policytest.Pick(rng, 0, 25, 50, 100.0)}}
	case SpanCount:
		return Config{Type: SpanCount, Section: &SpanCountConfig{MinSpans: 1 + rng.IntN(2), MaxSpans: policytest.Pick(rng, 0, 2, 3)}}
	case TraceFlags:
		return Config{Type: TraceFlags}
	case TraceState:
		return Config{Type: TraceState, Section: &TraceStateConfig{Key: key, Values: []string{policytest.Pick(rng, "x", "y"), "xy"}}}
	default:
		return Config{Type: AlwaysSample}
	}
}

func randomSpans(rng *rand.Rand) (spans []testSpan) {
	for range 1 + rng.IntN(4) {
		start := time.Duration(rng.IntN(10)) * time.Millisecond
		spans = append(spans, testSpan{
			Start: start, End: start + time.Duration(rng.IntN(15))*time.Millisecond,
			Status: policytest.Pick(rng, "", "OK", "ERROR", "UNKNOWN"),
			Flags:  uint32(rng.IntN(8)) << rng.IntN(8), TraceState: policytest.Pick(rng, "", "a=x", "b=xy, a=z", "ab=x,b=y", "c=x,ot=th:8"),
			Attributes: randomAttributes(rng), Resource: randomAttributes(rng),
		})
	}
	return spans
}

func randomAttributes(rng *rand.Rand) map[string]any {
	attrs := map[string]any{}
	for range rng.IntN(3) {
		attrs[policytest.Pick(rng, "a", "b", "c", "d")] = policytest.Pick[any](rng, "x", "y", "xy", "true", "1", true, false, rng.IntN(6), rng.Float64()*6)
	}
	return attrs
}

func extent(spans []testSpan) (start, end uint64) {
	first := slices.MinFunc(spans, func(a, b testSpan) int { return int(a.Start - b.Start) })
	last := slices.MaxFunc(spans, func(a, b testSpan) int { return int(a.End - b.End) })
	return uint64(first.Start), uint64(last.End)
}

// oracle decides by the documentation, without bits.
type oracle struct {
	spans      []testSpan
	randomness uint64
}

func (o oracle) decide(policies []Config) Decision {
	d := Decision{Policy: None, Sub: None}
	var left uint64 // threshold of the traces that drop policies left
	for i, p := range policies {
		if p.Type != Drop {
			continue
		}
		th, ok := o.threshold(Config{Type: And, Section: &AndConfig{SubPolicies: p.Section.(*DropConfig).SubPolicies}})
		if ok && o.randomness < never-th {
			return Decision{Verdict: Dropped, Policy: i, Sub: None}
		} else if ok {
			left = max(left, never-th)
		}
	}
	for i, p := range policies {
		if p.Type == Drop {
			continue
		}
		if th, ok := o.threshold(p); ok && o.randomness >= th {
			if d.Verdict != Sampled || th < d.Threshold {
				d = Decision{Verdict: Sampled, Policy: i, Sub: None, Threshold: th}
			}
		}
	}
	if d.Verdict == Sampled {
		d.Threshold = max(d.Threshold, left)
	}
	return d
}

// threshold returns the threshold that a trace must pass for the policy, if the policy matches it.
func (o oracle) threshold(p Config) (threshold uint64, ok bool) {
	switch p.Type {
	case Probabilistic:
		share := p.Section.(*ProbabilisticConfig).SamplingPercentage / 100
		return never - uint64(share*float64(never)), true
	case And:
		for _, sub := range p.Section.(*AndConfig).SubPolicies {
			th, ok := o.threshold(sub)
			if !ok {
				return 0, false
			}
			threshold = max(threshold, th)
		}
		return threshold, true
	case Not:
		if th, ok := o.threshold(p.Section.(*NotConfig).SubPolicy); ok {
			return never - th, th > 0
		}
		return 0, true
	default:
		return 0, o.is(p)
	}
}

func (o oracle) is(p Config) bool {
	switch p.Type {
	case Latency:
		start, end := extent(o.spans)
		ms := float64(end-start) / 1e6
		return ms > float64(*p.Section.(*LatencyConfig).ThresholdMs) && ms <= float64(*p.Section.(*LatencyConfig).UpperThresholdMs)
	case StatusCode:
		return slices.ContainsFunc(o.spans, func(s testSpan) bool {
			return s.Status == "" && slices.Contains(p.Section.(*StatusCodeConfig).StatusCodes, "UNSET") ||
				slices.Contains(p.Section.(*StatusCodeConfig).StatusCodes, s.Status)
		})
	case StringAttribute:
		c := p.Section.(*StringAttributeConfig)
		return c.InvertMatch != o.any(c.Key, func(v any) bool {
			s, ok := v.(string)
			return ok && slices.ContainsFunc(c.Values, func(want string) bool {
				return s == want || c.EnabledRegexMatching && regexp.MustCompile(want).MatchString(s)
			})
		})
	case NumericAttribute:
		c := p.Section.(*NumericAttributeConfig)
		return c.InvertMatch != o.any(c.Key, func(v any) bool {
			n, ok := v.(float64)
			if i, isInt := v.(int); isInt {
				n, ok = float64(i), true
			}
			return ok && n >= float64(*c.MinValue) && n <= float64(*c.MaxValue)
		})
	case BooleanAttribute:
		c := p.Section.(*BooleanAttributeConfig)
		return c.InvertMatch != o.any(c.Key, func(v any) bool { return v == c.Value })
	case SpanCount:
		n := len(o.spans)
		return n >= p.Section.(*SpanCountConfig).MinSpans && (p.Section.(*SpanCountConfig).MaxSpans == 0 || n <= p.Section.(*SpanCountConfig).MaxSpans)
	case TraceFlags:
		return slices.ContainsFunc(o.spans, func(s testSpan) bool { return s.Flags%2 == 1 })
	case TraceState:
		return slices.ContainsFunc(o.spans, func(s testSpan) bool {
			return slices.ContainsFunc(p.Section.(*TraceStateConfig).Values, func(v string) bool {
				return regexp.MustCompile(`(^|[, ])` + p.Section.(*TraceStateConfig).Key + `=` + v + `(,|$)`).MatchString(s.TraceState)
			})
		})
	default:
		return true
	}
}

func (o oracle) any(key string, holds func(any) bool) bool {
	return slices.ContainsFunc(o.spans, func(s testSpan) bool {
		return holds(s.Attributes[key]) || holds(s.Resource[key])
	})
}
