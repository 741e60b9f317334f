package sli

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// conditioned is a set of objectives with every kind of condition.
func conditioned() []slo.Objective {
	where := func(c match.Condition) slo.SpanSelector { return slo.SpanSelector{Where: &c} }
	text := func(values ...any) *match.Text { return ptr(must(match.ParseText("", slices.Clone(values)))) }
	list := func(conditions ...any) []match.Condition { return must(match.ParseList("", slices.Clone(conditions))) }
	type m = map[string]any
	return []slo.Objective{
		{Name: "user", Indicator: slo.Indicator{Type: slo.Availability, Bad: list("user")}},
		{Name: "rest", Indicator: slo.Indicator{Type: slo.Availability, Spans: where(match.Condition{
			Service: text("=~.*c.*", "!=cart"), Operation: text("=~(GET|POST) .*", "!~.*cart"), Version: text("!=1.1"), Kind: text("!~in.*")})}},
		{Name: "region", Indicator: slo.Indicator{Type: slo.Availability, Spans: where(match.Condition{
			Attributes: map[string]match.Text{"region": *text("=~e.", "us"), "tier": *text("!=silver"), "shard": *text("!~[0-4]")}})}},
		{Name: "codes", Indicator: slo.Indicator{Type: slo.Availability,
			Bad:     list(m{match.HTTPKey: []any{"501-502", "4xx"}}, m{match.RPCKey: []any{14, "=~DEADLINE.*"}}, m{"error.type": "timeout", "kind": []any{"server", "client"}}),
			Exclude: list(m{"operations": "poll"}, m{match.HTTPKey: "!=4xx", "attributes": m{"tier": "gold"}}, m{"service": "=~front.*", "operations": "GET /cart"})}},
		{Name: "slow or failed", Indicator: slo.Indicator{Type: slo.Availability, Bad: list("server", m{"duration": []any{">100ms", "<=150ms"}})}},
		{Name: "fast answers", Indicator: slo.Indicator{Type: slo.Latency, Threshold: 50 * time.Millisecond, Exclude: list("server"),
			Bad: list(m{"attributes": m{"shard": "=~.*"}, "version": "1.0"})}},
	}
}

func ptr[T any](v T) *T { return &v }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// codesFor adds status codes in every spelling.
func codesFor(rng *rand.Rand, s *slitest.Span) {
	switch rng.IntN(8) {
	case 0:
		s.Attributes["http.status_code"] = int64(400 + rng.IntN(200))
	case 1:
		s.Attributes["http.response.status_code"] = fmt.Sprint(400 + rng.IntN(20))
	case 2:
		s.Attributes["rpc.grpc.status_code"] = int64(rng.IntN(17))
	case 3:
		s.Attributes["rpc.response.status_code"] = []string{"UNAVAILABLE", "NOT_FOUND", "OK", "-32602"}[rng.IntN(4)]
	case 4:
		s.Attributes["rpc.connect_rpc.error_code"] = []string{"unavailable", "canceled", "deadline_exceeded"}[rng.IntN(3)]
	}
}

// TestConditionsEqualBruteForce checks that the counts of random spans equal those of a pass over all conditions, through either
// door, in any batching, and whether names have a place of their own or are counted under __other__.
func TestConditionsEqualBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 6 {
		spans := randomSpans(rng, 1+rng.IntN(300))
		for i := range spans {
			codesFor(rng, &spans[i])
		}
		want := bruteForce(conditioned(), spans)
		for _, door := range []func(*testing.T, pair, ptrace.Traces){pdataDoor, wireDoor, noPassing} {
			rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
			got := runWith(t, nil, conditioned(), spans, 1+rng.IntN(50), door)
			for name := range got {
				if strings.HasPrefix(name, metricDuration) {
					delete(got, name)
				}
			}
			for series, n := range want {
				require.Equal(t, n, got[series], "round %d: %s", round, series)
			}
			for series, n := range got {
				require.Contains(t, want, series, "round %d: %s", round, n)
			}

			tight := createDefaultConfig().(*Config)
			tight.Limits = Limits{Services: 1, Operations: 1, Versions: 1, Reasons: 1}
			crowded := runWith(t, tight, conditioned(), spans, 1+rng.IntN(50), door)
			require.Equal(t, totals(t, want), totals(t, crowded), "round %d: under limits", round)
		}
	}
}

