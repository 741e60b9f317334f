package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Random policies over random traces are decided, shown in any order and grouping, as an oracle says that reads the
// spans' attributes as plain Go values.
func TestAgreesWithOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	verdicts := map[Verdict]int{}
	for range 400 {
		policies := randomPolicies(rng)
		set, err := Compile(policies, Options{})
		require.NoError(t, err)
		for range 5 {
			spans := randomSpans(rng)
			trace := Trace{Randomness: rng.Uint64N(never)}
			want := oracle{spans, trace.Randomness}.decide(policies)
			views := testBlock{Spans: spans}.views(t)
			for _, way := range append(ways, eachInTurn) {
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
		cfg := randomSimple(rng)
		sub := []Config{randomSimple(rng), randomSimple(rng)}[:1+rng.IntN(2)]
		switch rng.IntN(5) {
		case 0:
			cfg = Config{Type: And, And: &AndConfig{SubPolicies: sub}}
		case 1:
			cfg = Config{Type: Drop, Drop: &DropConfig{SubPolicies: sub}}
		}
		cfg.Name = fmt.Sprint(i)
		policies = append(policies, cfg)
	}
	return policies
}

func randomSimple(rng *rand.Rand) Config {
	key, invert := pick(rng, "a", "b", "c", "d"), rng.IntN(4) == 0
	switch pick(rng, simpleTypes...) {
	case Latency:
		return Config{Type: Latency, Latency: &LatencyConfig{ThresholdMs: new(rng.Int64N(10)), UpperThresholdMs: new(10 + rng.Int64N(10))}}
	case StatusCode:
		codes := []string{"OK", "ERROR", "UNSET"}[rng.IntN(3):]
		return Config{Type: StatusCode, StatusCode: &StatusCodeConfig{StatusCodes: codes}}
	case StringAttribute:
		return Config{Type: StringAttribute, StringAttribute: &StringAttributeConfig{
			Key: key, Values: []string{pick(rng, "x", "y"), "xy"}, InvertMatch: invert,
			EnabledRegexMatching: rng.IntN(2) == 0, CacheMaxSize: 1,
		}}
	case NumericAttribute:
		return Config{Type: NumericAttribute, NumericAttribute: &NumericAttributeConfig{
			Key: key, MinValue: new(rng.Int64N(3)), MaxValue: new(3 + rng.Int64N(3)), InvertMatch: invert,
		}}
	case BooleanAttribute:
		return Config{Type: BooleanAttribute, BooleanAttribute: &BooleanAttributeConfig{
			Key: key, Value: rng.IntN(2) == 0, InvertMatch: invert,
		}}
	case Probabilistic:
		return Config{Type: Probabilistic, Probabilistic: &ProbabilisticConfig{SamplingPercentage: pick(rng, 0, 25, 50, 100.0)}}
	default:
		return Config{Type: AlwaysSample}
	}
}

func randomSpans(rng *rand.Rand) (spans []testSpan) {
	for range 1 + rng.IntN(4) {
		start := time.Duration(rng.IntN(10)) * time.Millisecond
		spans = append(spans, testSpan{
			Start: start, End: start + time.Duration(rng.IntN(15))*time.Millisecond,
			Status:     pick(rng, "", "OK", "ERROR", "UNKNOWN"),
			Attributes: randomAttributes(rng), Resource: randomAttributes(rng),
		})
	}
	return spans
}

func randomAttributes(rng *rand.Rand) map[string]any {
	attrs := map[string]any{}
	for range rng.IntN(3) {
		attrs[pick(rng, "a", "b", "c", "d")] = pick[any](rng, "x", "y", "xy", "true", "1", true, false, rng.IntN(6), rng.Float64()*6)
	}
	return attrs
}

func extent(spans []testSpan) (start, end uint64) {
	first := slices.MinFunc(spans, func(a, b testSpan) int { return int(a.Start - b.Start) })
	last := slices.MaxFunc(spans, func(a, b testSpan) int { return int(a.End - b.End) })
	return uint64(first.Start), uint64(last.End)
}

// oracle decides as the documentation says, without bits.
type oracle struct {
	spans      []testSpan
	randomness uint64
}

func (o oracle) decide(policies []Config) Decision {
	d := Decision{Policy: None, Sub: None}
	var left uint64 // threshold of what drop policies left
	for i, p := range policies {
		if p.Type != Drop || !o.forAll(p.Drop.SubPolicies) {
			continue
		}
		if th := never - highest(p.Drop.SubPolicies); o.randomness < th {
			return Decision{Verdict: Dropped, Policy: i, Sub: None}
		} else {
			left = max(left, th)
		}
	}
	for i, p := range policies {
		sub := []Config{p}
		if p.Type == And {
			sub = p.And.SubPolicies
		}
		if th := highest(sub); p.Type != Drop && o.forAll(sub) && o.randomness >= th {
			if d.Verdict != Sampled {
				d = Decision{Verdict: Sampled, Policy: i, Sub: None, Threshold: th}
			}
			d.Threshold = min(d.Threshold, th)
		}
	}
	if d.Verdict == Sampled {
		d.Threshold = max(d.Threshold, left)
	}
	return d
}

// highest is the highest threshold of probabilistic policies.
func highest(policies []Config) (threshold uint64) {
	for _, p := range policies {
		if p.Type == Probabilistic {
			share := p.Probabilistic.SamplingPercentage / 100
			threshold = max(threshold, never-uint64(share*float64(never)))
		}
	}
	return threshold
}

// forAll reports whether the trace is one for each of the policies, chance aside.
func (o oracle) forAll(policies []Config) bool {
	return !slices.ContainsFunc(policies, func(p Config) bool { return !o.is(p) })
}

func (o oracle) is(p Config) bool {
	switch p.Type {
	case Latency:
		start, end := extent(o.spans)
		ms := float64(end-start) / 1e6
		return ms > float64(*p.Latency.ThresholdMs) && ms <= float64(*p.Latency.UpperThresholdMs)
	case StatusCode:
		return slices.ContainsFunc(o.spans, func(s testSpan) bool {
			return s.Status == "" && slices.Contains(p.StatusCode.StatusCodes, "UNSET") ||
				slices.Contains(p.StatusCode.StatusCodes, s.Status)
		})
	case StringAttribute:
		c := p.StringAttribute
		return c.InvertMatch != o.any(c.Key, func(v any) bool {
			s, ok := v.(string)
			return ok && slices.ContainsFunc(c.Values, func(want string) bool {
				return s == want || c.EnabledRegexMatching && regexp.MustCompile(want).MatchString(s)
			})
		})
	case NumericAttribute:
		c := p.NumericAttribute
		return c.InvertMatch != o.any(c.Key, func(v any) bool {
			n, ok := v.(float64)
			if i, isInt := v.(int); isInt {
				n, ok = float64(i), true
			}
			return ok && n >= float64(*c.MinValue) && n <= float64(*c.MaxValue)
		})
	case BooleanAttribute:
		c := p.BooleanAttribute
		return c.InvertMatch != o.any(c.Key, func(v any) bool { return v == c.Value })
	default:
		return true
	}
}

func (o oracle) any(key string, holds func(any) bool) bool {
	return slices.ContainsFunc(o.spans, func(s testSpan) bool {
		return holds(s.Attributes[key]) || holds(s.Resource[key])
	})
}