// totals sums events and bad events by objective.
func totals(t *testing.T, values map[string]string) map[string]int {
	sums := map[string]int{}
	for series, v := range values {
		metric, labels, _ := strings.Cut(series, "{objective=")
		if !strings.HasPrefix(metric, "slowburn.sli.") {
			continue
		}
		n, err := strconv.Atoi(v)
		require.NoError(t, err)
		objective, _, _ := strings.Cut(labels, ",")
		if n > 0 {
			sums[metric+" "+objective] += n
		}
	}
	return sums
}

// meets is a second implementation of conditions, for the oracle.
func meets(c match.Condition, s slitest.Span, service string) bool {
	yes := func(t *match.Text, text string, has bool) bool { return t == nil || meetsText(*t, text, has) }
	http, rpc := httpOf(s), rpcOf(s)
	errorType, hasType := s.Attributes["error.type"]
	if !yes(c.Service, service, true) || !yes(c.Operation, s.Name, true) || !yes(c.Version, s.Version, true) ||
		!yes(c.Kind, strings.ToLower(s.Kind.String()), true) || !yes(c.Status, strings.ToLower(s.Status.String()), true) ||
		!yes(c.RPC, rpc, rpc != "") || !yes(c.ErrorType, fmt.Sprint(errorType), hasType) {
		return false
	}
	if c.HTTP != nil {
		in := func(ranges []match.Range) bool {
			return slices.ContainsFunc(ranges, func(r match.Range) bool { return r.From <= http && http <= r.To })
		}
		if len(c.HTTP.In) > 0 && !in(c.HTTP.In) || in(c.HTTP.NotIn) {
			return false
		}
	}
	if d := max(s.Duration, 0); c.Duration != nil && (d < c.Duration.Min || c.Duration.Max > 0 && d > c.Duration.Max) {
		return false
	}
	for key, t := range c.Attributes {
		v, has := s.Attributes[key]
		if !has {
			v, has = s.Resource[key]
		}
		if !meetsText(t, fmt.Sprint(v), has) {
			return false
		}
	}
	return true
}

func meetsText(t match.Text, text string, has bool) bool {
	like := func(pattern string) bool { return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(text) }
	if !has {
		return len(t.In)+len(t.Like) == 0
	}
	positive := len(t.In)+len(t.Like) == 0 || slices.Contains(t.In, text) || slices.ContainsFunc(t.Like, like)
	return positive && !slices.Contains(t.NotIn, text) && !slices.ContainsFunc(t.NotLike, like)
}

func httpOf(s slitest.Span) int {
	for _, key := range []string{"http.response.status_code", "http.status_code"} {
		if n, err := strconv.Atoi(fmt.Sprint(s.Attributes[key])); err == nil {
			return n
		}
	}
	return 0
}

var grpcNames = strings.Fields(`OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED
	RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED`)

func rpcOf(s slitest.Span) string {
	if n, ok := s.Attributes["rpc.grpc.status_code"].(int64); ok {
		return grpcNames[n]
	}
	for _, key := range []string{"rpc.response.status_code", "rpc.connect_rpc.error_code"} {
		if code, ok := s.Attributes[key].(string); ok {
			return strings.ReplaceAll(strings.ToUpper(code), "CANCELED", "CANCELLED")
		}
	}
	return ""
}

// failureOf returns the span's own word for its failure.
func failureOf(s slitest.Span) string {
	if v, has := s.Attributes["error.type"].(string); has && len(v) <= 64 {
		return v
	}
	if code := httpOf(s); code != 0 {
		return fmt.Sprint(code)
	}
	if code := rpcOf(s); code != "" {
		return code
	}
	return "error"
}

// badness returns why the span is bad by the conditions, empty if it is not. A condition over the status alone comes first, one over the
// duration last.
func badness(conditions []match.Condition, s slitest.Span, service string) string {
	reason := ""
	for _, c := range conditions {
		if !meets(c, s, service) {
			continue
		}
		switch {
		case c.Status != nil && len(c.Status.In) > 0 && c.HTTP == nil:
			return failureOf(s)
		case c.ErrorType != nil && len(c.ErrorType.In)+len(c.ErrorType.Like) > 0 && (reason == "" || reason == "latency"):
			reason = failureOf(s)
		case c.RPC != nil && len(c.RPC.In)+len(c.RPC.Like) > 0 && (reason == "" || reason == "latency"):
			reason = rpcOf(s)
		case c.HTTP != nil && len(c.HTTP.In) > 0 && (reason == "" || reason == "latency"):
			reason = fmt.Sprint(httpOf(s))
		case c.Duration != nil && reason == "":
			reason = "latency"
		case reason == "" || reason == "latency":
			reason = failureOf(s)
		}
	}
	return reason
}
